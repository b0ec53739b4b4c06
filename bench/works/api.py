"""Calls of the ECR API, each request signed."""

import json
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.load import Load, drive
from bench.peers.filling import PAGE
from bench.peers.peer import Peer
from bench.samples import REPOSITORY
from bench.signing import call
from bench.wire import Address, AnswerBroken, Connection
from bench.works.work import Pace, Unit, Work

CONNECTIONS = 8
SEEDED = 100
# More than any server creates in a second on two cores.
CREATED_A_SECOND = 2500

Members = dict[str, Any]


class ApiWork(Work):
    """One operation, asked again and again."""

    section = "API"

    def __init__(self, name: str, operation: str, calls: list[Members], least: Callable[[Members], int]) -> None:
        """`least` counts what an answer holds: no server may be quick by answering nothing."""
        super().__init__(name, Unit.REQUEST, CONNECTIONS)
        self._operation = operation
        self._calls = calls
        self._count = least

    def suits(self, peer: Peer) -> bool:
        return peer.api is not None

    def prepare(self, peer: Peer) -> None:
        api = _api(peer)
        with Connection(api) as connection:
            for number in range(SEEDED):
                connection.ask(call(api, "CreateRepository", {"repositoryName": seeded(number)}))
            answer = connection.ask(call(api, self._operation, self._calls[0]))
        if answer.status != 200 or not self._count(json.loads(answer.body)):
            raise AnswerBroken(f"{self._operation}: status {answer.status}: {answer.body[:200]!r}")

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        api = _api(peer)
        requests = [call(api, self._operation, members) for members in self._calls]
        return partial(drive, api, requests, connections=CONNECTIONS, seconds=pace.seconds)


class CreateRepository(ApiWork):
    """A new name in each request."""

    def __init__(self) -> None:
        super().__init__(
            "CreateRepository",
            "CreateRepository",
            [{"repositoryName": "bench/first"}],
            lambda found: "repository" in found,
        )

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        api = _api(peer)
        prefix = f"bench/{secrets.token_hex(4)}"
        names = (f"{prefix}/{one}" for one in range(int(CREATED_A_SECOND * pace.seconds)))
        requests = [call(api, "CreateRepository", {"repositoryName": name}) for name in names]
        return partial(drive, api, requests, connections=CONNECTIONS, seconds=pace.seconds, again=False)


class DescribeImages(ApiWork):
    """A page of the images of one repository, which must hold as many."""

    def __init__(self) -> None:
        members: Members = {"repositoryName": REPOSITORY, "maxResults": PAGE}
        super().__init__(
            f"DescribeImages, a page of {PAGE}",
            "DescribeImages",
            [members],
            lambda found: len(found["imageDetails"]) == PAGE,
        )

    def suits(self, peer: Peer) -> bool:
        return peer.images_in is not None


def seeded(number: int) -> str:
    return f"bench/seeded-{number:03}"


def works() -> list[Work]:
    named: list[Members] = [{"repositoryNames": [seeded(number)]} for number in range(SEEDED)]
    return [
        ApiWork("GetAuthorizationToken", "GetAuthorizationToken", [{}], lambda found: len(found["authorizationData"])),
        ApiWork(
            "DescribeRepositories, by name", "DescribeRepositories", named, lambda found: _repositories(found) == 1
        ),
        ApiWork(
            f"DescribeRepositories, a page of {SEEDED}",
            "DescribeRepositories",
            [{"maxResults": SEEDED}],
            lambda found: _repositories(found) >= SEEDED,
        ),
        DescribeImages(),
        CreateRepository(),
    ]


def _repositories(found: Members) -> int:
    return len(found["repositories"])


def _api(peer: Peer) -> Address:
    assert peer.api is not None
    return peer.api
