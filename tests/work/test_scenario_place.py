"""Whose output folder it is: taken over from the same source, never from somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.results.scenarios.files import MANIFEST
from batchtui.results.scenarios.place import MARK, claim, mark, own_place, place_of
from batchtui.store.disk.commit import Committer
from batchtui.store.writer import BatchWriter
from tests.work.stored_scenarios import batch


def test_a_batch_of_the_same_source_takes_it_over(tmp_path: Path) -> None:
    first, second = (batch(tmp_path, ["a"], out="out") for _ in range(2))
    out = tmp_path / "out"
    assert claim(first) == out == place_of(first)
    assert claim(second) == out == place_of(second)
    assert place_of(first) is None  # its tables may be others by now
    assert claim(second) == out


def test_not_while_another_batch_writes_there(tmp_path: Path) -> None:
    first, second = (batch(tmp_path, ["a"], out="out") for _ in range(2))
    claim(first)
    committer = Committer(lambda fault: None)
    driving = BatchWriter(first, committer, lambda batch_id: None)
    assert claim(second) == tmp_path / "out" / second.id == place_of(second)
    driving.close()
    committer.stop()
    assert claim(second) == tmp_path / "out" / second.id  # it stays where it began
    assert place_of(first) == tmp_path / "out"


def test_not_from_another_source(tmp_path: Path) -> None:
    first, second = batch(tmp_path, ["a"], out="out"), batch(tmp_path, ["a"], out="out", source="others.csv")
    claim(first)
    assert claim(second) == tmp_path / "out" / second.id
    assert place_of(first) == tmp_path / "out"


@pytest.mark.parametrize("name", ["job_x", "summary", "jobs.jsonl", MANIFEST, MARK])
def test_files_of_somebody_else_are_left_alone(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    folder = batch(tmp_path, ["a"], out="out")
    assert claim(folder) == out / folder.id
    assert (out / name).read_text() == "mine"


def test_a_folder_with_other_files_is_shared(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    assert claim(batch(tmp_path, ["a"], out="out")) == tmp_path / "out"


def test_what_went_elsewhere_is_brought_once_the_folder_can_be_written(tmp_path: Path) -> None:
    folder = batch(tmp_path, ["a"], out="file/out")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        claim(folder)
    own = own_place(folder)
    mark(own, folder)
    (own / "job_a").mkdir()
    (own / "job_a/result.json").write_text("{}")
    assert place_of(folder) == own
    (tmp_path / "file").unlink()
    assert claim(folder) == tmp_path / "file/out" == place_of(folder)
    assert (tmp_path / "file/out/job_a/result.json").read_text() == "{}"
    assert not own.exists()


def test_a_mark_that_makes_no_sense_is_nobodys(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    folder = batch(tmp_path, ["a"], out="out")
    (out / MARK).write_text(json.dumps({"file": "scenarios", "batch": "../../etc"}))
    assert claim(folder) == out / folder.id
