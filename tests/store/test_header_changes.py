"""What a person decided stands in the journal as well: batch.json is a snapshot that can be made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.store.files.header import read_header, write_header
from batchtui.store.files.header_changes import journaled
from tests.store.store_help import again, drive, make


def test_every_decision_is_in_the_journal(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    header = writer.folder.header
    header.cancelling, header.tags, header.archived, header.name = True, ["a", "b"], True, "renamed"
    writer.save_header()
    header.tags = []
    writer.save_header()
    writer.close()
    assert journaled(folder.path) == read_header(folder.path)
    events = [event for event in again(folder).events() if event["event"] == "header"]
    assert events[1]["set"] == {"cancelling": True, "tags": ["a", "b"], "archived": True, "name": "renamed"}
    assert events[2]["set"] == {"tags": []}


@pytest.mark.parametrize("left", [b"", b"{", bytes(200), b'{"schema":1}', None])
def test_a_header_that_is_lost_is_shown_as_the_journal_has_it(tmp_path: Path, left: bytes | None) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    writer.folder.header.tags = ["kept"]
    writer.save_header()
    writer.close()
    path = folder.path / "batch.json"
    path.write_bytes(left) if left is not None else path.unlink()
    read = again(folder)
    assert (read.header.name, read.header.tags, read.header.total) == ("invoices", ["kept"], 6)
    assert read.status().total == 6
    assert "batch.json" in read.damage[0]
    with pytest.raises(StoreDamaged, match="only read until that is settled"):
        drive(read)
    assert (path.read_bytes() if path.exists() else None) == left, "nothing is written without being asked"


def test_a_batch_that_was_never_driven_has_its_header_in_its_file_alone(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder.path / "batch.json").write_bytes(b"")
    with pytest.raises(StoreDamaged, match="it is empty"):
        again(folder)


def test_a_decision_that_reached_the_journal_alone_counts(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    before = (folder.path / "batch.json").read_bytes()
    writer.folder.header.cancelling = True
    writer.save_header()
    writer.close()
    (folder.path / "batch.json").write_bytes(before)  # the machine stopped between the two
    read = again(folder)
    _ = read.progress
    assert read.header.cancelling


def test_what_an_earlier_version_wrote_into_the_file_since_counts(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    writer.close()
    document = json.loads((folder.path / "batch.json").read_bytes())
    (folder.path / "batch.json").write_text(json.dumps(document | {"archived": True}))
    read = again(folder)
    _ = read.progress
    assert read.header.archived
    writer = drive(read)
    writer.save_header()
    writer.close()
    known = journaled(folder.path)
    assert known is not None
    assert known.archived


def test_a_batch_of_an_earlier_version_learns_its_header_when_it_is_driven(tmp_path: Path) -> None:
    folder = make(tmp_path)
    document = json.loads((folder.path / "batch.json").read_bytes())
    document.pop("seq")
    (folder.path / "batch.json").write_text(json.dumps(document))
    assert journaled(folder.path) is None
    drive(again(folder)).close()
    assert journaled(folder.path) == read_header(folder.path)


def test_a_header_that_is_written_as_it_is_needs_no_event(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    count = len(writer.folder.events())
    writer.save_header()
    writer.save_header()
    assert len(writer.folder.events()) == count
    writer.close()
    write_header(folder.path, read_header(folder.path))
    assert again(folder).header == folder.header
