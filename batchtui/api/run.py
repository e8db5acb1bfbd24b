"""`BatchRun`: a batch that exists, followed, read and commanded; by its files, whichever process drives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from batchtui.api import figures
from batchtui.api.composing import GivenJob, models_of
from batchtui.api.engines import Home, engine_of
from batchtui.api.following import Followed
from batchtui.api.live import Live, html_table
from batchtui.api.results import JobResult, ModelClass, job_result
from batchtui.api.waiting import OnPoll, OnProgress, Teller, Waiter, pauses, progress_call
from batchtui.catalog import card_of
from batchtui.errors import BadInput, BatchtuiError
from batchtui.limit_ranges import limit_problems
from batchtui.model import (
    ENDED_BATCH_STATES,
    JOB_STATES,
    LIVE_JOB_STATES,
    BatchState,
    BatchStatus,
    JobState,
    Json,
    LimitsSpec,
)
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

if TYPE_CHECKING:
    import pandas
    import pyarrow

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

    def __init__(
        self,
        home: Home,
        batch_id: str,
        *,
        response_model: ModelClass | None = None,
        models: Mapping[str, ModelClass] | None = None,
    ) -> None:
        """Not for users: `Batch.start` and `Batch.open` make them. `models` read the answers of jobs by their id."""
        self._batch = Followed(home, batch_id)
        self._model, self._models = response_model, dict(models or {})
        self._on_progress: OnProgress | None = None
        self._progress_interval = 1.0
        self.id, self.name = batch_id, self._batch.folder.header.name

    def __repr__(self) -> str:
        try:
            state = figures.line(self.info())
        except (BatchtuiError, OSError) as fault:  # removed meanwhile, for one
            state = str(fault)
        return f"<BatchRun {self.name!r} ({self.id}): {state}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return html_table(self.name, self.id, self.info())

    def __len__(self) -> int:
        return len(self._batch.fresh().jobs.ids)

    def __iter__(self) -> Iterator[JobResult]:
        """One at a time, unfinished ones with their state."""
        return self._select(JOB_STATES)

    # ---- how far it is

    @property
    def state(self) -> BatchState:
        """One of draft, pending, processing, cancelling, completed (any job did), failed, cancelled. It is a `str`."""
        with self._batch.lock:
            return self._batch.fresh().state()

    @property
    def is_complete(self) -> bool:
        """Whether every job has its last word, good or bad."""
        return self.state in ENDED_BATCH_STATES

    def info(self) -> BatchStatus:
        """Everything that `batchtui status --json` prints: states, counts, money, times, submissions, attention."""
        return self._batch.status()

    def to_json(self) -> dict[str, Json]:
        """`info` as plain JSON, to be written by `json.dump`."""
        told: dict[str, Json] = msgspec.to_builtins(self.info())
        return told

    def shutdown(self) -> None:
        """Nothing has to be shut: here for scripts written for batchata, where it does nothing either."""

    def status(self, print_status: bool = False) -> dict[str, Json]:
        """The figures as one dict.

        Of jobs: `total, pending` (not ended), `active` (at the backend now), `completed, failed` (with invalid and
        expired), `cancelled`; `cost_usd` (0.0 with `cost_known` False until it is known), `cost_limit_usd,
        is_complete`; of submissions:
        `batches_total, batches_completed, batches_pending, current_batch_index, current_batch_size, items_per_batch`.
        """
        info = self.info()
        if print_status:
            print(f"{cell(self.name, 60)} ({self.id}): {figures.line(info)}")
        return figures.stats(info, self._batch.folder.header.spec.limits.jobs_per_submission)

    def poll(self) -> Counts:
        """How many jobs have completed, failed, and are pending, by the store; the engine asks the backend by itself."""
        with self._batch.lock:
            counts = self._batch.fresh().progress.counts()
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
        asked at the pace that its kind needs, whatever the interval. `print_status` shows a table, renewed where it
        stands on a terminal and in a notebook, else a line a second. Where another process drives the batch it is
        followed, and taken over should that one go. Raises LimitHit, ConfigError, Unreachable or NeedsPerson where the
        batch cannot go on by itself, StoreDamaged where its files cannot be trusted.
        """
        live = Live(self) if print_status else None
        try:
            waiter, tellers = Waiter(self._batch), self._tellers(poll_interval, on_poll, live)
            over = waiter.is_over()
            for pause in pauses(timeout):
                if over:
                    break
                for teller in tellers:
                    teller.tell()
                waiter.rest(pause)
                over = waiter.is_over()
            for teller in tellers:
                teller.tell(last=True)
        finally:
            if live:
                live.close()
        return over

    def _tellers(self, poll_interval: float, on_poll: OnPoll | None, live: Live | None) -> list[Teller]:
        interval, on_progress = self._progress_interval, self._on_progress
        return [
            Teller((lambda: on_poll(*self.poll())) if on_poll else None, poll_interval),
            Teller(progress_call(self._batch, on_progress) if on_progress else None, interval),
            Teller(live.show if live else None, interval),
        ]

    async def wait_async(
        self, timeout: float | None = None, poll_interval: float = 15.0, on_poll: OnPoll | None = None
    ) -> bool:
        """`wait` for an event loop, which goes on meanwhile; cancelling it ends the waiting alone."""
        import asyncio

        waiter, tellers = Waiter(self._batch), self._tellers(poll_interval, on_poll, None)
        over = await asyncio.to_thread(waiter.is_over)
        for pause in pauses(timeout):
            if over:
                break
            for teller in tellers:
                teller.tell()
            await asyncio.sleep(pause)
            over = await asyncio.to_thread(waiter.is_over)
        for teller in tellers:
            teller.tell(last=True)
        return over

    def wait_submitted(self, timeout: float | None = None) -> bool:
        """Until everything that may be sent is at its backend, so that this process may end: True; False on timeout.

        Jobs of kinds `chat` and `local` run in this process, and are sent only when they have ended. Raises as `wait`.
        """
        waiter = Waiter(self._batch)
        for pause in pauses(timeout):
            if waiter.is_over() or waiter.is_submitted():
                return True
            waiter.rest(pause)
        return waiter.is_over() or waiter.is_submitted()

    def drive(self) -> None:
        """Have it sent and collected behind, while this process lives; `wait` does so too. Raises ConfigError."""
        if not self.is_complete:
            engine_of(self._batch.home, self.id).drive(self.id)

    @property
    def folder(self) -> BatchFolder:
        """Not for users: the stored batch as it is now."""
        return self._batch.fresh()

    def join(self, job: GivenJob, command: dict[str, Json]) -> None:
        """Not for users: what `Batch.add_job` does once the batch was started. Raises BadInput, ConfigError."""
        obeyed = self._batch.command("add", **command)
        if obeyed and self.folder.jobs.number(job.id) is None:
            raise BadInput(
                f'job "{cell(job.id, 60)}": batch {self.id} takes no more jobs; make another Batch for it'
            )
        self._models |= models_of([job])

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
        return job_result(self._batch.result(job_id), self._models.get(job_id, self._model))

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
        states = (JobState.COMPLETED, *FAILED) if self._model or self._models else FAILED
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
        card = card_of(self._batch.folder.header.kind)
        ids = card.ids if card else ()
        found: dict[str, Json] = {
            "total": len(self),
            "completed": len(groups["completed"]),
            "failed": len(groups["failed"]),
            "pending": counts.pending,
            "results": [{"name": one.name or one.job_id} | _ids(one, ids) for one in groups["completed"]],
            "failures": [
                {"name": one.name or one.job_id} | _ids(one, ids[-1:]) | {"error": one.error}
                for one in groups["failed"]
            ],
        }
        return found | ({"cancelled": len(groups["cancelled"])} if groups["cancelled"] else {})

    # ---- tables

    def table(self, name: str, job: str | None = None) -> pyarrow.Table:
        """A table of the batch as a `pyarrow.Table`: of all its scenarios, or with `job` of one alone.

        `"results"`: a row a job of any kind of batch, the columns of `batchtui export`. Of batches of scenarios, once
        they have ended (with `job` as soon as that one has), with `scenario_id` before every row but a single one's:
        `"scenarios"`, a row each, in the manifest's order: `status, error_kind, error, attempts, duration_ms,
        iterations, converged, load_mw, gen_mw, loss_mw, slack_mw, vm_min, vm_max` (pu) with their buses,
        `loading_max_pct, n_overloads, objective` (USD/h), `input_hash`;
        `"branches"`, a row for each branch of each completed one, null where it is out of service: `branch_id` (its
        row in the case, from 1), `from_bus, to_bus, flow_mw` and `q_from_mvar` (into it at its from end), `p_to_mw,
        q_to_mvar, loading_pct` (of rate A), `loss_mw`, and of OPF `shadow_price` (USD/MWh);
        `"buses"`: `bus_id, vm_pu, va_deg, p_mw, q_mvar` (injected), `lmp` (USD/MWh), `vmin, vmax` (pu);
        `"contingencies"`, of task n1, a row an outage: `outage_branch_id, status, worst_branch_id, worst_loading_pct,
        n_overloads, islanded_mw, vm_min, performance_index, max_flow_change_mw, loss_mw`.
        What a task does not compute is null. A batch of 24 scenarios of case14 has 24 × 20 rows of branches.

        Raises BadInput for a name that there is not, for a table before its time or that is gone, and where pyarrow is
        not installed; NotFound for a job that there is not.
        """
        from batchtui.api.tables import arrow_table

        with self._batch.lock:
            return arrow_table(self._batch.fresh(), name, job)

    def frame(self, name: str, job: str | None = None) -> pandas.DataFrame:
        """`table` as a `pandas.DataFrame`, with the rows, columns, units and errors of that; null is NaN or None.

        Raises BadInput where pandas is not installed (`pip install 'batchtui[pandas]'`).
        """
        from batchtui.api.tables import needed

        needed("pandas", "pandas")
        return self.table(name, job).to_pandas()

    def to_arrow(self) -> pyarrow.Table:
        """`table("results")`: a row a job."""
        return self.table("results")

    def to_pandas(self) -> pandas.DataFrame:
        """`frame("results")`: a row a job."""
        return self.frame("results")

    # ---- commands

    def cancel(self, *job_ids: str) -> bool:
        """Cancel the batch, or these jobs of it as far as they are not at a provider yet.

        Answers that are there already, or still come, are kept; `wait` until the backend says that it is over. True
        once it is obeyed, False where the process that drives the batch has not answered within 5 s; it will.
        """
        for job_id in job_ids:
            self._batch.fresh().number(job_id)
        return self._batch.command("cancel", jobs=list(job_ids)) if job_ids else self._batch.command("cancel")

    def pause(self) -> bool:
        """Send nothing more until `resume`; what is at the backend goes on. True once it is obeyed."""
        return self._batch.command("pause")

    def resume(self) -> bool:
        """Go on after a pause, a refused key or spent money, and drive the batch. True once it is obeyed."""
        return self._batch.command("resume")

    def retry(self, *job_ids: str, status: Sequence[str] = ()) -> bool:
        """Put jobs that did not complete back to pending, in the same batch, under the same limits; then `wait`.

        `status`: only those of these states, such as `["failed", "expired"]`; without it, of every unsuccessful one.
        """
        states = [JobState(word).value for word in status]
        return self._batch.command("retry", **({"jobs": list(job_ids)} if job_ids else {"status": states}))

    def collect(self, submission: int | None = None) -> bool:
        """Bring answers home that are not here, from what was kept or from the backend, at no cost; then `wait`.

        Also after the batch has ended. Of one submission, or of all. True once it is obeyed.
        """
        given = {} if submission is None else {"submission": submission}
        return self._batch.command("collect", **given)

    def limit(self, **limits: Json) -> bool:
        """Change limits while it runs, such as `cost_usd=9, time="4h", concurrency=2`; None takes one away."""
        if unknown := set(limits) - set(LimitsSpec.__struct_fields__):
            known = ", ".join(LimitsSpec.__struct_fields__)
            raise BadInput(f'unknown limit "{cell(unknown.pop(), 40)}"; limits are {known}')
        given = LimitsSpec(**{key: value for key, value in limits.items() if value is not None})
        for problem in limit_problems(given, None, "limit"):
            raise BadInput(str(problem))
        return self._batch.command("limit", **limits)

    def release(self) -> bool:
        """Send the jobs behind a canary, or those whose price nobody knows."""
        return self._batch.command("resolve", action="release")

    def resolve(
        self,
        action: Literal["resend", "adopt", "abandon"],
        submission: int | None = None,
        remote_id: str | None = None,
    ) -> bool:
        """Answer what only a person can: a submission that may or may not have been made, or that was forgotten."""
        given = {"action": action, "submission": submission, "remote_id": remote_id}
        return self._batch.command(
            "resolve", **{key: value for key, value in given.items() if value is not None}
        )

    def _select(self, states: Sequence[JobState]) -> Iterator[JobResult]:
        found = self._batch.results(states)
        return (job_result(one, self._models.get(one.job_id, self._model)) for one in found)


def _ids(result: JobResult, names: Sequence[str]) -> dict[str, Json]:
    """The ids that the backend gave, by these names; without names our own."""
    if not names:
        return {"job_id": result.job_id}
    return {name: result.remote.get(name) for name in names}
