"""jobs.jsonl: ids and rows of every shape, found by number and by id; damage is never a shorter list."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import pytest

from batchtui.errors import NotFound, StoreDamaged
from batchtui.model import JobRecord, Json
from batchtui.store.jobs import JobTable, JobWriter

IDS = [
    "plain", "", 'quo"te', "back\\slash", "\\", '\\"', '","id":"', '{"n":0,"id":"x"', "a\nb", "\t\x00\x1b", "é", "e\u0301",
    "\ud83d", "\udc00 tail", "💥", "\u2028", "x" * 5000, "true", "1", "../../escape", " ", "Job", "job",
]  # fmt: skip


def _write(path: Path, records: list[JobRecord]) -> Path:
    writer = JobWriter(path / "jobs.jsonl")
    for record in records:
        writer.add(record)
    writer.close()
    assert writer.count == len(records)
    return path / "jobs.jsonl"


def test_any_id_comes_back(tmp_path: Path) -> None:
    table = JobTable(_write(tmp_path, [JobRecord(n=n, id=id_) for n, id_ in enumerate(IDS)]))
    assert table.ids == IDS
    assert len(table) == len(IDS)
    for n, id_ in enumerate(IDS):
        assert table.number(id_) == n
        assert table.record(n).id == id_
    assert table.number("nothing of the kind") is None
    for n in (-1, len(IDS)):
        with pytest.raises(NotFound):
            table.record(n)


@pytest.mark.parametrize(
    "row",
    [{}, {"id": "other", "n": 5}, {"\ud83d": "\udc00"}, {"text": "x" * 1_000_000}, {"deep": [[[{"a": None}]]]}, {"big": 10**25}],
    ids=["empty", "shadow", "lone-halves", "megabyte", "deep", "big"],
)  # fmt: skip
def test_any_row_comes_back(tmp_path: Path, row: dict[str, Json]) -> None:
    full = JobRecord(
        n=0,
        id="a",
        row=row,
        line=7,
        sweep={"max_tokens": 5},
        name="\ud83d",
        backend="b",
        group="g",
        size=3,
        tokens=(4, 5),
    )
    table = JobTable(_write(tmp_path, [full, JobRecord(n=1, id="b")]))
    assert table.record(0) == full
    assert table.record(1) == JobRecord(n=1, id="b")


def test_a_hundred_thousand_jobs(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}", row={"text": f"row {n}"}) for n in range(100_000)])
    start = time.perf_counter()
    table = JobTable(path)
    assert len(table) == 100_000
    assert time.perf_counter() - start < 5
    for n in (0, 499, 500, 99_999):
        assert table.record(n).row == {"text": f"row {n}"}
        assert table.number(f"job-{n}") == n


def test_no_jobs(tmp_path: Path) -> None:
    assert JobTable(_write(tmp_path, [])).ids == []


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}") for n in range(4)])
    data = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        if cut in ends:  # whole lines: the header's count tells
            assert len(JobTable(path)) == ends.index(cut)
        else:
            with pytest.raises(StoreDamaged, match=r"jobs\.jsonl"):
                JobTable(path)


@pytest.mark.parametrize(
    "data",
    [
        b"", bytes(100), b"\n", b"[]\n", b'{"schema":"x"}\n', b'{"n":0,"id":"a"}\n', b'{"schema":1}\n\n',
        b'{"schema":1}\n{"n":1,"id":"a"}\n', b'{"schema":1}\n{"n":0,"id":"\\q"}\n', b'{"schema":1}\n{"n":0,"id":"\xff"}\n',
        b'{"schema":1}\n{"n":0,"id":"a}\n',
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "jobs.jsonl").write_bytes(data)
    with pytest.raises(StoreDamaged, match=r"jobs\.jsonl"):
        JobTable(tmp_path / "jobs.jsonl")


def test_newer_and_missing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    with pytest.raises(StoreDamaged, match="No such file"):
        JobTable(path)
    path.write_bytes(b'{"schema":999,"file":"jobs"}\n')
    with pytest.raises(StoreDamaged, match="schema 999"):
        JobTable(path)


def test_a_lost_line_does_not_shift_the_others(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}") for n in range(9)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(StoreDamaged, match=f"byte {sum(map(len, lines[:3]))}"):
        JobTable(path)


def test_flipped_bytes_never_shift_a_job(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}", row={"text": 'a "b" \\'}) for n in range(20)])
    data = path.read_bytes()
    rng = random.Random(5)
    for _ in range(500):
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(flipped)
        with contextlib.suppress(StoreDamaged):
            table = JobTable(path)
            assert len(table) == 20
            for n in range(20):
                assert table.record(n).n == n
