"""Jobs and submissions as the engine would hand them over."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from batchtui.backends.base import Job, Submission
from batchtui.backends.prompts.work import ChatWork


def job(index: int = 0, job_id: str = "", **work: Any) -> Job[ChatWork]:
    fields = work or {"model": "demo-small", "prompt": "hi"}
    return Job(index, job_id or f"row {index}", 1, "token-1", msgspec.convert(fields, ChatWork))


def submission(token: str = "token-1", **fields: Any) -> Submission:
    given = {"id": 1, "token": token, "batch_name": "invoices", "created": time.time(), **fields}
    return Submission(**given)
