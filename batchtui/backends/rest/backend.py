"""Kind `rest`: any API that takes work, is asked how it fares and gives a result, described in the config alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from time import time

from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    NeedsPerson,
    Note,
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
from batchtui.backends.rest.answers import many_answers, one_answer
from batchtui.backends.rest.find import GONE, Lookup
from batchtui.backends.rest.lists import ask, request_of, understood
from batchtui.backends.rest.parts import KEPT, Parts, kept_of
from batchtui.backends.rest.session import CALL_TIMEOUT, Session
from batchtui.backends.rest.settings import RestSettings, RestWork
from batchtui.backends.rest.templates import Compiler, Places, Request
from batchtui.backends.settings import limits_of
from batchtui.backends.wire.ids import ADOPTED_TOKEN, wire_id
from batchtui.backends.wire.replies import DOTS, error_words, raise_for, tidy
from batchtui.model import Json, SubmissionState, seconds
from batchtui.sources.filters import as_text
from batchtui.sources.template import TemplateError
from batchtui.text import cell

WIRE_LIMIT = 200
LIST_PAGES = 10
_TOKEN = re.compile(r"[0-9a-z]+-\d+-[0-9a-f]{8}")
AT_ONCE = 4
"""Submits, and results fetched, at a time."""


class RestBackend(Remote[RestWork]):
    """At most once, as every remote kind: what `submit` may have made is looked up by `find`, or a person is asked."""

    kind = "rest"
    summary = "Any JSON API with submit, poll and fetch, described in the config"
    Settings = RestSettings
    Work = RestWork

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        settings = setup.settings
        assert isinstance(settings, RestSettings)
        self._settings = settings
        compiler = Compiler(f"config: backends.{self.name}")
        if settings.base_url is None or setup.connect is None:
            raise compiler.fault(
                "base_url", "missing; expected an address such as https://api.example.com/v1"
            )
        self._parts = Parts(compiler, settings)
        timeout = CALL_TIMEOUT if settings.timeout is None else seconds(settings.timeout)
        self._session = Session(compiler, settings.sign_in, timeout, setup.connect)
        self._secrets = compiler.secrets
        self._limits = self._limited(compiler)
        self._turns = asyncio.Semaphore(settings.concurrency or AT_ONCE)
        self._lookup = Lookup(self._parts, self._session, f"backends.{self.name}")

    def _limited(self, compiler: Compiler) -> KindLimits:
        many = self._parts.each is not None
        if not many and (self._settings.jobs_per_submission or 1) > 1:
            raise compiler.fault(
                "jobs_per_submission", "goes with submit.each; without it a submission is one job"
            )
        usual = KindLimits(
            jobs_per_submission=100 if many else 1,
            submissions_at_once=10 if many else 100,
            job_each=not many,
            sends_at_once=self._settings.concurrency or AT_ONCE,
        )
        return limits_of(self._settings, usual)

    @property
    def limits(self) -> KindLimits:
        return self._limits

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        """A key of its own goes as a bearer token, but for an API that gives one at sign-in."""
        signs_in = isinstance(settings, RestSettings) and settings.sign_in is not None
        return super().request_headers(settings, None if signs_in else key)

    def account(self) -> str:
        if not self._secrets:
            return super().account()
        text = "\0".join(
            (super().account(), *(f"{name}={value}" for name, value in sorted(self._secrets.items())))
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # ---- jobs

    def group(self, job: Job[RestWork]) -> str:
        return ""

    def label(self, job: Job[RestWork]) -> str | None:
        return job.work.name if job.work.name != job.id else None

    def wire_id(self, index: int, job_id: str, token: str) -> str:
        if self._parts.each is None:  # a submission has one job, so its token names it
            return token
        return wire_id(token, index, job_id, lambda text: len(text) <= WIRE_LIMIT and text.isprintable())

    def _values(self, submission: Submission) -> dict[str, Json]:
        return self._parts.values(submission, self._session.env)

    def _of_job(self, job: Job[RestWork]) -> dict[str, Json]:
        return self._parts.job_values(job, self.wire_id(job.index, job.id, job.token))

    def _as_sent(self, job: Job[RestWork]) -> tuple[Request, Json]:
        """The call that would carry the job alone, its secrets as dots, and the job's own part of it.

        Raises TemplateError.
        """
        alone = Submission(id=0, token=job.token, batch_name="", created=0.0)
        values = self._parts.values(alone, dict.fromkeys(self._secrets, DOTS))
        own = self._of_job(job)
        if self._parts.each is None:
            request = self._parts.create({**values, **own})
            return request, request.body
        part = self._parts.each.render({**values, **own})
        return self._parts.create({**values, "jobs": [part]}), part

    def check(self, job: Job[RestWork]) -> list[tuple[str, str]]:
        try:
            self._as_sent(job)
        except TemplateError as fault:
            return [("input", f"does not fill backends.{self.name}.{fault.key}: {fault.message}")]
        return []

    def describe(self, job: Job[RestWork]) -> Json:
        try:
            request, _ = self._as_sent(job)
        except TemplateError:
            return super().describe(job)
        shown = {
            "method": request.method,
            "path": request.path,
            "query": request.params,
            "headers": request.headers,
        }
        return {**{name: value for name, value in shown.items() if value}, "body": request.body}

    def line(self, job: Job[RestWork]) -> bytes:
        try:
            part = self._as_sent(job)[1]
        except TemplateError:
            part = job.work.input
        return json.dumps(part, separators=(",", ":")).encode() + b"\n"

    # ---- sending

    async def submit(self, submission: Submission, jobs: Iterable[Job[RestWork]], note: Note) -> str:
        parts = self._parts
        if self._session.signs_in:
            await self._session.sign_in()
        try:
            request = self._create(submission, list(jobs))
        except TemplateError as fault:
            raise Refused(f"{fault.key}: {fault.message}", "template") from None
        reply = await self._session.send(request, create=True)
        if reply.status == 302:  # many servers mean what 303 says: it is made, and stands elsewhere
            raise Unsure("the reply (302) points elsewhere in place of an id", answered=True)
        raise_for(reply, create=True)
        if reply.problem is not None:
            raise Unsure(f"the reply ({reply.status}) is {reply.problem}", answered=True)
        remote_id = parts.submit_id.id(reply.json)
        if remote_id is None:
            words = error_words(parts.refused(reply.json))
            if words:
                raise Refused(tidy(words), "refused", reply.json)
            why = parts.submit_id.id_fault(reply.json) or f"the reply holds no id at {parts.submit_id}"
            raise Unsure(why, answered=True)
        if kept := kept_of(parts.submit_keep, reply.json):
            with suppress(TryLater):  # it is made by now: that it should have stopped before comes too late
                note({KEPT: kept})
        return remote_id

    def _create(self, submission: Submission, jobs: list[Job[RestWork]]) -> Request:
        """Raises TemplateError, Refused."""
        if not jobs:
            raise Refused("a submission without jobs", "empty")
        values, each = self._values(submission), self._parts.each
        if each is None:
            return self._parts.create({**values, **self._of_job(jobs[0])})
        rendered = [each.render({**values, **self._of_job(job)}) for job in jobs]
        return self._parts.create({**values, "jobs": rendered})

    # ---- looking

    async def find(self, submission: Submission) -> Found:
        return await self._lookup.find(submission)

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress]:
        waiting = {one.remote_id: one for one in submissions if one.remote_id}
        known: dict[int, Progress] = {}
        faults: list[Transient] = []
        if self._parts.poll_list is not None and (len(waiting) > 1 or self._parts.poll is None):
            await self._poll_list(waiting, known, faults)
        for one in list(waiting.values()) if self._parts.poll else ():
            try:
                known[one.id] = await self._poll_one(one)
            except Transient as fault:  # the others are worth asking for
                faults.append(fault)
        if faults and not known:
            raise faults[0]
        return known

    async def _poll_list(
        self, waiting: dict[str, Submission], known: dict[int, Progress], faults: list[Transient]
    ) -> None:
        """Takes out of `waiting` those that the list shows; all of them, where it is the only way to ask."""
        parts = self._parts
        assert parts.poll_list is not None
        oldest = min(waiting.values(), key=lambda one: one.created, default=None)
        if oldest is None:
            return
        values = self._values(replace(oldest, remote_id=None))
        complete = False
        try:
            async with aclosing(parts.poll_list.pages(self._session, values)) as pages:
                async for page in pages:
                    for item in page.items:
                        one = waiting.pop(parts.list_id.id(item) or "", None)
                        if one is not None:
                            try:
                                known[one.id] = self._told(item, one)
                            except Transient as fault:
                                faults.append(fault)
                    complete = page.complete
                    if not waiting:
                        return
        except Refused as fault:
            raise Transient(fault.message, kind=fault.kind) from None
        if complete and parts.poll is None:
            for one in waiting.values():
                if self._is_old(one):
                    known[one.id] = _forgotten("its list no longer shows it")

    async def _poll_one(self, submission: Submission) -> Progress:
        call = self._parts.poll
        assert call is not None
        submission = await self._lookup.whole(submission, call.names)
        try:
            request = request_of(call, self._values(submission))
        except Refused as fault:
            raise Transient(fault.message, kind=fault.kind) from None
        reply = await ask(self._session, request)
        if reply.status in GONE:
            if not self._is_old(submission):
                raise Transient(f"it is not there yet ({reply.status})", kind="not_ready")
            return _forgotten(f"the API no longer knows it ({reply.status})")
        return self._told(understood(reply), submission)

    def _is_old(self, submission: Submission) -> bool:
        """Whether the API must know it by now: what was just made may not be shown everywhere at once."""
        adopted = submission.token == ADOPTED_TOKEN
        return adopted or time() - submission.created >= self.limits.settle

    def _told(self, item: Json, submission: Submission) -> Progress:
        progress = self._parts.progress(item, submission)
        before = submission.facts.get(KEPT)
        kept = {
            **(before if isinstance(before, dict) else {}),
            **self._lookup.learnt(submission),
            **kept_of(self._parts.poll_keep, item),
        }
        if kept:
            progress.facts[KEPT] = kept
        return progress

    async def cancel(self, submission: Submission) -> None:
        if self._parts.cancel is None or self._settings.cancel is None:
            raise Refused(f"backends.{self.name} has no `cancel`: what runs, runs to its end")
        reply = await ask(self._session, request_of(self._parts.cancel, self._values(submission)))
        if reply.status not in self._settings.cancel.ended:
            raise_for(reply)

    # ---- collecting

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        submission = await self._lookup.whole(submission, self._parts.fetch_names)
        if self._parts.each is None:
            async with self._turns:
                answer = await one_answer(self._parts, self._session, submission, keep)
            if answer is not None:
                yield answer
            return
        async with aclosing(many_answers(self._parts, self._session, submission, keep)) as answers:
            async for one in answers:
                yield one

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """One that is taken over is one job, without its input."""
        if self._parts.each is not None:
            raise Forgotten("this API is not asked for the input of its jobs")
        yield RemoteJob(wire_id=submission.remote_id or "", work={})

    async def list(self) -> Sequence[RemoteBatch]:
        """What the newest pages of `find`, or else of `poll.list`, show from the last `look_back`."""
        parts = self._parts
        listing, id_at = parts.listing
        if listing is None:
            return []
        values = self._values(Submission(id=0, token="", batch_name="", created=time()))
        found: list[RemoteBatch] = []
        async with aclosing(listing.pages(self._session, values, LIST_PAGES)) as pages:
            async for page in pages:
                found += [one for item in page.items if (one := self._listed(item, id_at))]
        return found

    def _listed(self, item: Json, id_at: Places) -> RemoteBatch | None:
        remote_id, status = id_at.id(item), self._parts.status(item)
        if remote_id is None:
            return None
        mark = self._parts.find_token(item) if self._parts.find and not self._parts.look else None
        token = _TOKEN.search(as_text(mark)) if mark is not None else None
        words = "" if status is None else cell(as_text(status), 40)
        return RemoteBatch(remote_id, words, token=token[0] if token else None)

    # ---- the rest

    async def probe(self) -> Probe:
        """Signs in and asks what `probe` says, else for a list; an API without any of them is not asked."""
        place = self._session.http.place
        try:
            if self._session.signs_in:
                await self._session.sign_in()
            if self._parts.probe is not None:
                understood(
                    await ask(self._session, request_of(self._parts.probe, {"env": self._session.env}))
                )
            elif self._parts.listing[0] is not None:
                return Probe(ok=True, message=f"{place} answers; its list shows {len(await self.list()):,}")
            elif not self._session.signs_in:
                return Probe(ok=True, message=f"not asked: backends.{self.name} has no `probe`")
        except (Refused, TryLater, Transient, NeedsPerson) as fault:
            return Probe(ok=False, message=fault.message)
        return Probe(ok=True, message=f"{place} answers")

    async def close(self) -> None:
        await self._session.close()


def _forgotten(reason: str) -> Progress:
    return Progress(state=SubmissionState.ENDED, ended_as="forgotten", error=reason)
