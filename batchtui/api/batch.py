"""`Batch`: jobs, limits and where they run; sent by `run` or `start`."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, Unpack, overload

from batchtui.amounts import counted
from batchtui.api import composing, sending
from batchtui.api.composing import GivenJob
from batchtui.api.engines import Home
from batchtui.api.kinds import Backend, backend_name
from batchtui.api.results import ResponseModel
from batchtui.api.run import BatchRun
from batchtui.api.state_file import StateFile
from batchtui.api.waiting import OnProgress
from batchtui.errors import BadInput
from batchtui.model import Json, LimitsSpec, OutputSpec
from batchtui.preflight import Preflight
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.api.manifests import Manifest, Options
    from batchtui.engine.plan.planning import Planned
    from batchtui.store.library import Draft

_logger = logging.getLogger("batchtui")
_logger.addHandler(logging.NullHandler())
_VERBOSITY = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40}


class Batch:
    """A named set of jobs, and the limits that they run under. Nothing is sent before `run` or `start`.

    `name` is what the batch is called in the app and found by with `Batch.open`. `backend` is a `[backends.NAME]`
    of the config, or one given in code with its key, such as `OpenAI(api_key=…)` or `Chat(base_url=…)`; without it
    the config's default holds, else each job's `model` says where it goes.

    `results_dir`: a folder that gets one `<job id>.json` a result when the batch has ended, and with `raw_files` the
    backend's own words under `raw_files/`; without it results stay in the store alone.
    `max_parallel_batches` and `items_per_batch` are how many submissions go at once, and how many jobs each may
    hold; by default what the backend takes. `concurrency` is how many jobs run at once, of kinds that send them one by
    one: calls of `chat` and `local`, runs of `daly`, records of a `buttermilk` flow; `timeout` seconds (or `"90s"`) for
    one job; `retries` further tries of a failed call; `error_policy="stop"` ends the batch with the first job that
    fails; `canary` sends so many jobs first, and the rest after `BatchRun.release`.

    `data_dir` and `config` name another store and config file than the app's own.
    """

    def __init__(
        self,
        name: str = "",
        *more: object,
        backend: str | Backend | None = None,
        results_dir: str | Path | None = None,
        max_parallel_batches: int | None = None,
        items_per_batch: int | None = None,
        raw_files: bool = True,
        concurrency: int | None = None,
        timeout: str | float | None = None,
        retries: int | None = None,
        error_policy: Literal["continue", "stop"] | None = None,
        canary: int | None = None,
        data_dir: str | Path | None = None,
        config: str | Path | None = None,
    ) -> None:
        composing.check_name(name, more)
        self.name = name or (Path(results_dir).name if results_dir else "") or "batch"
        self.home = Home.of(data_dir, config)
        self.backend = self._place(backend)
        self.limits = LimitsSpec(
            submissions_at_once=max_parallel_batches,
            jobs_per_submission=items_per_batch,
            concurrency=concurrency,
            timeout=timeout,
            retries=retries,
            error_policy=error_policy,
            canary=canary,
        )
        self._output = OutputSpec(dir=os.path.abspath(results_dir) if results_dir else None, raw=raw_files)
        self._defaults: dict[str, Json] = {}
        self._manifest: Manifest | None = None
        self._jobs: list[GivenJob] = []
        self._ids: set[str] = set()
        self._state: StateFile | None = None
        self._on_progress: OnProgress | None = None
        self._run: BatchRun | None = None
        """What `start` made."""
        self._lock = threading.RLock()

    @classmethod
    def from_manifest(
        cls, manifest: str | Path, *, solver: str | None = None, max_workers: int | None = None,
        name: str = "", **options: Unpack[Options],
    ) -> Self:  # fmt: skip
        """The scenarios of a manifest (JSON or YAML, of any of its shapes), as `batchtui run` takes them.

        `solver` is dc, ac, n1, dcopf or acopf, and `max_workers` how many are solved at once: by default what the
        manifest says (`solver`, `max_jobs`). `options` are those of `Batch`: `backend`, `results_dir`, `timeout`,
        `retries`, `error_policy`, `data_dir`, `config`. Paths in it start from its folder; `set_default_params` adds
        what all have, such as `dc_model="powermodels"`. Tables go to `results_dir`, else to a folder of this batch
        alone, `runs/batch/NAME` here; `BatchRun.table` reads them. What a run before solved from the same inputs is
        taken from there. Raises BadInput for a file that is no manifest, and for a solver that there is not; what is
        wrong inside is told by `check`, and stops `start`.
        """
        from batchtui.api.manifests import Manifest

        found = Manifest.of(manifest, solver)
        made = cls(name or found.name, concurrency=max_workers, **options)
        made._manifest = found
        return made

    def __len__(self) -> int:
        return len(self._jobs) + (self._manifest.count if self._manifest else 0)

    def __repr__(self) -> str:
        return f"<Batch {self.name!r}: {counted(len(self), 'job')}>"

    @property
    def jobs(self) -> list[dict[str, Json]]:
        """The jobs added so far, as `add_job` took them, with what they have by default; a manifest's are not among them."""
        return [{"id": job.id} | ({"name": job.name} if job.name else {}) | job.work for job in self._given()]

    # ---- composing

    def set_default_params(self, **params: Json) -> Self:
        """What every job has that does not say otherwise: any parameter of `add_job`, also for jobs added before."""
        if "backend" in params:
            params["backend"] = self._place(params["backend"])
        self._defaults |= params
        return self

    def add_job(
        self,
        messages: list[dict[str, Json]] | None = None,
        file: str | Path | list[str | Path] | None = None,
        prompt: str | None = None,
        model: str | None = None,
        *,
        response_model: ResponseModel | None = None,
        enable_citations: bool | None = None,
        id: str | None = None,  # noqa: A002 - it is what it is called everywhere
        name: str | None = None,
        backend: str | Backend | None = None,
        row: Mapping[str, Json] | None = None,
        **params: Json,
    ) -> Self:
        """Add one job; returns the batch, so that calls can be chained. Any thread may.

        What it takes is what its kind of backend takes. Prompts: `prompt`, with a `file` or several, or `messages`;
        `model`, `system`, `max_tokens`, `temperature`, `top_p`, `seed`, `stop`, `extra`; what is unset is the
        provider's default. daly: `input` (the energy model) or `input_file`; `name` is what the run is called.
        A run that is wrong, or that the service refuses, is a failed job with the reason, and the others go. buttermilk:
        `flow`, `parameters` (a dict, for every run of it), `max_records` (None: all), `shuffle` (True), `concurrency`
        (5), `error_policy` ("continue" or "stop"), `interactive` (False). local: `command` (a list), `env`, `cwd`,
        `stdin`; or `call` ("package.module:function"), `arguments`, `chunk`; or `task`, `grid`, `loads`, `outages`.

        `response_model` is what the answer must fit: a pydantic model, whose instance is then `parsed_response`, or a
        JSON Schema, or the path of one; jobs may differ in it. An answer that does not fit is `invalid`.
        `enable_citations` asks for the passages an answer rests on. `id` names the result and is unique in the batch;
        by default the jobs are counted from 1. `name` is for people and may be there twice. `row` is kept beside the
        job and comes back with its result. Raises BadInput for an id that is there already.

        After `start` the job joins the batch that runs, under the limits that it has. Raises BadInput where it cannot:
        where it is wrong (but for a run of daly), goes to another backend, or the batch was cancelled.
        """
        given = {
            "messages": messages,
            "prompt": prompt,
            "file": file,
            "model": model,
            "enable_citations": enable_citations,
            "backend": self._place(backend),
        }
        work = {key: value for key, value in given.items() if value is not None} | params
        with self._lock:
            job_id = str(len(self._jobs) + 1) if id is None else str(id)
            if job_id in self._ids:
                raise BadInput(f'job "{cell(job_id, 60)}" is there already; an id names one job of a batch')
            where = f'job "{cell(job_id, 60)}"'
            if row and {"id", "name", "job"} & set(row):
                raise BadInput(f"{where}: row: id, name and job are taken; call it something else")
            kept = {
                str(key): composing.plain(value, f"{where}: row.{key}") for key, value in (row or {}).items()
            }
            work = {key: composing.plain(value, f"{where}: {key}") for key, value in work.items()}
            given_job = GivenJob(job_id, name, work, kept, response_model)
            if run := self._running():
                self._join(run, given_job)
            elif self._manifest:
                raise BadInput(
                    f"{where}: the jobs of this batch are those of its manifest until it is started"
                )
            self._jobs.append(given_job)
            self._ids.add(job_id)
        return self

    def add_jobs(self, jobs: Iterable[Mapping[str, Json] | tuple[str, Json]]) -> int:
        """Add many, each a mapping of what `add_job` takes; how many were added.

        An energy model may be a pair as well, its name and its `input`.
        """
        count = 0
        for job in jobs:
            if isinstance(job, tuple):
                name, given = job
                self.add_job(name=name, input=given)
            else:
                self.add_job(**job)
            count += 1
        return count

    def add_cost_limit(self, usd: float) -> Self:
        """US dollars that the batch never passes, counting what is in flight; what does not fit waits."""
        self.limits.cost_usd = usd
        return self

    def add_time_limit(
        self, seconds: float | None = None, minutes: float | None = None, hours: float | None = None
    ) -> Self:
        """From the first submit, by the clock, also while no program runs; their sum, 10 s to 24 h. Raises BadInput."""
        total = (seconds or 0) + (minutes or 0) * 60 + (hours or 0) * 3600
        if total <= 0:
            raise BadInput("Must specify at least one of seconds, minutes or hours")
        self.limits.time = total
        return self

    def raw_files(self, enabled: bool = True) -> Self:
        """Whether the backend's own words are kept, in the store and under `results_dir`."""
        self._output.raw = enabled
        return self

    def set_state(self, file: str | Path | None = None, reuse_state: bool = True) -> Self:
        """Name a small file that remembers which batch this script made; None for no such file.

        With `reuse_state` a script that is run again carries that batch on instead of paying for another; its jobs must
        then be the same, by their ids. The batch itself lives in the store, with or without such a file.
        """
        self._state = None if file is None else StateFile(Path(file), reuse_state)
        return self

    def set_on_progress(self, on_progress: OnProgress | None) -> Self:
        """What `BatchRun.wait` calls with `(stats, elapsed seconds, batch_data)`."""
        self._on_progress = on_progress
        return self

    def set_verbosity(self, level: str) -> Self:
        """Say on stderr what the engine does: debug, info, warn or error. It is the logger `batchtui`."""
        level = level.lower()
        if level not in _VERBOSITY:
            raise BadInput(f'"{cell(level, 20)}" is none of debug, info, warn, error')
        _logger.setLevel(_VERBOSITY[level])
        if all(isinstance(handler, logging.NullHandler) for handler in _logger.handlers):
            _logger.addHandler(logging.StreamHandler())
        return self

    # ---- sending

    def check(self) -> Preflight:
        """What would be sent, what it would cost, and all that is wrong with it (`problems`). Sends nothing."""
        return self._plan(None).preflight

    @overload
    def run(
        self,
        on_progress: OnProgress | None = None,
        *,
        progress_interval: float = 1.0,
        print_status: bool = False,
        dry_run: Literal[False] = False,
        timeout: float | None = None,
        unpriced: bool = False,
        again: bool = False,
    ) -> BatchRun: ...

    @overload
    def run(self, on_progress: OnProgress | None = None, *, dry_run: Literal[True]) -> Preflight: ...

    def run(
        self,
        on_progress: OnProgress | None = None,
        *,
        progress_interval: float = 1.0,
        print_status: bool = False,
        dry_run: bool = False,
        timeout: float | None = None,
        unpriced: bool = False,
        again: bool = False,
    ) -> BatchRun | Preflight:
        """Send the jobs and wait until every one has its last word; jobs that fail are results, not exceptions.

        `on_progress(stats, elapsed, batch_data)` is called here every `progress_interval` seconds and at the end:
        `stats` is `BatchRun.status()`, `batch_data` the submissions by their number. `print_status` shows a table
        that is renewed, on a terminal and in a notebook, else prints lines. `timeout` seconds end the waiting,
        never the batch. `dry_run` sends nothing and returns `check()`. `unpriced` lets jobs go whose price nobody
        knows, though a cost limit holds; those whose answers have no bound go with one. `again` lets paid work go
        that an earlier batch sent already.

        Raises BadInput where nothing can be sent, with every problem; LimitHit, ConfigError, Unreachable or NeedsPerson
        where the batch cannot go on: it is kept, and `Batch.open(name).resume()` carries on.
        """
        if dry_run:
            return self.check()
        run = self.start(unpriced=unpriced, again=again)
        run.set_on_progress(on_progress or self._on_progress, progress_interval)
        run.wait(timeout, print_status=print_status)
        return run

    async def run_async(
        self,
        on_progress: OnProgress | None = None,
        *,
        progress_interval: float = 1.0,
        timeout: float | None = None,
        unpriced: bool = False,
        again: bool = False,
    ) -> BatchRun:
        """`run` for an event loop, which goes on meanwhile."""
        import asyncio

        run = await asyncio.to_thread(self.start, unpriced=unpriced, again=again)
        run.set_on_progress(on_progress or self._on_progress, progress_interval)
        await run.wait_async(timeout)
        return run

    def start(self, *, unpriced: bool = False, again: bool = False) -> BatchRun:
        """Send the jobs and return at once: they are sent and collected behind, while this process lives.

        When it ends, what runs remotely goes on, and `Batch.open` carries on from there; `BatchRun.wait_submitted`
        waits until everything is sent. Raises as `run` where nothing can be sent. Called again it answers the same run:
        no job is sent twice.
        """
        with self._lock:
            if run := self._running():
                run.drive()
            else:
                run = self._run = self._started(unpriced=unpriced, again=again)
            return run

    def _started(self, *, unpriced: bool, again: bool) -> BatchRun:
        if self._state and (found := self._state.found(self.home, self._job_ids())):
            return self._followed(found)
        from batchtui.engine.plan.planning import create

        draft = self.home.library.draft()
        try:
            planned = self._plan(draft)
            sending.refuse(self.name, planned.preflight, unpriced=unpriced, again=again)
            if self._state:
                self._state.note(draft.id, self.name)
            folder = create(planned, draft, unpriced_agreed=unpriced)
        except BaseException:
            draft.discard()
            raise
        return self._followed(folder.id)

    @staticmethod
    def open(
        batch: str,
        *,
        response_model: ResponseModel | None = None,
        backend: Backend | None = None,
        data_dir: str | Path | None = None,
        config: str | Path | None = None,
    ) -> BatchRun:
        """A batch that exists, whoever made it: by its id, an unambiguous beginning of it, or its name. Of several that
        have a name the newest is meant, and `NAME~1` is the one before.

        `response_model` reads its answers, where they were asked for by one. It is driven here once `wait`, `resume`
        or another command asks for it, and only where no other process drives it. Raises NotFound, BadInput for a
        beginning that several have. `backend` is the one that the batch was given in code.
        """
        home = Home.of(data_dir, config)
        if backend is not None:
            home.give(backend)
        model = composing.model_class(response_model)
        return BatchRun(home, home.library.find(batch).id, response_model=model)

    # ---- inside

    def _place(self, backend: str | Backend | None) -> str | None:
        """The name of the backend; one given in code is found by it from now on. Raises BadInput."""
        if isinstance(backend, Backend):
            self.home.give(backend)
        return backend_name(backend)

    def _given(self) -> list[GivenJob]:
        """The jobs with what they have by default."""
        with self._lock:
            jobs = list(self._jobs)
        return composing.with_defaults(jobs, self._defaults)

    def _job_ids(self) -> list[str]:
        return [*(self._manifest.ids() if self._manifest else ()), *(job.id for job in self._given())]

    def _plan(self, draft: Draft | None) -> Planned:
        """Raises BadInput, ConfigError."""
        if self._manifest:
            return self._manifest.planned(
                self.name, self.backend, self.home, self._defaults,
                limits=copy(self.limits), output=copy(self._output), draft=draft,
            )  # fmt: skip
        return sending.planned(
            self.name, self.backend, self._given(), self.home,
            limits=self.limits, output=self._output, draft=draft,
        )  # fmt: skip

    def _running(self) -> BatchRun | None:
        """What `start` made, unless it was removed since."""
        return self._run if self._run and self.home.library.path(self._run.id).is_dir() else None

    def _join(self, run: BatchRun, job: GivenJob) -> None:
        """Have the batch that runs take one more job. Raises BadInput, ConfigError."""
        (given,) = composing.with_defaults([job], self._defaults)
        backend = run.folder.header.backend if self._manifest and not self.backend else self.backend
        run.join(given, sending.joining(self.name, backend, given, self.home, run.folder))

    def _followed(self, batch_id: str) -> BatchRun:
        """The batch, driven."""
        run = BatchRun(self.home, batch_id, models=composing.models_of(self._given()))
        run.set_on_progress(self._on_progress)
        run.drive()
        return run
