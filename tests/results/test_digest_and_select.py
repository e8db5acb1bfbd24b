"""Reading a stored batch: causes of failure, and results by query."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.model import BatchSpec, JobRecord, JobState, Outcome
from batchtui.results.export.file import flat_columns
from batchtui.results.reading.digest import digest, members, normalise
from batchtui.results.reading.query import parse
from batchtui.results.reading.select import select
from batchtui.store.disk.commit import Committer
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter


@pytest.fixture
def folder(tmp_path: Path) -> BatchFolder:
    """Ten jobs: 0 to 5 failed for two causes, 6 and 7 completed, 8 and 9 pending."""
    draft = Library(tmp_path).draft()
    for n in range(10):
        draft.jobs.add(JobRecord(n=n, id=f"job-{n}", row={"n": n} if n < 9 else {"n": n, "extra": "x"}))
    header = BatchHeader(
        id=draft.id, name="x", backend="local", kind="local", remote=False, created="2026-01-01T00:00:00.000Z",
        total=10, spec=BatchSpec(), template={}, template_hash="", base=str(tmp_path),
    )  # fmt: skip
    folder = draft.keep(header)
    committer = Committer()
    writer = BatchWriter(folder, committer, lambda _: None)
    for n in range(6):
        text = f"Rate limit for org-{n}a8f33c1: try again in {n}.{n} s" if n < 4 else f'No file "f{n}.pdf"'
        kind = "rate_limit" if n < 4 else "input"
        writer.store(n, 1, f"job-{n}", Outcome(state=JobState.FAILED, error=text, error_kind=kind))
    for n in (6, 7):
        writer.store(n, 1, f"job-{n}", Outcome(state=JobState.COMPLETED, raw_response=f"answer {n}"))
    writer.close()
    committer.stop()
    return folder


def test_one_group_a_cause(folder: BatchFolder) -> None:
    groups = digest(folder)
    assert [(group.count, group.error_kind, group.example) for group in groups] == [
        (4, "rate_limit", "job-0"),
        (2, "input", "job-4"),
    ]
    assert groups[0].error == "Rate limit for org-0a8f33c1: try again in 0.0 s"
    assert groups[0].states == {"failed": 4}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 5: no column 'a'", "row 12: no column 'b'"),
        ("at https://a.example/x?y=1 after 30 s", "at https://b.example after 1.5 s"),
        ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "id 6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("request req_01AbCdEf23", "request req_99ZzYyXx11"),
        ("row 3 is odd at 0x5ccd", "row 503 is odd at 0x3cc799"),
        ("request 5f-1c2ab09d77e1", "request 61-000000000012"),
        ("KeyError: 'no such row 7'", "KeyError: 'no such row 8'"),
    ],
)
def test_what_changes_from_job_to_job_does_not_count(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_different_causes_stay_apart() -> None:
    assert normalise("not found: model") != normalise("not allowed: model")
    assert normalise("KeyError: 'no such row 7'") != normalise("KeyError: 'no such file 7'")


def test_the_jobs_of_a_cause_are_those_that_were_counted(folder: BatchFolder) -> None:
    columns = folder.columns()
    for group in digest(folder):
        assert len(members(columns, (group.error_kind, group.pattern))) == group.count


def test_select_keeps_source_order_and_unfinished_jobs(folder: BatchFolder) -> None:
    assert [result.job_id for result in select(folder)] == [f"job-{n}" for n in range(10)]
    assert [result.job_id for result in select(folder, finished=True)] == [f"job-{n}" for n in range(8)]
    assert [result.job_id for result in select(folder, parse("status:completed"))] == ["job-6", "job-7"]
    assert [result.job_id for result in select(folder, parse("row.n>=8"))] == ["job-8", "job-9"]


def test_a_damaged_line_costs_one_result(folder: BatchFolder) -> None:
    path = folder.path / "results.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"raw_response":"answer 6"', b'"raw_response":"answer 6 '))
    found = {result.job_id: result for result in select(folder)}
    assert len(found) == 10
    assert found["job-6"].error_kind == "damaged"
    assert found["job-7"].raw_response == "answer 7"


def test_flat_columns_take_the_rows_apart(folder: BatchFolder) -> None:
    columns = flat_columns(folder)
    assert columns.index("row.n") + 1 == columns.index("row.extra")
    assert "row" not in columns
