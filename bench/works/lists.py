"""Pages of lists that a registry keeps: tags and referrers, where there are a few and where there are many."""

import json
from collections.abc import Callable
from functools import partial

from bench.load import Load, drive
from bench.oci import Registry
from bench.peers.filling import PAGE
from bench.peers.peer import Peer
from bench.samples import REFERRED, REPOSITORY, SUBJECT
from bench.wire import AnswerBroken, Connection
from bench.works.work import Pace, Unit, Work

CONNECTIONS = 8


class ListPage(Work):
    """The first page, of 100, again and again."""

    section = "lists"

    def __init__(self, name: str, path: str, member: str) -> None:
        super().__init__(f"{name}, a page of {PAGE}", Unit.REQUEST, CONNECTIONS)
        self._path = f"{path}?n={PAGE}"
        self._member = member

    def suits(self, peer: Peer) -> bool:
        return peer.lists is not None

    def prepare(self, peer: Peer) -> None:
        lists = _lists_of(peer)
        with Connection(lists.address) as connection:
            answer = connection.ask(lists.request("GET", self._path))
        if answer.status != 200 or len(json.loads(answer.body)[self._member]) != PAGE:
            raise AnswerBroken(f"{self._path}: status {answer.status}: {answer.body[:200]!r}")

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        lists = _lists_of(peer)
        requests = [lists.request("GET", self._path)]
        return partial(drive, lists.address, requests, connections=CONNECTIONS, seconds=pace.seconds)


def works() -> list[Work]:
    return [
        ListPage("tags", f"/v2/{REPOSITORY}/tags/list", "tags"),
        ListPage("referrers", f"/v2/{REFERRED}/referrers/{SUBJECT}", "manifests"),
    ]


def _lists_of(peer: Peer) -> Registry:
    assert peer.lists is not None
    return peer.lists
