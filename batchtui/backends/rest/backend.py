"""Kind `rest`: any API that takes work, is asked how it fares and gives a result, described in the config alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from batchtui.backends.base import (
    Answer,
    Answered,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
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
from batchtui.backends.rest.answers import kept_answer, many_answers, one_answer
from batchtui.backends.rest.card import CARD
from batchtui.backends.rest.find import Lookup
from batchtui.backends.rest.lists import ask, request_of
from batchtui.backends.rest.parts import KEPT, SEE_OTHER, Parts, kept_of
from batchtui.backends.rest.places import Places
from batchtui.backends.rest.polls import Polls
from batchtui.backends.rest.probing import nothing, probe
from batchtui.backends.rest.session import CALL_TIMEOUT, Session
from batchtui.backends.rest.settings import RestSettings, RestWork
from batchtui.backends.rest.templates import Compiler, Request
from batchtui.backends.settings import limits_of
from batchtui.backends.wire.ids import wire_id
from batchtui.backends.wire.replies import Reply, error_words, raise_for, tidy
from batchtui.masking import DOTS
from batchtui.model import Json, seconds
from batchtui.sources.templates.filters import as_text
from batchtui.sources.templates.template import TemplateError
from batchtui.text import cell

WIRE_LIMIT = 200
LIST_PAGES = 10
_TOKEN = re.compile(r"[0-9a-z]+-\d+-[0-9a-f]{8}")
AT_ONCE = 4
"""Submits, and results fetched, at a time."""
HELD_PAUSE = 1.0
"""Seconds between polls that the API holds open."""


class RestBackend(Remote[RestWork]):
    """At most once, as every remote kind: what `submit` may have made is looked up by `find`, or a person is asked."""

    card = CARD
    untold_cost = True
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
        floor = self._limits.poll_interval if settings.poll_interval is not None else 0.0
        self._polls = Polls(self._parts, self._session, self._lookup, self._limits.settle, floor)

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
        if self._parts.hold:
            usual = replace(usual, poll_interval=HELD_PAUSE, poll_interval_max=5 * HELD_PAUSE)
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

    async def submit(
        self, submission: Submission, jobs: Iterable[Job[RestWork]], note: Note
    ) -> str | Answered:
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
        made: str | Answered | None = parts.submit_id.id(reply) if reply.status == SEE_OTHER else None
        if made is None:
            if reply.status == SEE_OTHER and (why := parts.submit_id.id_fault(reply)):
                raise Unsure(why, answered=True)
            raise_for(reply, create=True)
            made = self._made(reply)
        if isinstance(made, str):
            self._polls.wait_first(made, reply)
        if kept := kept_of(parts.submit_keep, reply):
            with suppress(TryLater):  # it is made by now: that it should have stopped before comes too late
                note({KEPT: kept})
        return made

    def _made(self, reply: Reply) -> str | Answered:
        """The id in a reply of 2xx, or that it holds the result.

        Raises Refused where it says that nothing was made, Unsure where it has neither.
        """
        parts = self._parts
        remote_id = parts.submit_id.id(reply) if parts.is_asked else None
        if remote_id is not None:
            return remote_id
        if words := error_words(parts.refused(reply)):
            raise Refused(tidy(words), "refused", reply.json)
        if parts.at_once is not None and parts.at_once.holds(reply):
            return Answered(reply.text.encode("utf-8", "surrogatepass"), parts.at_once.ending)
        why = f"the reply ({reply.status}) is {reply.problem}" if reply.problem else ""
        why = (
            (parts.is_asked and parts.submit_id.id_fault(reply))
            or why
            or f"the reply holds no {parts.awaited}"
        )
        raise Unsure(why, answered=True)

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

    async def poll(self, submissions: Sequence[Submission]) -> Mapping[int, Progress | Transient]:
        return await self._polls.poll({one.remote_id: one for one in submissions if one.remote_id})

    async def cancel(self, submission: Submission) -> None:
        if self._parts.cancel is None or self._settings.cancel is None:
            raise Refused(f"backends.{self.name} has no `cancel`: what runs, runs to its end")
        request = request_of(self._parts.cancel, self._values(submission))
        reply = await ask(self._session, request)
        if reply.status not in self._settings.cancel.ended:
            raise_for(reply)
            if request.method == "DELETE":
                self._polls.deleted.add(submission.remote_id or "")

    # ---- collecting

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        if submission.answer is not None:
            yield await kept_answer(self._parts, submission)
            return
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
        values = parts.values(nothing(), self._session.env)
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
        """What the API says to `probe`, else to a list; one that has neither is only asked whether it is there."""
        return await probe(self._parts, self._session, f"backends.{self.name}")

    async def close(self) -> None:
        await self._polls.close()
        await self._session.close()
