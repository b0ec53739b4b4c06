"""Memory that the processes of a machine share, and what becomes of it at the next boot."""

import os
from pathlib import Path

import pytest

from berth import shared_memory as room
from berth.shared_memory import shared_memory

SIZE = 4096


@pytest.fixture
def boot(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says which boot of which machine this is."""
    file = tmp_path_factory.mktemp("proc") / "boot_id"
    file.write_text("first\n")
    monkeypatch.setattr(room, "BOOT_ID", file)
    return file


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_it_is_the_same_for_all_who_ask_for_one_name(tmp_path: Path) -> None:
    one, same, other = (shared_memory(tmp_path, name, SIZE) for name in ("a", "a", "b"))
    assert one is not None
    assert same is not None
    assert other is not None
    one[7] = 1
    assert (same[7], other[7]) == (1, 0)


def test_a_boot_that_is_over_leaves_no_file(tmp_path: Path, boot: Path) -> None:
    assert shared_memory(tmp_path, "a", SIZE)
    assert shared_memory(tmp_path, "b", SIZE)
    boot.write_text("second\n")
    assert shared_memory(tmp_path, "a", SIZE)
    assert _names(tmp_path) == ["a-second", "b-first"]


def test_another_machine_s_stays_while_one_of_its_processes_has_it(tmp_path: Path, boot: Path) -> None:
    held = shared_memory(tmp_path, "a", SIZE)
    boot.write_text("second\n")
    assert shared_memory(tmp_path, "a", SIZE)
    assert _names(tmp_path) == ["a-first", "a-second"]
    del held
    assert shared_memory(tmp_path, "a", SIZE)
    assert _names(tmp_path) == ["a-second"]


def test_it_is_none_that_was_removed_before_it_was_held(
    tmp_path: Path, boot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those who come later would share another one."""
    lock, removed = room.fcntl.flock, []

    def remove_first(descriptor: int, how: int) -> None:
        if not removed:
            removed.append(os.fstat(descriptor).st_ino)
            (tmp_path / "a-first").unlink()
        lock(descriptor, how)

    monkeypatch.setattr(room.fcntl, "flock", remove_first)
    memory = shared_memory(tmp_path, "a", SIZE)
    later = shared_memory(tmp_path, "a", SIZE)
    assert memory is not None
    assert later is not None
    memory[0] = 1
    assert removed
    assert later[0] == 1


def test_a_file_that_took_the_name_of_one_that_went_stays(
    tmp_path: Path, boot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else removed the file of a boot that is over, and its machine's first process made it anew."""
    assert shared_memory(tmp_path, "a", SIZE)
    boot.write_text("second\n")
    lock, made = room.fcntl.flock, []

    def make_anew(descriptor: int, how: int) -> None:
        if how != room.fcntl.LOCK_SH and not made:
            (tmp_path / "a-first").rename(tmp_path / "gone")
            (tmp_path / "a-first").touch()
            made.append((tmp_path / "a-first").stat().st_ino)
        lock(descriptor, how)

    monkeypatch.setattr(room.fcntl, "flock", make_anew)
    assert shared_memory(tmp_path, "a", SIZE)
    assert [(tmp_path / "a-first").stat().st_ino] == made


def test_what_has_no_locks_shares_too(tmp_path: Path, boot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(room.fcntl, "flock", refuse)
    assert shared_memory(tmp_path, "a", SIZE)
    boot.write_text("second\n")
    assert shared_memory(tmp_path, "a", SIZE)
    assert _names(tmp_path) == ["a-first", "a-second"]
