"""Kind `anthropic`: Message Batches."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from urllib.parse import quote

from batchtui.backends.anthropic import answers
from batchtui.backends.anthropic.card import CARD
from batchtui.backends.anthropic.find import Finder
from batchtui.backends.anthropic.objects import pages, progress_of, remote_batch, results_url
from batchtui.backends.anthropic.wire import (
    API_VERSION,
    BASE_URL,
    MAX_TOKENS,
    Auth,
    Messages,
    messages_headers,
)
from batchtui.backends.attachments.rules import ANTHROPIC, FileRules
from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    NeedsPerson,
    Note,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    Setup,
    Submission,
    Transient,
    Unsure,
)
from batchtui.backends.file_batches.files import LONG_LINE, is_torn
from batchtui.backends.prompts.kind import ModelSettings, Prompts
from batchtui.backends.prompts.work import CHAT, ChatWork, dumps
from batchtui.backends.wire.calls import CALL_TIMEOUT, ask, ask_each, understood
from batchtui.backends.wire.ids import wire_id
from batchtui.backends.wire.pieces import Body
from batchtui.backends.wire.replies import object_of
from batchtui.backends.wire.values import usable_id
from batchtui.model import Json, SubmissionState

LIST_PAGES = 10
POLL_ONE_BY_ONE = 5
SLICE = 500
"""Requests built between two turns of the loop: about 5 ms, so that other batches go on."""
SLOWEST_UPLOAD = 500_000
"""Bytes a second below which a create is given up, and looked up."""
ENVELOPE = (b'{"requests":[', b"]}")
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_IN_BATCHES = ("speed", "stream")


class AnthropicSettings(ModelSettings, kw_only=True):
    """Anthropic's API, or who speaks like it."""

    base_url: str | None = BASE_URL
    """It may end in /v1 or not."""
    api_version: str = API_VERSION
    """The header of that name."""
    auth: Auth = "x-api-key"
    """How the key goes."""
    beta: list[str] = []
    """Features in preview, by name."""
    max_tokens: int = MAX_TOKENS
    """Of jobs that name none."""


class AnthropicBackend(Prompts, Remote[ChatWork]):
    """Half the price, within a day: the requests travel in the create itself, at most once."""

    card = CARD
    Settings = AnthropicSettings
    key_required = True
    native_schema = True
    endpoints = (CHAT,)
    kept_files = ("results",)
    # As documented, read 2026-11-21: 100,000 requests or 256 MB, results for 29 days, most ended within the hour.
    defaults = KindLimits(
        jobs_per_submission=100_000,
        bytes_per_submission=255_000_000,
        submissions_at_once=10,
        poll_interval=60.0,
        poll_interval_max=300.0,
        settle=60.0,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, AnthropicSettings)
        self._messages = Messages.of(setup.settings)
        self._batches, self.models_path = (
            self._messages.path("messages/batches"),
            self._messages.path("models"),
        )
        self._finder = Finder(self._batches, self._results_of)

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        assert isinstance(settings, AnthropicSettings)
        return messages_headers(settings, key)

    def file_rules(self) -> FileRules | None:
        return ANTHROPIC

    def body(self, job: Job[ChatWork]) -> dict[str, Json]:
        return self._messages.body(job.work, job.files)

    def check(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        given = {**job.work.body, **job.work.extra}
        words = "is not taken in a batch; leave it out"
        return self._messages.check(job.work) or [(key, words) for key in _NOT_IN_BATCHES if given.get(key)]

    def left_out(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return self._messages.left_out(job.work)

    def tokens(self, job: Job[ChatWork]) -> tuple[int, int]:
        return self._messages.tokens(job.work)

    def group(self, job: Job[ChatWork]) -> str:
        """One for all: models may be mixed in a batch."""
        return ""

    def wire_id(self, index: int, job_id: str, token: str) -> str:
        return wire_id(token, index, job_id, lambda text: _CUSTOM_ID.fullmatch(text) is not None)

    def line(self, job: Job[ChatWork]) -> bytes:
        custom_id = self.wire_id(job.index, job.id, job.token)
        return dumps({"custom_id": custom_id, "params": self.body(job)}).encode() + b",\n"

    # ---- sending -------------------------------------------------------------------------------

    async def submit(self, submission: Submission, jobs: Iterable[Job[ChatWork]], note: Note) -> str:
        """One call. What it sends is written to a file first: its length is known and memory stays flat."""
        with tempfile.TemporaryDirectory(prefix="batchtui-") as folder:
            path = Path(folder) / "requests.json"
            rows = await self._write(path, jobs)
            if not rows:
                raise Refused("a submission without jobs", "empty")
            note({"rows": rows})
            timeout = CALL_TIMEOUT + path.stat().st_size / SLOWEST_UPLOAD
            reply = await self.http.post_file(self._batches, source=path, timeout=timeout, create=True)
        remote_id = usable_id(object_of(reply, create=True).get("id"))
        if remote_id is None:
            raise Unsure("the reply names no usable id for the batch", answered=True)
        return remote_id

    async def _write(self, path: Path, jobs: Iterable[Job[ChatWork]]) -> int:
        """The body of a create; answers how many requests it holds."""
        rows = 0
        with path.open("wb") as file:
            file.write(ENVELOPE[0])
            for rows, job in enumerate(jobs, start=1):
                if file.write(self.line(job)) > LONG_LINE or rows % SLICE == 0:
                    await asyncio.sleep(0)
            if rows:
                file.seek(-2, 1)  # over the comma after the last
            file.write(ENVELOPE[1])
            file.truncate()
        return rows

    # ---- looking -------------------------------------------------------------------------------

    async def find(self, submission: Submission) -> Found:
        """See `Finder`: by the ids in the results, since a batch itself bears no mark of ours."""
        return await self._finder.find(self.http, submission)

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress | Transient]:
        waiting = {one.remote_id: one for one in submissions if one.remote_id}
        known: dict[int, Progress | Transient] = {}
        if len(waiting) > POLL_ONE_BY_ONE:
            most = 1 + len(waiting) // POLL_ONE_BY_ONE
            async with aclosing(pages(self.http, self._batches, most)) as some_pages:
                async for page in some_pages:
                    for batch in page.batches:
                        one = waiting.pop(str(batch.get("id")), None)
                        if one is not None:
                            known[one.id] = progress_of(batch)
                    if not waiting:
                        break
        await ask_each(waiting.values(), self._progress, known)
        return known

    async def _progress(self, submission: Submission) -> Progress:
        reply = await ask(self.http, "GET", self._path(submission))
        if reply.status == 404:
            gone = "the backend no longer knows this batch (404)"
            return Progress(state=SubmissionState.ENDED, ended_as="forgotten", error=gone)
        return progress_of(understood(reply))

    async def cancel(self, submission: Submission) -> None:
        reply = await ask(self.http, "POST", f"{self._path(submission)}/cancel")
        if reply.status in (400, 404, 409):
            return  # it has ended meanwhile, which the next poll says
        understood(reply)

    async def list(self) -> Sequence[RemoteBatch]:
        found: list[RemoteBatch] = []
        async with aclosing(pages(self.http, self._batches, LIST_PAGES)) as all_pages:
            async for page in all_pages:
                for batch in page.batches:
                    if (one := remote_batch(batch)) is not None:
                        if one.status == "ended":
                            one.read = partial(self._finder.row_id, one.remote_id, batch)
                        found.append(one)
        return found

    # ---- collecting ----------------------------------------------------------------------------

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """Answers carry the `wire_id`. A file cut short is read once more from where it broke.

        Raises Forgotten where the batch says that it has none, Transient for what is not whole, else as poll.
        """
        address = submission.facts.get("results_url") or await self._address(submission)
        read = 0
        for attempt in (1, 2):
            file_name = "results.jsonl" if attempt == 1 else f"results.{attempt}.jsonl"
            kept = None if keep is None else lambda chunk, kept_as=file_name: keep(kept_as, chunk)
            number, torn, body = 0, False, Body()
            try:
                async with aclosing(self._lines(submission, str(address), kept, body)) as lines:
                    async for line in lines:
                        if not number and line.lstrip()[:1] == b"<":
                            raise Transient(
                                "results: a page of HTML or XML came in their place", kind="bad_reply"
                            )
                        number += 1
                        torn = is_torn(line)
                        if torn or number <= read:
                            continue
                        read = number
                        answer = answers.read_answer(line, f"{file_name} line {number}")
                        if answer is not None:
                            yield answer
            except Forgotten as fault:  # the batch lives, and names them
                raise Transient(str(fault), kind="not_there") from None
            if not torn:
                break
        if not body.size or torn or not body.framed:
            how = "came empty" if not body.size else "were cut in the middle of a line" if torn else ""
            raise Transient(
                f"the results {how or 'ended without a word on whether that was all'}", kind="not_whole"
            )

    def read_kept(self, line: bytes, place: str) -> Answer | None:
        return answers.read_answer(line, place)

    async def _address(self, submission: Submission) -> str:
        """Where the results are. Raises Forgotten."""
        reply = await ask(self.http, "GET", self._path(submission))
        if reply.status == 404:
            raise Forgotten("the backend no longer knows this batch (404)")
        batch = understood(reply)
        address = results_url(batch)
        if address is None and batch.get("processing_status") != "ended":
            raise Transient("the batch has no results yet", kind="early")
        if address is None:
            raise Forgotten("its results are kept no longer; Anthropic keeps them for 29 days")
        return address

    async def _lines(
        self,
        submission: Submission,
        address: str,
        keep: Callable[[bytes], None] | None,
        body: Body | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The lines at the address that the batch names, without our key where that is another host.

        A gateway hands on the provider's own address, which wants the key; then its own path is asked.
        """
        try:
            async with aclosing(self.http.stream_lines("GET", address, keep=keep, body=body)) as lines:
                async for line in lines:
                    yield line
            return
        except (Refused, NeedsPerson) as fault:
            if self.http.is_own(address):
                raise _gone(fault) from None
        try:
            path = f"{self._path(submission)}/results"
            async with aclosing(self.http.stream_lines("GET", path, keep=keep, body=body)) as lines:
                async for line in lines:
                    yield line
        except Refused as fault:
            raise _gone(fault) from None

    def _results_of(self, remote_id: str, address: str) -> AsyncGenerator[bytes, None]:
        """The result lines of any batch that the account holds."""
        return self._lines(Submission(0, "", "", 0.0, remote_id=remote_id), address, None)

    def _path(self, submission: Submission) -> str:
        return f"{self._batches}/{quote(submission.remote_id or '', safe='')}"


def _gone(fault: Refused | NeedsPerson) -> Exception:
    """What a refused download means: a word from the way there may pass, one of the server is final."""
    if isinstance(fault, NeedsPerson):
        return fault
    if fault.kind in ("redirect", "bad_reply", "request"):
        return Transient(f"results: {fault.message}", kind=fault.kind)
    return Forgotten(f"the results are gone: {fault.message}")
