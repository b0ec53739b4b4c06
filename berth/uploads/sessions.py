"""The row of an upload: what of it is acknowledged, so that any process can go on with it."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from berth import schema
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import RepositoryNotFound, UploadNotFound
from berth.layers.expected import KEY, expecting
from berth.names import Digest, Registry
from berth.repositories import NAMED, naming
from berth.schema import uploads
from berth.store.contract import Store, UploadBusy, Written

NOTHING = Written()


@dataclass(frozen=True, slots=True)
class Session:
    """What a request says of the upload that it is about, and who asks: an upload is its principal's alone."""

    registry: Registry
    name: str
    principal: str
    id: uuid.UUID

    @property
    def naming(self) -> dict[str, object]:
        return naming(self.registry, self.name) | {"upload": self.id, "principal": self.principal}


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way, as its row tells it."""

    id: uuid.UUID
    written: Written = NOTHING
    last_part_size: int | None = None
    has_short_part: bool = False

    @property
    def received(self) -> int:
        """How many bytes of it are acknowledged."""
        return self.written.size


class OutOfOrder(Exception):
    """The bytes do not continue the upload: another request was faster, or some are missing."""

    def __init__(self, received: int) -> None:
        super().__init__(f"the upload has {received} bytes, and goes on there")
        self.received = received


_BEGIN = Question(
    insert(uploads)
    .from_select(
        ["id", "repository_id", "principal"],
        # Locked: a repository that is being deleted is waited for, and is then not there.
        select(bindparam("upload", type_=Uuid), schema.repositories.c.id, bindparam("principal", type_=Text))
        .where(NAMED)
        .with_for_update(read=True, key_share=True),
    )
    .returning(uploads.c.id)
)
_UPLOAD = (
    select(
        uploads.c.id,
        uploads.c.received,
        uploads.c.digest,
        uploads.c.pieces,
        uploads.c.last_part_size,
        uploads.c.has_short_part,
    )
    .select_from(
        schema.repositories.outerjoin(
            uploads,
            and_(
                uploads.c.repository_id == schema.repositories.c.id,
                uploads.c.id == bindparam("upload"),
                uploads.c.principal == bindparam("principal"),
            ),
        )
    )
    .where(NAMED)
)
_FIND = Question(_UPLOAD)
_found = _UPLOAD.cte("found")
_intent = expecting(select(*KEY).where(_found.c.id.is_not(None))).on_conflict_do_nothing().cte("intent")
_FIND_TO_COMPLETE = Question(select(_found).add_cte(_intent))
_ACKNOWLEDGE = Question(
    update(uploads)
    .where(
        uploads.c.id == bindparam("upload"),
        uploads.c.received == bindparam("former"),
        uploads.c.pieces == bindparam("former_pieces", type_=ARRAY(Text)),
    )
    .values(
        received=bindparam("size"),
        digest=bindparam("hash", type_=Text),
        pieces=bindparam("all_pieces", type_=ARRAY(Text)),
        last_part_size=bindparam("part_size"),
        has_short_part=bindparam("short_part"),
        touched_at=func.now(),
    )
    .returning(uploads.c.id)
)
_FORGET = Question(delete(uploads).where(uploads.c.id == bindparam("upload")).returning(uploads.c.id))


async def begin(database: Database, registry: Registry, name: str, principal: str) -> Upload:
    """A new upload, empty. Raises RepositoryNotFound."""
    session = Session(registry, name, principal, uuid.uuid4())
    if not await database.ask(_BEGIN, **session.naming):
        raise RepositoryNotFound(registry, name)
    return Upload(session.id)


async def find(database: Database, session: Session) -> Upload:
    """Raises RepositoryNotFound; UploadNotFound, also for an upload into another repository or of another principal."""
    return _upload(session, await database.ask(_FIND, **session.naming))


async def find_to_complete(database: Database, session: Session, digest: Digest) -> Upload:
    """The same, and a note that the store may soon have bytes of that digest which nobody needs.

    It is there before the bytes get their name, so that they are found and removed where this process dies in between.
    """
    return _upload(session, await database.ask(_FIND_TO_COMPLETE, **session.naming, digest=digest))


async def acknowledge(database: Database, former: Upload, grown: Upload) -> None:
    """Note what was received since `former`. Raises UploadBusy where another request was faster."""
    acknowledged = await database.ask(
        _ACKNOWLEDGE,
        upload=grown.id,
        former=former.received,
        former_pieces=former.written.pieces,
        size=grown.received,
        hash=grown.written.digest,
        all_pieces=grown.written.pieces,
        part_size=grown.last_part_size,
        short_part=grown.has_short_part,
    )
    if not acknowledged:
        raise UploadBusy(str(grown.id))


async def cancel(database: Database, store: Store, session: Session) -> None:
    """Forget the upload and what was received of it. Raises RepositoryNotFound, UploadNotFound, UploadBusy."""
    async with store.claim(session.id):
        await find(database, session)
        await database.ask(_FORGET, upload=session.id)
        await store.abandon(session.id)


def _upload(session: Session, rows: list[Any]) -> Upload:
    if not rows:
        raise RepositoryNotFound(session.registry, session.name)
    (row,) = rows
    if row["id"] is None:
        raise UploadNotFound(session.registry, session.name, session.id)
    digest = None if row["digest"] is None else Digest(row["digest"])
    written = Written(row["received"], digest, tuple(row["pieces"]))
    return Upload(row["id"], written, row["last_part_size"], row["has_short_part"])
