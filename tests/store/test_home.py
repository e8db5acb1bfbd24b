"""Which store this is: told by its own files, and by what was counted in a second place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from batchtui.config.paths import state_dir
from batchtui.store import home
from batchtui.store.files import tally


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "abcdef"
    path.mkdir()
    (path / "jobs.jsonl").write_text("{}\n")
    return path


def test_a_moved_folder_is_at_home_and_a_copy_is_not(folder: Path) -> None:
    known = home.settle(folder)
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    moved = folder.rename(folder.with_name("moved"))
    assert home.is_at(known, moved)
    assert not home.is_at(known, copy)


def test_lines_that_are_added_or_cut_make_no_copy(folder: Path) -> None:
    known = home.settle(folder)
    with (folder / "jobs.jsonl").open("a") as file:
        file.write("{}\n")
    os.truncate(folder / "jobs.jsonl", 3)
    assert home.is_at(known, folder)


def test_a_file_of_the_same_number_born_later_is_another(folder: Path) -> None:
    known = home.settle(folder)
    older = home.Home(known.mark, known.inode, (known.born or 2) - 1)
    assert home.is_at(older, folder) is (known.born is None)


def test_where_no_birth_is_told_the_number_decides(folder: Path) -> None:
    known = home.settle(folder)
    assert home.is_at(home.Home(known.mark, known.inode), folder)
    assert not home.is_at(home.Home(known.mark, known.inode + 1), folder)


def test_only_the_store_that_drove_last_counts(folder: Path) -> None:
    for mark, seq in (("a", 5), ("a", 9), ("b", 3)):
        told = tally.Tally(folder.name)
        told.note(mark, seq)
        told.close()
    assert (tally.read(folder.name).mark, tally.read(folder.name).seqs) == ("b", [3])
    assert tally.read("another").mark is None


@pytest.mark.parametrize("torn", [b'{"mark": "a", "se', b"\0\0\0\n", b"[]\n", b'{"mark": "a"}\n'])
def test_lines_that_make_no_sense_are_passed_over(folder: Path, torn: bytes) -> None:
    told = tally.Tally(folder.name)
    told.note("a", 5)
    told.close()
    path = next((state_dir() / "sent").iterdir())
    path.write_bytes(path.read_bytes() + torn)
    told = tally.Tally(folder.name)
    told.note("a", 7)
    told.close()
    assert tally.read(folder.name).seqs == [5, 7]


def test_a_state_folder_that_cannot_be_made_holds_nothing_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCHTUI_STATE_DIR", str(folder / "jobs.jsonl" / "state"))
    tally.Tally(folder.name).note("a", 5)
    assert tally.read(folder.name).mark is None
