"""Kind `daly`: one energy model a submission, all of them watched by one listing call."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from batchtui.amounts import counted
from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    NeedsPerson,
    Note,
    PathUse,
    Probe,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    RemoteJob,
    Setup,
    Submission,
    Transient,
    TryLater,
    Unsure,
)
from batchtui.backends.prompts.work import dumps
from batchtui.backends.settings import limits_of
from batchtui.backends.wire.address import is_loopback
from batchtui.backends.wire.calls import repeatable, understood
from batchtui.backends.wire.elsewhere import is_elsewhere, seen_of
from batchtui.backends.wire.replies import object_of, raise_for
from batchtui.config.keys.secrets import env_key
from batchtui.domains.energy import wire
from batchtui.domains.energy.card import CARD
from batchtui.domains.energy.find import RESULT_TIMEOUT, RUNS, Lookup
from batchtui.domains.energy.input import DalyWork, InputFault, faults_of, input_of, label_of
from batchtui.domains.energy.session import Session
from batchtui.domains.energy.wire import Ids
from batchtui.model import Json, SubmissionState, seconds
from batchtui.text import Secret, cell

if TYPE_CHECKING:
    from batchtui.backends.http import Http

TASKS = "tasks"
PAGE = 1000
DAY = 86_400.0
CREATE_TIMEOUT = 120.0
"""Seconds: a submit may be worked on at once, and then it takes a while."""
AT_ONCE = 4
"""Submits, and results fetched, at a time."""
ONE_BY_ONE = 50
"""Tasks that a listing left out which are asked for singly in one round."""


class DalySettings(BackendSettings, kw_only=True):
    """Keys by the names of their variables only; `concurrency` is how many calls go at a time."""

    base_url: str | None = "http://localhost:8000"
    """Where the service is."""
    workspace_key_env: str | None = None
    """The variable of the workspace's key; left out: `DALY_WORKSPACE_KEY`."""
    user_key_env: str | None = None
    """The variable of the user's key; left out: `DALY_USER_KEY`."""


class DalyBackend(Remote[DalyWork]):
    """A run bears our token in its name, since the service knows no other mark: `Site A [token]`."""

    card = CARD
    names_jobs = False
    fails_singly = True
    paid = True
    untold_cost = True
    Settings = DalySettings
    Work = DalyWork
    path_fields = {"input_file": PathUse.UPLOADS}
    defaults = KindLimits(
        jobs_per_submission=1,
        bytes_per_submission=50_000_000,
        submissions_at_once=PAGE,
        job_each=True,
        sends_at_once=AT_ONCE,
        poll_interval=15.0,
        poll_interval_max=60.0,
        settle=CREATE_TIMEOUT,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        settings = setup.settings
        assert isinstance(settings, DalySettings)
        limits = limits_of(settings, self.defaults)
        at_once = settings.concurrency or AT_ONCE
        self._limits = replace(limits, jobs_per_submission=1, sends_at_once=at_once)
        named = {"workspace_key_env": settings.workspace_key_env, "user_key_env": settings.user_key_env}
        self._workspace, self._user = (self._key(setting, named[setting]) for setting in CARD.key_settings)
        self._about = " and ".join(named[setting] or usual for setting, usual in CARD.key_settings.items())
        self._timeout = None if settings.timeout is None else seconds(settings.timeout)
        self._opened: Session | None = None
        self._turns = asyncio.Semaphore(at_once)
        self._done: set[str] = set()
        self._lookup = Lookup(lambda: self.session)

    def _key(self, setting: str, named: str | None) -> Secret:
        """A key may be missing at an address on this machine alone, which then says whether it wants one."""
        usual = CARD.key_settings[setting]
        host = urlsplit(self.setup.settings.base_url or "").hostname or ""
        if not named and not os.environ.get(usual) and is_loopback(host):
            return Secret("")
        return env_key(named or usual, os.environ, f"config: backends.{self.name}.{setting}")

    @property
    def session(self) -> Session:
        if self._opened is None:
            assert self.setup.connect is not None, f"{self.name} was built without a connection"
            self._opened = Session(self.setup.connect(), self._workspace, self._user, self._about)
        return self._opened

    @property
    def http(self) -> Http:
        return self.session.http

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.http.aclose()
            self._opened = None

    @property
    def limits(self) -> KindLimits:
        return self._limits

    def account(self) -> str:
        keys = (self._workspace.reveal(), self._user.reveal())
        text = "\0".join((self.kind, self.setup.settings.base_url or "", *keys))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # ---- jobs

    def check(self, job: Job[DalyWork]) -> list[tuple[str, str]]:
        return faults_of(job)

    def label(self, job: Job[DalyWork]) -> str | None:
        try:
            label = label_of(job, input_of(job))
        except InputFault:
            return job.work.name
        return label if label != job.id else None

    def body(self, job: Job[DalyWork], mark: str = "") -> dict[str, Json]:
        """Raises InputFault where there is no input to send."""
        given = input_of(job)
        return {**given, "name": label_of(job, given) + (f" [{mark}]" if mark else "")}

    def describe(self, job: Job[DalyWork]) -> Json:
        try:
            return self.body(job)
        except InputFault:
            return super().describe(job)

    def group(self, job: Job[DalyWork]) -> str:
        return ""

    def wire_id(self, index: int, job_id: str, token: str) -> str:
        return token

    def line(self, job: Job[DalyWork]) -> bytes:
        try:
            body: Json = self.body(job, job.token)
        except InputFault:  # it is refused before it is sent
            body = super().describe(job)
        return dumps(body).encode() + b"\n"

    # ---- sending

    async def submit(self, submission: Submission, jobs: Iterable[Job[DalyWork]], note: Note) -> str:
        found = list(jobs)
        if len(found) != 1:
            raise Refused("the input could not be read" if not found else "a run goes by itself", "request")
        job = found[0]
        if faults := self.check(job):  # its file may have changed
            raise Refused("; ".join(": ".join(fault) for fault in faults[:3]), "input")
        own = None if job.work.timeout is None else seconds(job.work.timeout)
        reply = await self.session.call(
            "POST",
            RUNS,
            params={"async": "true"},
            json=self.body(job, submission.token),
            timeout=own or self._timeout or CREATE_TIMEOUT,
            create=True,
        )
        if reply.status in (404, 405) and is_elsewhere(reply):
            what = f"nothing at {self.session.http.place} answers to {RUNS} ({seen_of(reply)})"
            raise NeedsPerson("address", f"{what}: check base_url")
        if 400 <= reply.status < 500 and reply.status not in (401, 402, 403, 408, 425, 429):
            raise wire.refused(reply)
        made = object_of(reply, create=True)
        ids = wire.ids_in(made)
        if not (ids.task or ids.model):
            raise Unsure("the reply names neither a task nor an energy model", answered=True)
        if ids.model and wire.is_done(made):
            self._done.add(str(ids))
        return str(ids)

    async def find(self, submission: Submission) -> Found:
        return await self._lookup.find(submission, self._listed(submission.created, None))

    # ---- looking

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress]:
        """One task singly, several by one list of all since the oldest of them."""
        answers: dict[int, Progress] = {}
        wanted: dict[str, Submission] = {}
        for one in submissions:
            task = Ids.of(one.remote_id).task
            if not task or one.remote_id in self._done:
                facts: dict[str, Json] = {"status": "completed"}
                answers[one.id] = Progress(SubmissionState.ENDED, ended_as="completed", facts=facts)
            else:
                wanted[task] = one
        found: dict[str, dict[str, Json] | None] = {}
        if len(wanted) > 1:
            since = min(one.created for one in wanted.values())
            async for task_ in self._listed(since, set(wanted)):
                found[wire.task_ids(task_).task] = task_
        for task in [task for task in wanted if task not in found][:ONE_BY_ONE]:
            found[task] = await self._task(task)
        for task, one in wanted.items():
            if task in found:
                record = found[task]
                answers[one.id] = wire.progress_of(record) if record is not None else _gone(task)
        return answers

    async def _task(self, task: str) -> dict[str, Json] | None:
        """None where there is no such task."""
        reply = await self.session.call("GET", f"{TASKS}/{quote(task, safe='')}")
        if reply.status == 404:
            return None
        return understood(reply)

    async def _listed(self, since: float, wanted: set[str] | None) -> AsyncGenerator[dict[str, Json], None]:
        """Runs made since then (Unix seconds), by pages until all that are wanted came; None: to the end."""
        missing = set(wanted or ())
        day = time.strftime("%Y-%m-%d", time.gmtime(since - DAY))  # clocks may differ, and so may time zones
        page = 0
        while True:
            page += 1
            params: dict[str, str | int] = {
                "task_type": "energy_model", "created_after": day, "page": page, "page_size": PAGE
            }  # fmt: skip
            told = understood(await self.session.call("GET", TASKS, params=params))
            tasks = told.get("tasks")
            if not isinstance(tasks, list):
                raise Transient("the list of tasks holds none", kind="bad_reply")
            for task in tasks:
                if isinstance(task, dict):
                    missing.discard(wire.task_ids(task).task)
                    yield task
            size, total = told.get("pageSize"), told.get("total")
            size = size if isinstance(size, int) and size > 0 else PAGE
            rest = total - page * size if isinstance(total, int) else len(tasks) - size + 1
            pages_left = -(-rest // size)
            few = wanted is not None and len(missing) <= min(pages_left, ONE_BY_ONE)
            if pages_left <= 0 or not tasks or few:
                return

    async def cancel(self, submission: Submission) -> None:
        task = Ids.of(submission.remote_id).task
        if not task:
            raise Refused("already finished", "finished")
        reply = await self.session.call("POST", f"{TASKS}/{quote(task, safe='')}/cancel")
        if reply.status == 409:
            raise Refused("already finished", "finished")
        if reply.status != 404:  # of a task that is gone the next poll tells
            with repeatable():
                raise_for(reply)

    async def list(self) -> Sequence[RemoteBatch]:
        """Runs of the last 30 days."""
        listed = self._listed(time.time() - 29 * DAY, None)
        found: list[RemoteBatch] = []
        async for task in listed:
            if wire.task_ids(task).task:
                one = wire.remote_batch(task)
                one.read = partial(self._lookup.name, task)
                found.append(one)
        return found

    async def probe(self) -> Probe:
        """Signs in and asks for one task, which costs nothing."""
        try:
            params: dict[str, str | int] = {"task_type": "energy_model", "page": 1, "page_size": 1}
            told = understood(await self.session.call("GET", TASKS, params=params, timeout=20))
        except (Refused, TryLater, Transient, NeedsPerson) as fault:
            return Probe(ok=False, message=fault.message)
        total = told.get("total")
        runs = f"; {counted(total, 'run')} in the workspace" if isinstance(total, int) else ""
        return Probe(ok=True, message=f"{self.http.place} answers{runs}")

    # ---- collecting

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """The run of an adopted submission, with the input that the server saved."""
        model = await self._model(submission)
        if not model:
            raise Forgotten("its energy model is not known before the run has ended")
        path = f"{RUNS}/{quote(model, safe='')}"
        reply = await self.session.call("GET", path, params={"include": "inputs"}, timeout=RESULT_TIMEOUT)
        if reply.status == 404:
            raise Forgotten(f"there is no energy model {cell(model, 40)} any more")
        told = understood(reply)
        saved = next((told[key] for key in ("inputs", "input") if isinstance(told.get(key), dict)), None)
        if saved is None:
            raise Forgotten("the server gives no input back")
        yield RemoteJob(wire_id=submission.remote_id or "", work={"input": saved}, ended=True)

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """One answer; of a failed run what its task said, which needs no call."""
        outcome = wire.unfinished(submission)
        if outcome is not None:
            yield Answer(wire.wire_id(submission), outcome)
            return
        model = await self._model(submission)
        if not model:
            raise Transient("the server names no energy model for this run yet", kind="not_ready")
        async with self._turns:
            path = f"{RUNS}/{quote(model, safe='')}"
            reply = await self.session.call("GET", path, timeout=RESULT_TIMEOUT)
        if reply.status in (404, 410):
            raise await self._no_result(submission, model, reply.status)
        understood(reply)
        if keep:
            keep("result.json", reply.text.encode("utf-8", "surrogatepass"))
        facts = {**submission.facts, "energy_model_id": model}
        yield wire.result_of(replace(submission, facts=facts), reply)

    async def _no_result(self, submission: Submission, model: str, status: int) -> Transient | Forgotten:
        """What it means that a run has no result: while its task is known it may come; without that it is gone."""
        task = Ids.of(submission.remote_id).task
        words = f"there is no energy model {cell(model, 40)} ({status})"
        if status == 404 and task and await self._task(task) is not None:
            return Transient(f"{words}, though its task is known", kind="not_there")
        return Forgotten(f"{words} any more")

    async def _model(self, submission: Submission) -> str:
        """The energy model of a run, asked of its task where nothing else told it."""
        ids = wire.ids_of(submission)
        if ids.model or not ids.task:
            return ids.model
        task = await self._task(ids.task)
        return wire.task_ids(task).model if task else ""


def _gone(task: str) -> Progress:
    error = f"there is no task {cell(task, 40)} any more"
    return Progress(SubmissionState.ENDED, ended_as="forgotten", error=error)
