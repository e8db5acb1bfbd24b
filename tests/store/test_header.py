"""batch.json: a header that cannot be trusted is named, never rewritten, and hides no other batch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.store.files.header import read_header
from batchtui.store.library import Library
from tests.store.store_help import again, drive, make


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"), (bytes(512), "zero bytes"), (b'{"schema": 1, "id": ', "cut off"), (b"[]", "object"),
        (b'{"schema": 999}', "schema 999"), (b'{"schema": 0}', "schema 0"), (b'{"id": "x"}', "no schema"),
        (b'{"schema": "1"}', "cannot be read"), (b'{"schema": true}', "schema"), (b'{"schema": 1}', "missing"),
        (b"\xff\xfe{}", "cannot be read"), (b"[" * 200_000, "cannot be read"), (b'{"schema": 1, "total": "x"}', "read"),
    ],
)  # fmt: skip
def test_a_damaged_header_is_named_and_left(tmp_path: Path, data: bytes, words: str) -> None:
    bad, good = make(tmp_path), make(tmp_path, name="other")
    (bad.path / "batch.json").write_bytes(data)
    found = list(Library(tmp_path).folders())
    assert [item.id for item in found if not isinstance(item, StoreDamaged)] == [good.id]
    (fault,) = (item for item in found if isinstance(item, StoreDamaged))
    assert str(bad.path / "batch.json") in str(fault)
    assert words in str(fault)
    with pytest.raises(StoreDamaged):
        Library(tmp_path).find(bad.id)
    assert Library(tmp_path).find("other").id == good.id
    assert (bad.path / "batch.json").read_bytes() == data
    assert sorted(file.name for file in bad.path.iterdir()) == ["batch.json", "jobs.jsonl"]


def test_a_missing_header(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder.path / "batch.json").unlink()
    with pytest.raises(StoreDamaged, match=r"batch\.json: missing"):
        Library(tmp_path).open(folder.id)


def test_a_copied_folder_is_not_driven_beside_its_origin(tmp_path: Path) -> None:
    import shutil

    folder = make(tmp_path)
    shutil.copytree(folder.path, folder.path.with_name("copied"))
    with pytest.raises(StoreDamaged, match=folder.id):
        Library(tmp_path).open("copied")


def test_flags_are_kept_and_seen_by_readers(tmp_path: Path) -> None:
    folder = make(tmp_path)
    reader = again(folder)
    writer = drive(folder)
    folder.header.tags = ["\ud83d", "märz"]
    folder.header.paused = True
    writer.save_header()
    writer.close()
    assert reader.refresh()
    assert (reader.header.tags, reader.header.paused) == (["\ud83d", "märz"], True)
    assert reader.header == folder.header


def test_keys_that_are_not_known_survive_a_rewrite(tmp_path: Path) -> None:
    folder = make(tmp_path)
    path = folder.path / "batch.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"future": {"a": 1}}))
    read = again(folder)
    writer = drive(read)
    read.header.archived = True
    writer.save_header()
    writer.close()
    raw = json.loads(path.read_text())
    assert raw["future"] == {"a": 1}
    assert read_header(folder.path).archived


def test_fewer_jobs_than_the_header_says(tmp_path: Path) -> None:
    folder = make(tmp_path)
    lines = (folder.path / "jobs.jsonl").read_bytes().splitlines(keepends=True)
    (folder.path / "jobs.jsonl").write_bytes(b"".join(lines[:-1]))
    read = again(folder)
    assert "holds 5 of 6 jobs" in read.jobs.damage[0]
    assert [read.result(n).error_kind for n in range(6)] == [None] * 5 + ["damaged"]
