"""P13: a store of an earlier version goes on where it was; one of a later version is read, and not touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.model import JobState
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import prove
from batchtui.store.library import Library
from tests.engine.bench import Bench
from tests.promises.damages import newer, newer_lines
from tests.promises.inside import Inside
from tests.store.store_help import drive, make, session

OLD = Path(__file__).parents[1] / "data/old_stores"
VERSIONS = {
    "vtz6jq": "before results and jobs had checksums",
    "nkra3p": "before the journal had what the header says",
    "h3w2a4": "before a batch knew which files are its own",
}
"""Left by a driver that was killed with two of four jobs done, each by the program as it was then."""
LOCKS = ("lock", "holder.json")


def _files(folder: Path) -> dict[str, bytes]:
    """All that a wish or a driver would change."""
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name not in LOCKS
    }


@pytest.mark.parametrize("batch_id", VERSIONS)
def test_p13_an_older_store_goes_on_and_keeps_every_line(tmp_path: Path, batch_id: str) -> None:
    path = tmp_path / "data/batches" / batch_id
    shutil.copytree(OLD / batch_id, path)
    before = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    folder = BatchFolder(path)
    assert folder.status().completed == 2
    assert [folder.result(n).raw_response for n in (0, 1)] == ["one\n", "two\n"]
    assert not folder.damage
    assert prove(path).faults == []
    assert {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()} == before
    bench = Bench(tmp_path)
    try:
        folder = bench.drive(batch_id)
    finally:
        bench.close()
    assert [folder.result(n).raw_response for n in range(4)] == ["one\n", "two\n", "three\n", "four\n"]
    for name in ("jobs.jsonl", "events.jsonl", "results.jsonl"):
        assert (path / name).read_bytes().startswith(before[name]), name
    header = json.loads((path / "batch.json").read_bytes())
    assert header.items() >= {key: header[key] for key in json.loads(before["batch.json"])}.items()
    assert prove(path).faults == []


def test_p13_a_newer_batch_that_was_never_driven_is_shown_and_not_driven(tmp_path: Path) -> None:
    """Its journal has nothing yet: what its header says in words of this version is all that there is."""
    made = make(tmp_path / "data")
    newer(made.path / "batch.json")
    before = _files(made.path)
    (tmp_path / "config.toml").touch()
    batchtui = Inside(tmp_path / "data", tmp_path / "config.toml")
    for command in ("list", "status", "results"):
        ran = batchtui(command, *(() if command == "list" else (made.id,)))
        assert ran.code == 1, ran
        assert ("job-0" if command == "results" else "invoices") in ran.out, ran
        assert "newer batchtui (schema 99); update to drive it" in ran.err, ran
        assert "--repair" not in ran.err, ran
    for command in ("resume", "cancel", "pause", "archive", "tag"):
        ran = batchtui(command, made.id, *(("a",) if command == "tag" else ()))
        assert ran.code == 1, (command, ran)
        assert "newer batchtui" in ran.out + ran.err, (command, ran)
    assert _files(made.path) == before


def test_p13_a_newer_store_is_read_and_not_rewritten(tmp_path: Path) -> None:
    made = make(tmp_path / "data")
    writer = drive(made)
    session(writer)
    writer.close()
    newer(made.path / "batch.json")
    before = _files(made.path)
    folder = Library(tmp_path / "data").open(made.id)
    assert folder.columns().state(0) is JobState.COMPLETED
    assert folder.result(0).raw_response == "ok"
    with pytest.raises(StoreDamaged, match="newer batchtui"):
        drive(folder)
    (tmp_path / "config.toml").touch()
    batchtui = Inside(tmp_path / "data", tmp_path / "config.toml")
    for command in (("list",), ("resume", made.id), ("cancel", made.id), ("fsck", made.id, "--repair")):
        ran = batchtui(*command)
        assert ran.code == 1, (command, ran)
        assert "newer batchtui" in ran.out + ran.err, (command, ran)
    assert _files(made.path) == before


@pytest.mark.parametrize("name", ["jobs.jsonl", "events.jsonl", "results.jsonl"])
def test_p13_a_store_with_one_newer_file_is_not_mended(tmp_path: Path, name: str) -> None:
    made = make(tmp_path / "data")
    writer = drive(made)
    session(writer)
    writer.close()
    newer_lines(made.path / name)
    before = _files(made.path)
    (tmp_path / "config.toml").touch()
    batchtui = Inside(tmp_path / "data", tmp_path / "config.toml")
    for command in (("fsck", made.id, "--repair"), ("cancel", made.id)):
        ran = batchtui(*command)
        assert ran.code == 1, (command, ran)
        assert "newer batchtui" in ran.out + ran.err, (command, ran)
    for command in (("list",), ("status", made.id), ("fsck", made.id)):
        ran = batchtui(*command)
        assert "--repair" not in ran.out + ran.err, (command, ran)
    assert _files(made.path) == before
