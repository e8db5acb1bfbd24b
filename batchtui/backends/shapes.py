"""What passes between the engine and a backend: jobs, submissions, what a poll says of them, and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from batchtui.backends.attachments.files import Attached
from batchtui.backends.places import RemoteJob
from batchtui.model import Json, Outcome, SubmissionState

W = TypeVar("W", bound=msgspec.Struct)
"""A kind's `Work`: the typed fields of its `[job]`."""

Note = Callable[[dict[str, Json]], None]
"""Journals a fact about the attempt or submission under way (a file id, a process id) before the next step."""


@dataclass(slots=True)
class Job(Generic[W]):
    """A job rendered and decoded, ready to send. `token` marks this attempt for the backend's own records.

    `files` are those that `[job] file` names; they hold data only while the job is sent (see `attachments.parts`).
    """

    index: int
    id: str
    attempt: int
    token: str
    work: W
    files: tuple[Attached, ...] = ()
    timeout: float | None = None
    """Seconds that a direct job may take; kept by the engine, or by a backend that `times_itself`."""


SAID = "said"
"""Among a submission's facts: what the backend said of it as a whole, for jobs that have no answer of their own."""
DOING = "doing"
"""Among a submission's facts: what it is at while it runs, in words to show."""
LOGS = "logs"
"""Among a submission's facts: a folder of `NAME.out`, what its programs print, to be shown in the log."""


@dataclass(slots=True)
class Submission:
    """A slice of a batch on one backend. `facts` are what `note` journaled so far (file ids and the like)."""

    id: int
    token: str
    batch_name: str
    created: float
    """Unix seconds at which the intent was journaled."""
    remote_id: str | None = None
    facts: dict[str, Json] = field(default_factory=dict)
    jobs: int = 0
    others: frozenset[str] = frozenset()
    """For `find`: remote ids that are known to be other submissions'."""
    wanted: tuple[RemoteJob, ...] | None = None
    """For `results` of a kind that grows: the jobs whose answers are not stored yet; None: all."""
    early: bool = False
    """For `results` of a kind that answers early: the submission still runs, so only what is new since it was asked."""
    look: int = 1
    """For `results`: the how manyth reading this is. From the second on the backend checks what it is told."""
    timeout: float | None = None
    """Seconds that one job may take, and how often it is tried again: for kinds that see to it where the job runs."""
    retries: int = 0
    concurrency: int | None = None
    """How much of it may run at once; None: the batch does not say."""
    answer: Path | None = None
    """For `results`: the file that holds what its create was answered with, where that was `Answered`."""


@dataclass(slots=True)
class Answered:
    """What a create came back with where the work was done at once: on the disk before anybody hears of it.

    `ending` is that of its file's name. Nothing of it is known there under an id.
    """

    body: bytes
    ending: str = "json"


@dataclass(slots=True)
class Progress:
    """What a poll says of one submission. `state`: submitted, processing, cancelling or ended."""

    state: SubmissionState
    completed: int | None = None
    failed: int | None = None
    total: int | None = None
    ended_as: str | None = None
    """The backend's own word for how it ended: completed, failed, expired, cancelled."""
    error: str | None = None
    expires: str | None = None
    facts: dict[str, Json] = field(default_factory=dict)
    """New facts to keep (output file ids), merged into the submission's."""
    after: float | None = None
    """Seconds after which the backend asks to be asked again, and no sooner; None: it does not say."""


@dataclass(slots=True)
class Answer:
    """One row of a submission's results. `job_id` is the id that we gave; `raw` the line as it came."""

    job_id: str
    outcome: Outcome
    raw: str = ""
    unreadable: bool = False
    """The line of the job is there and cannot be read; another download may have it whole."""
    again: bool = False
    """It surely runs no more, through no fault of its own: put back by itself, as often as the batch's `retries`."""
