"""A server that is not to be had is missing from the table, and the table says so."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import lineup
from bench.peers import tools
from bench.peers.peer import Peer, PeerMissing
from bench.samples import Image, LargeLayer

NOTHING = Image(b"", b"", b""), LargeLayer((), "")


@contextlib.contextmanager
def starting_nothing(_folder: Path) -> Iterator[Peer]:
    raise PeerMissing("not installed: apt-get install it")
    yield


def test_a_missing_server_is_told_and_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.berth.starting", starting_nothing)
    monkeypatch.setattr(lineup, "EMULATORS", {"moto": starting_nothing})
    with lineup.starting(tmp_path, *NOTHING, api=True, registry=False) as found:
        assert found.peers == []
        assert set(found.missing) == {"Berth", "moto"}
        assert found.missing["moto"] == "not installed: apt-get install it"


def test_a_program_that_the_machine_lacks_is_named_with_its_package() -> None:
    with pytest.raises(PeerMissing, match="apt-get install the-package"):
        tools.of_system("berth-no-such-program", "the-package")


def test_a_package_that_cannot_be_installed_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "FOLDER", tmp_path)
    with pytest.raises(PeerMissing, match="cannot be installed"):
        tools.of_python(str(tmp_path / "no-such-folder"), "it")
