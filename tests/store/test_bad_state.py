"""Files that a crash, a copy or another program left in the data folder: each has its outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.model import Json
from batchtui.store.folder import BatchFolder, to_json
from batchtui.store.journal import seal
from batchtui.store.library import Library
from tests.store.store_help import HOSTILE, drive, make

CASES = json.loads((HOSTILE / "bad-state" / "index.json").read_text())


def _plant(folder: BatchFolder, case: dict[str, Json]) -> Path:
    data = (HOSTILE / "bad-state" / case["path"]).read_bytes()
    path = folder.path / case["target"].rstrip("+")
    if case["target"].endswith("+"):
        data = json.dumps(json.loads(path.read_bytes()) | json.loads(data)).encode()
    elif case["target"] == "events.jsonl" and case.get("frame", True):
        data = b"".join(_framed(n, line) for n, line in enumerate(data.splitlines(keepends=True), 1))
    path.write_bytes(data)
    return path


def _framed(number: int, line: bytes) -> bytes:
    if not line.startswith(b"{") or not line.endswith(b"}\n"):
        return line
    return seal({"seq": number, "time": "2026-11-21T07:00:00.000Z"} | json.loads(line))


@pytest.mark.parametrize("case", CASES, ids=[case["path"] for case in CASES])
def test_bad_state(tmp_path: Path, case: dict[str, Json]) -> None:
    other, made = make(tmp_path, name="other"), make(tmp_path)
    path = _plant(made, case)
    planted, outside = path.read_bytes(), sorted(tmp_path.parent.rglob("*escape*"))
    library = Library(tmp_path)
    assert {item.id for item in library.folders() if isinstance(item, BatchFolder)} >= {other.id}
    said = ""
    if case["outcome"] == "refused":
        with pytest.raises(StoreDamaged) as caught:
            library.open(made.id)
        said = str(caught.value)
    else:
        folder = library.open(made.id)
        status = folder.status(submissions=True)
        assert status.pending == case.get("pending", 6)
        if case["outcome"] == "read-only":
            with pytest.raises(StoreDamaged, match="only read") as caught:
                drive(folder)
            said = str(caught.value)
        else:
            assert not folder.damage
            assert folder.progress.fails[0] == case.get("fails", 0)
            writer = drive(folder)
            writer.save_header()
            writer.close()
            said = str(to_json(folder.status(submissions=True)))
    for words in case["mentions"]:
        assert words in said
    if case["outcome"] in ("refused", "read-only"):
        assert path.read_bytes() == planted
    if case["outcome"] == "kept":
        assert (
            json.loads(path.read_bytes()).items()
            >= json.loads((HOSTILE / "bad-state" / case["path"]).read_bytes()).items()
        )
    if case.get("aside"):
        (aside,) = made.path.glob("*.torn-*")
        assert planted.endswith(aside.read_bytes())
    if case.get("never"):
        assert case["never"] not in said + (made.path / "checkpoint.json").read_text()
    assert sorted(tmp_path.parent.rglob("*escape*")) == outside
