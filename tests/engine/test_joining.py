"""Whose answer an answer is, where a job was sent more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.backends import registry
from batchtui.backends.base import Remote
from batchtui.engine.shared.joining import Joiner
from batchtui.store.fold.progress import SubmissionRecord
from tests.store.store_help import make

TOKENS = ("bench-1-0123abcd", "bench-2-4567ef89")


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini", "slurm"])
def test_a_job_that_was_sent_again_is_answered_by_its_last_submission_alone(
    tmp_path: Path, kind: str
) -> None:
    where = {"folder": str(tmp_path)} if kind == "slurm" else {"base_url": "http://127.0.0.1:9"}
    backend = registry.build("b", {"kind": kind, **where}, None)
    assert isinstance(backend, Remote)
    jobs = make(tmp_path / "data", 5).jobs
    first = SubmissionRecord(id=1, backend="b", token=TOKENS[0], jobs="0-3", created="")
    again = SubmissionRecord(id=2, backend="b", token=TOKENS[1], jobs="1,3-4", created="")
    sent = [[backend.wire_id(n, jobs.ids[n], token) for n in range(5)] for token in TOKENS]
    late = Joiner(backend, jobs, first, [again])
    assert [late.number(one) for one in sent[0]] == [0, None, 2, None, None]
    last = Joiner(backend, jobs, again, [])
    assert [last.number(one) for one in sent[1]] == [None, 1, None, 3, 4]
