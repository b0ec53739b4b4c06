"""Where the processes of a machine have their buckets, and what becomes of them where they cannot share any."""

from pathlib import Path

from berth.throttling.cells import Cells, tag_of


def test_those_of_one_folder_find_the_same_cells(tmp_path: Path) -> None:
    one, other = Cells(tmp_path), Cells(tmp_path)
    place = one.find(tag_of("a"))
    one.numbers[place + 1] = 7
    assert other.find(tag_of("a")) == place
    assert other.numbers[place + 1] == 7
    one.close()
    other.close()


def test_without_a_lock_there_are_cells_of_its_own(tmp_path: Path) -> None:
    """Nobody leads the process to another file; and it starts all the same."""
    (tmp_path / "buckets.lock").symlink_to(tmp_path / "elsewhere")
    cells = Cells(tmp_path)
    assert not cells.is_shared
    assert cells.find(tag_of("a")) == cells.find(tag_of("a"))
    assert not (tmp_path / "elsewhere").exists()
