"""checkpoint.json: whatever is wrong with it, the journal gives the same answer."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.model import Json
from batchtui.store.files import checkpoint, journal
from batchtui.store.folder import BatchFolder
from tests.store.store_help import again, drive, make, picture, session


@pytest.fixture
def saved(tmp_path: Path) -> BatchFolder:
    folder = make(tmp_path)
    writer = drive(folder)
    session(writer)
    writer.record("start", n=0, **{"try": 2})
    writer.record("trace", n=0, facts={"pid": 7, "\ud83d": None})
    writer.record("attention", kind="key", text="refused \ud83d", actions=["release"])
    writer.checkpoint().result(10)
    writer.record("start", n=1, **{"try": 2})
    writer.close()
    return folder


def _document(folder: BatchFolder) -> dict[str, Json]:
    document: dict[str, Json] = json.loads((folder.path / "checkpoint.json").read_bytes())
    del document["crc"]
    return document


def _rebuilt_the_same(folder: BatchFolder) -> None:
    assert checkpoint.load(folder.path / "checkpoint.json", 6) is None
    read = again(folder)
    assert picture(read.progress) == picture(folder.progress)
    assert not read.damage


def test_loaded_it_equals_the_fold(saved: BatchFolder) -> None:
    path = saved.path / "checkpoint.json"
    loaded = checkpoint.load(path, 6)
    assert loaded is not None
    assert picture(again(saved).progress) == picture(saved.progress)
    path.unlink()
    assert picture(again(saved).progress) == picture(saved.progress)


def test_what_follows_it_is_folded_on(saved: BatchFolder) -> None:
    size = (saved.path / "events.jsonl").stat().st_size
    writer = drive(again(saved))
    writer.record("start", n=2, **{"try": 9})
    writer._since_checkpoint = 0  # close as a killed process would: without a checkpoint
    writer.close()
    loaded = checkpoint.load(saved.path / "checkpoint.json", 6)
    assert loaded is not None
    assert loaded[1] == size
    assert again(saved).progress.tries[2] == 9


def test_every_flipped_byte_is_noticed(saved: BatchFolder) -> None:
    path = saved.path / "checkpoint.json"
    data = path.read_bytes()
    rng = random.Random(11)
    for at in rng.sample(range(len(data) - 1), 150):
        flipped = bytearray(data)
        flipped[at] ^= rng.randrange(1, 256)
        path.write_bytes(flipped)
        _rebuilt_the_same(saved)


@pytest.mark.parametrize("data", [b"", bytes(512), b"[]", b"{}", b"{", b"null\n", b"\xff\xfe"])
def test_damaged(saved: BatchFolder, data: bytes) -> None:
    (saved.path / "checkpoint.json").write_bytes(data)
    _rebuilt_the_same(saved)


def test_cut(saved: BatchFolder) -> None:
    data = (saved.path / "checkpoint.json").read_bytes()
    for length in range(0, len(data), 97):
        (saved.path / "checkpoint.json").write_bytes(data[:length])
        _rebuilt_the_same(saved)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 999), ("schema", "1"), ("total", 7), ("total", -1), ("journal", -5),
        ("journal", 1.5), ("journal", "0"), ("states", "ppp"), ("states", "pppppz"), ("states", "ppppp\x07"),
        ("states", None), ("tries", [0, 0, 0, 0, 0, 70000]), ("tries", [0, 0, 0, 0, 0, -1]), ("tries", "000000"),
        ("fails", {"6": 1}), ("fails", {"x": 1}), ("fails", {"1": 256}), ("fails", []), ("offsets", [1]),
        ("offsets", [1 << 64] * 6), ("errors", {"1": 5}), ("errors", None), ("traces", {"1": "x"}),
        ("submissions", [{"id": "x"}]), ("submissions", {}), ("attention", [{"kind": 1}]), ("scalars", {}),
    ],
)  # fmt: skip
def test_of_another_shape(saved: BatchFolder, key: str, value: Json) -> None:
    (saved.path / "checkpoint.json").write_bytes(journal.seal(_document(saved) | {key: value}))
    _rebuilt_the_same(saved)


@pytest.mark.parametrize(
    ("name", "value"),
    [("seq", "x"), ("seq", -1), ("results_end", None), ("cost_nano", 0.5), ("priced", 1), ("started", 5)],
)
def test_scalars_of_another_type(saved: BatchFolder, name: str, value: Json) -> None:
    document = _document(saved)
    document["scalars"][name] = value
    (saved.path / "checkpoint.json").write_bytes(journal.seal(document))
    _rebuilt_the_same(saved)


def test_a_key_that_is_missing(saved: BatchFolder) -> None:
    whole = _document(saved)
    for key in whole:
        (saved.path / "checkpoint.json").write_bytes(
            journal.seal({k: v for k, v in whole.items() if k != key})
        )
        _rebuilt_the_same(saved)


def test_past_the_end_of_the_journal(saved: BatchFolder) -> None:
    path = saved.path / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]))
    read = again(saved)
    assert picture(read.progress) == picture(saved.progress), "what is known is shown"
    assert "lines at its end are lost" in read.damage[0]
    with pytest.raises(StoreDamaged, match="only read until that is settled"):
        drive(again(saved))


def test_a_folder_in_its_place(saved: BatchFolder) -> None:
    (saved.path / "checkpoint.json").unlink()
    (saved.path / "checkpoint.json").mkdir()
    _rebuilt_the_same(saved)
