"""`BatchRun`: a batch that exists, followed, read and commanded; by its files, whichever process drives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from batchtui.api import figures
from batchtui.api.engines import Engine, Home, engine_of
from batchtui.api.results import JobResult, ModelClass, job_result
from batchtui.api.stops import label, stopped
from batchtui.errors import BadInput, BatchtuiError, StoreDamaged, Unreachable
from batchtui.limit_ranges import limit_problems
from batchtui.model import (
    ENDED_BATCH_STATES,
    JOB_STATES,
    LIVE_JOB_STATES,
    LIVE_REMOTELY,
    UNSENT,
    BatchState,
    BatchStatus,
    JobState,
    Json,
    LimitsSpec,
    SubmissionState,
)
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

OnProgress: TypeAlias = Callable[[dict[str, Json], float, dict[str, dict[str, Json]]], object]
OnPoll: TypeAlias = Callable[[int, int, int], object]

TICK_SECONDS = 0.2
OBEYED_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
FAILED = (JobState.INVALID, JobState.FAILED, JobState.EXPIRED)


class Counts(NamedTuple):
    """How many jobs completed, did not (failed, invalid, expired), and have not ended. Cancelled ones are none of these."""

    completed: int
    failed: int
    pending: int


class BatchRun:
    """A batch as it stands: progress, results, commands. Every method may be called from any thread, at any time.

    `id` finds it again for ever, `name` as long as no other batch is called the same. Iterating gives a `JobResult`
    for every job, in the order in which they were added; `len` is how many there are by now.
    """

    def __init__(self, home: Home, batch_id: str, *, response_model: ModelClass | None = None) -> None:
        """Not for users: `Batch.start` and `Batch.open` make them."""
        self._home = home
        self._folder: BatchFolder = home.library.open(batch_id)
        self._model = response_model
        self._lock = threading.RLock()
        self._on_progress: OnProgress | None = None
        self._progress_interval = 1.0
        self._stuck_since: float | None = None
        self.id, self.name = batch_id, self._folder.header.name

    def __repr__(self) -> str:
        return f"<BatchRun {self.name!r} ({self.id}): {figures.line(self.info())}>"

    def __len__(self) -> int:
        return len(self._fresh().jobs.ids)

    def __iter__(self) -> Iterator[JobResult]:
        """One at a time, unfinished ones with their state."""
        return self._select(JOB_STATES)

    # ---- how far it is

    @property
    def state(self) -> BatchState:
        """One of draft, pending, processing, cancelling, completed (any job did), failed, cancelled. It is a `str`."""
        with self._lock:
            return self._fresh().state()

    @property
    def is_complete(self) -> bool:
        """Whether every job has its last word, good or bad."""
        return self.state in ENDED_BATCH_STATES

    def info(self) -> BatchStatus:
        """Everything that `batchtui status --json` prints: states, counts, money, times, submissions, attention."""
        with self._lock:
            return self._fresh().status(submissions=True)

    def status(self, print_status: bool = False) -> dict[str, Json]:
        """The figures as one dict.

        Of jobs: `total, pending` (not ended), `active` (at the backend now), `completed, failed` (with invalid and
        expired), `cancelled`; `cost_usd` (None: not known), `cost_limit_usd, is_complete`; of submissions:
        `batches_total, batches_completed, batches_pending, current_batch_index, current_batch_size, items_per_batch`.
        """
        info = self.info()
        if print_status:
            print(f"{cell(self.name, 60)} ({self.id}): {figures.line(info)}")
        return figures.stats(info, self._folder.header.spec.limits.jobs_per_submission)

    def poll(self) -> Counts:
        """How many jobs have completed, failed, and are pending, by the store; the engine asks the backend by itself."""
        with self._lock:
            counts = self._fresh().progress.counts()
        return Counts(
            counts[JobState.COMPLETED],
            sum(counts[state] for state in FAILED),
            sum(counts[state] for state in LIVE_JOB_STATES),
        )

    def set_on_progress(self, on_progress: OnProgress | None, interval: float = 1.0) -> BatchRun:
        """What `wait` calls every `interval` seconds and at the end, with `(stats, elapsed seconds, batch_data)`."""
        self._on_progress, self._progress_interval = on_progress, interval
        return self

    # ---- waiting

    def wait(
        self,
        timeout: float | None = None,
        poll_interval: float = 15.0,
        on_poll: OnPoll | None = None,
        *,
        print_status: bool = False,
    ) -> bool:
        """Drive the batch until every job has its last word: True. False after `timeout` seconds; nothing is cancelled.

        `on_poll(completed, failed, pending)` is called every `poll_interval` seconds and at the end. The backend is
        asked at the pace that its kind needs, whatever the interval. Where another process drives the batch it is
        followed, and taken over should that one go. Raises LimitHit, ConfigError, Unreachable or NeedsPerson where the
        batch cannot go on by itself, StoreDamaged where its files cannot be trusted.
        """
        telling = _Telling(self, poll_interval, on_poll, print_status)
        end = None if timeout is None else time.monotonic() + timeout
        while not (over := self._is_over()):
            telling.tell()
            left = TICK_SECONDS if end is None else min(TICK_SECONDS, end - time.monotonic())
            if left <= 0:
                break
            self._sleep(left)
        telling.tell(last=True)
        return over

    async def wait_async(
        self, timeout: float | None = None, poll_interval: float = 15.0, on_poll: OnPoll | None = None
    ) -> bool:
        """`wait` for an event loop, which goes on meanwhile; cancelling it ends the waiting alone."""
        import asyncio

        telling = _Telling(self, poll_interval, on_poll, False)
        end = None if timeout is None else time.monotonic() + timeout
        while not (over := await asyncio.to_thread(self._is_over)):
            telling.tell()
            left = TICK_SECONDS if end is None else min(TICK_SECONDS, end - time.monotonic())
            if left <= 0:
                break
            await asyncio.sleep(left)
        telling.tell(last=True)
        return over

    def wait_submitted(self, timeout: float | None = None) -> bool:
        """Until everything that may be sent is at its backend, so that this process may end: True; False on timeout.

        Jobs of kinds `chat` and `local` run in this process, and are sent only when they have ended. Raises as `wait`.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not (self._is_over() or self._is_submitted()):
            left = TICK_SECONDS if end is None else min(TICK_SECONDS, end - time.monotonic())
            if left <= 0:
                return False
            self._sleep(left)
        return True

    def drive(self) -> None:
        """Have it sent and collected behind, while this process lives; `wait` does so too. Raises ConfigError."""
        if not self.is_complete:
            engine_of(self._home, self.id).drive(self.id)

    # ---- what came back

    def results(self) -> dict[str, list[JobResult]]:
        """`{"completed": […], "failed": […], "cancelled": […]}`; failed with invalid and expired, each with its error.

        Jobs that have not ended are in none of them. Iterate the run instead where all would be too many at once.
        """
        found: dict[str, list[JobResult]] = {"completed": [], "failed": [], "cancelled": []}
        for result in self:
            if result.status is JobState.CANCELLED:
                found["cancelled"].append(result)
            elif result.status not in LIVE_JOB_STATES:
                found["completed" if result.is_success else "failed"].append(result)
        return found

    def result(self, job_id: str) -> JobResult:
        """One job's. Raises NotFound."""
        with self._lock:
            folder = self._fresh()
            return job_result(folder.result(folder.number(job_id)), self._model)

    @property
    def runs(self) -> list[JobResult]:
        """Every job, ended or not."""
        return list(self)

    @property
    def completed(self) -> list[JobResult]:
        """The jobs that completed."""
        return [result for result in self._select((JobState.COMPLETED,)) if result.is_success]

    @property
    def failed(self) -> list[JobResult]:
        """The jobs that did not: failed, invalid or expired, each with its error."""
        states = (JobState.COMPLETED, *FAILED) if self._model else FAILED
        return [result for result in self._select(states) if not result.is_success]

    @property
    def pending(self) -> list[JobResult]:
        """The jobs that have not ended."""
        return list(self._select(tuple(LIVE_JOB_STATES)))

    @property
    def cancelled(self) -> list[JobResult]:
        """The jobs that were cancelled before they had a result."""
        return list(self._select((JobState.CANCELLED,)))

    def get_failed_jobs(self) -> dict[str, str]:
        """The error of each failed job, by its id."""
        return {result.job_id: result.error or result.status.value for result in self.failed}

    def summary(self) -> dict[str, Json]:
        """Counts, and a line for each job that ended.

        `{total, completed, failed, pending, results, failures}`; for daly `results` holds `{name, energy_model_id,
        task_id}` and `failures` `{name, task_id, error}`, for other kinds `job_id` stands for the ids. `cancelled` is
        there where any job was.
        """
        groups, counts = self.results(), self.poll()
        daly = "daly" in self._folder.header.kind
        found: dict[str, Json] = {
            "total": len(self),
            "completed": len(groups["completed"]),
            "failed": len(groups["failed"]),
            "pending": counts.pending,
            "results": [
                {"name": one.name or one.job_id} | _ids(one, ("energy_model_id", "task_id") if daly else ())
                for one in groups["completed"]
            ],
            "failures": [
                {"name": one.name or one.job_id}
                | _ids(one, ("task_id",) if daly else ())
                | {"error": one.error}
                for one in groups["failed"]
            ],
        }
        return found | ({"cancelled": len(groups["cancelled"])} if groups["cancelled"] else {})

    # ---- commands

    def cancel(self, *job_ids: str) -> bool:
        """Cancel the batch, or these jobs of it as far as they are not at a provider yet.

        Answers that are there already, or still come, are kept; `wait` until the backend says that it is over. True
        once it is obeyed, False where the process that drives the batch has not answered within 5 s; it will.
        """
        for job_id in job_ids:
            self._fresh().number(job_id)
        return self._command("cancel", jobs=list(job_ids)) if job_ids else self._command("cancel")

    def pause(self) -> bool:
        """Send nothing more until `resume`; what is at the backend goes on. True once it is obeyed."""
        return self._command("pause")

    def resume(self) -> bool:
        """Go on after a pause, a refused key or spent money, and drive the batch. True once it is obeyed."""
        return self._command("resume")

    def retry(
        self, *job_ids: str, status: Sequence[str] = ("failed", "expired", "invalid", "cancelled")
    ) -> bool:
        """Put jobs that did not complete back to pending, in the same batch, under the same limits; then `wait`."""
        states = [JobState(word).value for word in status]
        return self._command("retry", **({"jobs": list(job_ids)} if job_ids else {"status": states}))

    def limit(self, **limits: Json) -> bool:
        """Change limits while it runs, such as `cost_usd=9, time="4h", concurrency=2`; None takes one away."""
        if unknown := set(limits) - set(LimitsSpec.__struct_fields__):
            known = ", ".join(LimitsSpec.__struct_fields__)
            raise BadInput(f'unknown limit "{cell(unknown.pop(), 40)}"; limits are {known}')
        given = LimitsSpec(**{key: value for key, value in limits.items() if value is not None})
        for problem in limit_problems(given, None, "limit"):
            raise BadInput(str(problem))
        return self._command("limit", **limits)

    def release(self) -> bool:
        """Send the jobs behind a canary, or those whose price nobody knows."""
        return self._command("resolve", action="release")

    def resolve(
        self,
        action: Literal["resend", "adopt", "abandon"],
        submission: int | None = None,
        remote_id: str | None = None,
    ) -> bool:
        """Answer what only a person can: a submission that may or may not have been made, or that was forgotten."""
        given = {"action": action, "submission": submission, "remote_id": remote_id}
        return self._command("resolve", **{key: value for key, value in given.items() if value is not None})

    def _command(self, word: str, **facts: Json) -> bool:
        from batchtui.store.inbox import Command

        engine = engine_of(self._home, self.id)
        upto = engine.worker.command(self.id, Command(command=word, args=facts))
        end = time.monotonic() + OBEYED_SECONDS
        while self._fresh().progress.inbox_end < upto:
            if time.monotonic() > end:
                return False
            time.sleep(TICK_SECONDS / 4)
        return True

    # ---- inside

    def _fresh(self) -> BatchFolder:
        """The folder, caught up with whoever drives it."""
        with self._lock:
            self._folder.refresh()
            return self._folder

    def _select(self, states: Sequence[JobState]) -> Iterator[JobResult]:
        with self._lock:
            folder = self._fresh()
            columns, count = folder.columns(), len(folder.jobs.ids)
        for n in range(count):
            if columns.state(n) not in states:
                continue
            with self._lock:
                found = folder.result(n)
            yield job_result(found, self._model)

    def _engine(self) -> Engine:
        engine = engine_of(self._home, self.id)
        if not engine.worker.drives(self.id):
            engine.drive(self.id)
        return engine

    def _is_over(self) -> bool:
        """Whether every job has its last word, and what is done at the end is done. Raises as `wait`."""
        if self.is_complete and self.info().ended:
            return True
        engine = self._engine()
        try:
            busy = not engine.worker.wait({self.id}, timeout=0)
        except BatchtuiError:  # replaced by one with a newer configuration
            return False
        with self._lock:
            folder = self._fresh()
            status = folder.status(submissions=True)
        if status.status in ENDED_BATCH_STATES and (status.ended or not busy):
            return True
        if folder.damage:
            raise StoreDamaged(folder.damage[0])
        ours = engine.worker.drives(self.id)
        if busy and (ours or status.driver is None):
            self._lose_patience(status)
            return False
        in_flight = any(part.status in LIVE_REMOTELY for part in status.submissions or ())
        given_up = not (busy or ours or status.paused)
        if status.attention and (given_up or not (in_flight or status.processing)):
            raise stopped(status, status.attention)
        if given_up:
            told = [
                line.text
                for line in engine.worker.log()
                if line.batch_id == self.id and line.level == "error"
            ]
            raise BatchtuiError(
                f"{label(status)} cannot be driven: {told[-1] if told else 'no reason is known'}"
            )
        return False

    def _lose_patience(self, status: BatchStatus) -> None:
        """Raises Unreachable where a backend takes nothing at all for a minute: whoever waits had better know."""
        parts = status.submissions or []
        tried = [record for record in self._folder.progress.submissions.values() if record.attempted]
        if not tried or any(part.remote_id or part.status not in UNSENT for part in parts):
            self._stuck_since = None
            return
        self._stuck_since = self._stuck_since or time.monotonic()
        if time.monotonic() - self._stuck_since > PATIENCE_SECONDS:
            self._stuck_since = None
            reason = next((part.reason for part in parts if part.reason), None) or "no reason given"
            raise Unreachable(f"{label(status)}: {status.backend} has taken nothing for a minute: {reason}")

    def _is_submitted(self) -> bool:
        with self._lock:
            folder = self._fresh()
            progress, header = folder.progress, folder.header
            pending = progress.numbers(JobState.PENDING)
        canary = None if header.released else header.spec.limits.canary
        if folder.unsown or (pending and (canary is None or pending[0] < canary)):
            return False
        held = LIVE_REMOTELY | {SubmissionState.COLLECTED}
        direct = not header.remote
        return not direct and all(record.state in held for record in progress.submissions.values())

    def _sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class _Telling:
    """Calls back whoever waits, as often as they asked for."""

    def __init__(
        self, run: BatchRun, poll_interval: float, on_poll: OnPoll | None, print_status: bool
    ) -> None:
        self._run, self._on_poll, self._print = run, on_poll, print_status
        self._intervals = {"poll": poll_interval, "progress": run._progress_interval}
        self._due = dict.fromkeys(self._intervals, time.monotonic())

    def _is_due(self, what: str, last: bool) -> bool:
        now = time.monotonic()
        if not last and now < self._due[what]:
            return False
        self._due[what] = now + self._intervals[what]
        return True

    def tell(self, *, last: bool = False) -> None:
        run = self._run
        if self._on_poll and self._is_due("poll", last):
            self._on_poll(*run.poll())
        if (run._on_progress or self._print) and self._is_due("progress", last):
            figures_now = run.status(print_status=self._print)
            if run._on_progress:
                info = run.info()
                data = figures.batch_data(run._folder, info)
                run._on_progress(figures_now, figures.elapsed(info, time.time()), data)


def _ids(result: JobResult, names: Sequence[str]) -> dict[str, Json]:
    """The ids that the backend gave, by these names; without names our own."""
    if not names:
        return {"job_id": result.job_id}
    return {name: result.remote.get(name) for name in names}
