"""jobs.jsonl: ids and rows of every shape, found by number and by id; damage is never a shorter list."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from batchtui.errors import NotFound, StoreDamaged
from batchtui.model import JobRecord, Json
from batchtui.store.files.jobs import JobTable, JobWriter
from tests.counting import calls

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
    opened: list[JobTable] = []
    # A few for each, however many there are.
    assert calls(lambda: opened.append(JobTable(path))) <= 40 * 100_000
    (table,) = opened
    assert len(table) == 100_000
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
        table = JobTable(path, 4)
        whole = sum(end <= cut for end in ends) - 1
        assert len(table) == 4
        assert [n for n in range(4) if table.ids[n] == f"job-{n}"] == list(range(max(0, whole)))
        assert bool(table.damage) == (cut < len(data)), cut


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
    table = JobTable(tmp_path / "jobs.jsonl", 2)
    assert len(table) == 2
    assert all("jobs.jsonl" in words for words in table.damage)
    assert table.damage
    with pytest.raises(StoreDamaged, match=r"jobs\.jsonl"):
        table.record(1)


def test_newer_and_missing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    assert "No such file" in JobTable(path).damage[0]
    path.write_bytes(b'{"schema":999,"file":"jobs"}\n')
    with pytest.raises(StoreDamaged, match="schema 999"):
        JobTable(path)


def test_a_lost_line_does_not_shift_the_others(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}") for n in range(9)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    table = JobTable(path, 9)
    assert f"byte {sum(map(len, lines[:3]))}" in table.damage[0]
    assert [table.ids[n] == f"job-{n}" for n in range(9)] == [n != 2 for n in range(9)]
    assert [table.record(n).id for n in (1, 3, 8)] == ["job-1", "job-3", "job-8"]
    with pytest.raises(StoreDamaged, match="job 3 is damaged or lost"):
        table.record(2)


def test_flipped_bytes_never_shift_a_job(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}", row={"text": 'a "b" \\'}) for n in range(20)])
    data = path.read_bytes()
    rng = random.Random(5)
    for _ in range(500):
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(flipped)
        table = JobTable(path, 20)
        assert len(table) == 20
        lost = 0
        for n in range(20):
            try:
                assert table.record(n) == JobRecord(n=n, id=f"job-{n}", row={"text": 'a "b" \\'})
            except StoreDamaged:
                lost += 1
        assert lost <= 2, "a newline that is lost takes two"


def test_a_changed_value_of_a_row_is_noticed(tmp_path: Path) -> None:
    path = _write(tmp_path, [JobRecord(n=n, id=f"job-{n}", row={"pay": 100 + n}) for n in range(3)])
    path.write_bytes(path.read_bytes().replace(b'"pay":101', b'"pay":901'))
    table = JobTable(path)
    assert [table.record(n).row for n in (0, 2)] == [{"pay": 100}, {"pay": 102}]
    with pytest.raises(StoreDamaged, match="checksum"):
        table.record(1)


def test_jobs_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(b'{"schema":1,"file":"jobs"}\n{"n":0,"id":"a","row":{"pay":1}}\n')
    assert JobTable(path).record(0) == JobRecord(n=0, id="a", row={"pay": 1})
