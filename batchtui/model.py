"""The nouns: jobs, batches, submissions, results, and what a batch file says. No I/O, no imports of ours.

Shapes that leave the program (`BatchStatus`, `SubmissionStatus`, `Result`) are promises:
their field names are what `--json` prints.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import msgspec

Json: TypeAlias = Any
"""A value as JSON holds it: its shape is the user's or the provider's, not ours."""


class JobState(StrEnum):
    PENDING = "pending"
    """Not sent yet, or put back to be tried again."""
    PROCESSING = "processing"
    """With a backend now, or running here."""
    COMPLETED = "completed"
    """An answer came and it is as asked."""
    INVALID = "invalid"
    """An answer came but it breaks the batch's schema."""
    FAILED = "failed"
    """No answer: the error says why."""
    EXPIRED = "expired"
    """The backend's or the batch's time ran out."""
    CANCELLED = "cancelled"
    """Ended before it gave a result."""


JOB_STATES: tuple[JobState, ...] = tuple(JobState)
"""Order matters on disk: columns hold a state as its index here."""
LIVE_JOB_STATES = frozenset({JobState.PENDING, JobState.PROCESSING})
UNSUCCESSFUL_JOB_STATES = frozenset({JobState.INVALID, JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED})


class BatchState(StrEnum):
    DRAFT = "draft"
    """Being written; it is no batch yet."""
    PENDING = "pending"
    """No job has been sent yet."""
    PROCESSING = "processing"
    """Some job is not done."""
    CANCELLING = "cancelling"
    """A cancel was asked; the backend has not said its word yet."""
    COMPLETED = "completed"
    """Nothing is live, and at least one job completed: the counts tell of the others."""
    FAILED = "failed"
    """Nothing is live, and no job completed."""
    CANCELLED = "cancelled"
    """Nothing is live, and a cancel was asked, or every job was cancelled where it ran."""


ENDED_BATCH_STATES = frozenset({BatchState.COMPLETED, BatchState.FAILED, BatchState.CANCELLED})


class SubmissionState(StrEnum):
    PLANNED = "planned"
    """Its jobs are chosen; nothing is sent."""
    WAITING = "waiting"
    """Held back, for the reason that is shown."""
    SENDING = "sending"
    """On its way: its intent is on the disk."""
    UNSURE = "unsure"
    """It may have been made: it is looked up, never repeated blindly."""
    SUBMITTED = "submitted"
    """Made: its id there is on the disk."""
    PROCESSING = "processing"
    """At work there."""
    CANCELLING = "cancelling"
    """A cancel was asked there."""
    ENDED = "ended"
    """Ended there; its results are not all here yet."""
    COLLECTED = "collected"
    """Everything that it gave is stored here."""


LIVE_REMOTELY = frozenset(
    {SubmissionState.SUBMITTED, SubmissionState.PROCESSING, SubmissionState.CANCELLING, SubmissionState.ENDED}
)
"""The backend holds it and has not yet given everything back."""
UNSENT = frozenset({SubmissionState.PLANNED, SubmissionState.WAITING})
"""Nothing was made at the backend, or surely nothing is left of it."""


# ---- what a batch file says ------------------------------------------------------------------


class SourceSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[source]`: where the rows come from."""

    file: str
    """A table, a folder, a manifest, a provider's file of requests; `-` is standard input. A template has no
    place here.
    """
    id: str | None = None
    """A template of each job's id; without it a column `id` (or `custom_id` and the like), else 1, 2, 3 …"""
    rows: str | None = None
    """Where in a JSON document the rows are, as `data.items`."""
    sheet: str | None = None
    """Of a spreadsheet; its first one where none is named."""
    encoding: str | None = None
    """Such as `cp1252`; UTF-8 where nothing is said."""
    separator: str | None = None
    """Of a table: `;`, `,`, `tab` …; found by itself where nothing is said."""
    decimal: str | None = None
    """`,` where a table writes 1,5 for one and a half."""
    skip: int | None = None
    """Rows left out at the beginning; then `where` chooses, then they are shuffled, then comes `limit`."""
    where: str | None = None
    """A filter over the row's columns, as `status=open price>5`."""
    limit: int | None = None
    """At most so many rows, after everything else."""
    shuffle: bool = False
    """Whether the rows are shuffled."""
    seed: int | None = None
    """Of the shuffling: the same seed gives the same order."""


class LimitsSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[limits]`. Durations are seconds or text such as `90s`, `2h`; None means the kind's default."""

    cost_usd: float | None = None
    """US dollars that are never passed, counting what is in flight."""
    time: str | float | None = None
    """From the first submit on, by the clock: from 10s to 24h."""
    concurrency: int | None = None
    """Jobs at once of what is sent or run one by one; on Slurm elements of an array."""
    jobs_per_submission: int | None = None
    """Jobs of one batch at the provider, where the provider does not take less."""
    submissions_at_once: int | None = None
    """Batches that live at the provider at a time."""
    timeout: str | float | None = None
    """Of one job that is sent or run one by one."""
    retries: int | None = None
    """Tries after the first, for what is worth another."""
    error_policy: str | None = None
    """`continue`, or `stop`: nothing more is sent once a job has failed."""
    canary: int | None = None
    """So many jobs first; the rest waits for `resolve ID release`."""


class OutputSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[output]`."""

    dir: str | None = None
    """A folder for a file a result, when the batch has ended; for tasks the folder of their tables."""
    raw: bool = True
    """Whether what the provider said goes there as well, under `raw_files/`."""


NoticeEvent: TypeAlias = Literal["ended", "failed", "person", "budget", "expiry"]
"""What somebody is told of a batch: its end; an end with jobs that did not complete; that it waits for a person; that a
share of its budget is spent, or the budget holds jobs back; that a submission is about to expire."""


class NotifySpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[notify]` of a batch file. It names receivers of the configuration and holds none."""

    on: list[NoticeEvent] | None = None
    """What is told of this batch, in place of what its receivers say; an empty list: nothing."""
    to: list[str] | None = None
    """Who is told: `bell`, `osc`, `desktop`, `command`, `webhook`, or names of `[notify.rules.NAME]`. Left out: those
    whose rule the batch fits.
    """
    budget: float | None = None
    """The share of `cost_usd` from which on it is told, in place of the configuration's."""


class BatchSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A batch file, decoded. `job` stays as written: its keys belong to the kind, its strings are templates."""

    name: str = ""
    """What the batch is called; without it the file's own name."""
    backend: str | None = None
    """Where jobs run: a backend of the configuration. Left out: the configuration's default, or what each job
    says.
    """
    source: SourceSpec | None = None
    """Where the rows come from; without it the batch is one job."""
    job: dict[str, Json] = {}
    """What a job does: its keys belong to the backend's kind, its texts are templates."""
    sweep: dict[str, list[Json]] = {}
    """A list for a key of `[job]`, or for `backend`: a job of every combination."""
    limits: LimitsSpec = msgspec.field(default_factory=LimitsSpec)
    """What the batch may cost, how long it may take, how much goes at once."""
    output: OutputSpec = msgspec.field(default_factory=OutputSpec)
    """What is written when the batch has ended."""
    notify: NotifySpec | None = None
    """Of what is told, and to whom; left out: as the configuration says."""


_DURATION = re.compile(
    r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?"
)


def seconds(duration: str | float) -> float:
    """Seconds of `90`, `"90"`, `"90s"`, `"2h"`, `"1h30m"`, `"1d"`. Raises ValueError."""
    if isinstance(duration, bool):
        raise ValueError("expected a duration such as 90s or 2h")
    if isinstance(duration, int | float):
        value = float(duration)
    else:
        match = _DURATION.fullmatch(duration.strip())
        if not match or not any(match.groups()):
            raise ValueError(f'"{duration}" is not a duration such as 90s, 15m or 2h')
        days, hours, minutes, secs = (float(g) if g else 0.0 for g in match.groups())
        value = days * 86400 + hours * 3600 + minutes * 60 + secs
    if not 0 < value < 1e9:  # also refuses NaN and infinity
        raise ValueError(f"{duration} is not a usable duration")
    return value


# ---- rows and jobs ---------------------------------------------------------------------------


class Row(msgspec.Struct, frozen=True):
    """One row of a source: `number` counts from 1, `line` is where it starts in the file (None: no lines)."""

    number: int
    line: int | None
    values: dict[str, Json]


class JobRecord(msgspec.Struct, omit_defaults=True):
    """One line of jobs.jsonl: what a job needs beside the batch's template.

    `wire` is the id that its backend knows it by, where others made the submission.

    `row` is the source row, `sweep` the values this job takes from `[sweep]`, `group` what its
    submission must have in common, `size` its bytes in a submission, `tokens` the estimate (in, out at most),
    `model` what it is priced as. `answers` is how many answers it asks for (0: none is written), by which it is weighed
    where its tokens out are not bounded.
    `files` is a hash over path, size and time of the files it brings, as they were when the batch was made.
    `schema` names what its answer must fit, in the header's table, where jobs differ in it.
    """

    n: int
    id: str
    row: dict[str, Json] = {}
    line: int | None = None
    sweep: dict[str, Json] = {}
    name: str | None = None
    backend: str | None = None
    group: str = ""
    wire: str | None = None
    size: int = 0
    tokens: tuple[int, int] = (0, 0)
    answers: int = 1
    model: str | None = None
    files: str = ""
    schema: str | None = None
    lost: bool = False
    """Whether its row was lost when the store was damaged: it is never sent."""


# ---- what a backend answered -----------------------------------------------------------------


class Outcome(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one attempt of a job gave. `state` is completed, failed, expired, cancelled or invalid."""

    state: JobState
    raw_response: str | None = None
    parsed_response: Json = None
    citations: list[Json] | None = None
    citation_mappings: Json = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage: Json = None
    cost_usd: float | None = None
    error: str | None = None
    error_kind: str | None = None
    finish_reason: str | None = None
    reasoning: str | None = None
    """What the model thought before it answered; no part of the answer."""
    tool_calls: list[Json] | None = None
    """The tools that the model asks to be run, in its provider's own form."""
    choices: list[Json] | None = None
    """Every answer where more than one was given; the job's own is the first that is one, and fits the schema
    where there is such. Each has `text` and
    `finish_reason`, and where there are such `reasoning, tool_calls, output, parsed_response, error, error_kind, note`."""
    note: str | None = None
    """What a reader should know about this result though it is no error: an answer that was cut, a cost not known."""
    model: str | None = None
    remote: dict[str, Json] = {}
    output: Json = None
    repaired: str | None = None
    """What was done to the answer before it could be read as JSON; None: it stood as it is."""
    body: Json = None
    """What the backend said, word for word, where `[output] raw` keeps it."""


class Result(msgspec.Struct, kw_only=True):
    """A job and its counting result, as `results` and `show` print it; unfinished jobs have only their state."""

    job_id: str
    name: str | None = None
    status: JobState = JobState.PENDING
    raw_response: str | None = None
    parsed_response: Json = None
    citations: list[Json] | None = None
    citation_mappings: Json = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    error: str | None = None
    error_kind: str | None = None
    finish_reason: str | None = None
    reasoning: str | None = None
    tool_calls: list[Json] | None = None
    choices: list[Json] | None = None
    note: str | None = None
    model: str | None = None
    backend: str | None = None
    batch_id: str | None = None
    remote: dict[str, Json] = {}
    attempts: int = 0
    started: str | None = None
    ended: str | None = None
    row: dict[str, Json] = {}
    output: Json = None
    repaired: str | None = None
    body: Json = None
    label: str | None = None
    """What a person called it: good, bad or again."""
    label_note: str | None = None


# ---- what a batch looks like from outside ------------------------------------------------------


GOES_ON = frozenset({"output", "disk", "fault"})
"""Kinds of attention that hold nothing up for good: the batch goes on by itself, or has ended."""


class Attention(msgspec.Struct, kw_only=True, frozen=True):
    """Something only a person can settle; `actions` are the words `resolve` takes."""

    kind: str
    text: str
    since: str
    actions: tuple[str, ...] = ()
    submission: int | None = None
    limit_usd: float | None = None
    """Where the budget holds jobs back: a limit in dollars that lets them go, where that is known."""


class SubmissionStatus(msgspec.Struct, kw_only=True):
    id: int
    backend: str
    remote_id: str | None = None
    status: SubmissionState = SubmissionState.PLANNED
    reason: str | None = None
    reason_kind: str | None = None
    """What kind of reason it is, while it waits: `batch` or `day` where money holds it back, `queue`, `price`, …"""
    jobs: int = 0
    completed: int = 0
    failed: int = 0
    cost_usd: float | None = None
    estimated_usd: float | None = None
    submitted: str | None = None
    started: str | None = None
    ended: str | None = None
    last_contact: str | None = None
    next_try: str | None = None
    trouble: str | None = None  # what stood in the way of every try since `last_contact`
    trouble_since: str | None = None
    first_error: str | None = None


class BatchStatus(msgspec.Struct, kw_only=True):
    """`list` and `status`. Counts are of jobs; `total` is None while the backend has not said."""

    id: str
    name: str
    backend: str
    kind: str
    status: BatchState
    paused: bool = False
    attention: list[Attention] = []
    total: int | None = None
    pending: int = 0
    processing: int = 0
    completed: int = 0
    invalid: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0
    maybe_twice: int = 0
    cost_usd: float | None = None
    """Of the results whose cost is known."""
    unpriced: int = 0
    """Results that cost something which nobody knows: `cost_usd` is the least that was spent."""
    cost_limit_usd: float | None = None
    estimated_usd: float | None = None
    created: str | None = None
    started: str | None = None
    ended: str | None = None
    deadline: str | None = None
    expires: str | None = None
    driver: str | None = None
    tags: list[str] = []
    archived: bool = False
    follows: str | None = None
    """Why nothing of it is sent from here: it only follows until a person takes it over."""
    damaged: int = 0
    """Stored results that are gone; `fsck` finds those that were changed as well."""
    with_keys: int = 0
    """Results in which a key stands: masked where they are shown, as they came where they are stored."""
    submissions: list[SubmissionStatus] | None = None

    @property
    def finished(self) -> int:
        """Jobs that have their last word."""
        return self.completed + self.invalid + self.failed + self.expired + self.cancelled


class Problem(msgspec.Struct, kw_only=True, frozen=True):
    """One fault found before sending; `fatal` ones stop the batch, the others are warnings."""

    message: str
    file: str | None = None
    line: int | None = None
    row: int | None = None
    key: str | None = None
    fatal: bool = True
    more: int = 0  # further ones of the same key and message, which are not listed
    asks: Literal["cost", "again"] | None = None
    """What a person has to agree to before the batch is sent all the same: that a limit in dollars cannot be kept as it
    stands, or that paid work is paid for again."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        if self.row is not None and self.line is None:
            place = f"{place} row {self.row}".strip()
        return ": ".join(part for part in (place, self.key, self.message) if part)
