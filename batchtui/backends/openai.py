"""Kind `openai`: Files and Batches, of OpenAI and of every server with the same protocol."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from time import time
from urllib.parse import quote

from batchtui.backends import openai_files as files
from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    Note,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    Setup,
    Submission,
    Transient,
    TryLater,
    Unsure,
)
from batchtui.backends.openai_lists import ask, pages, understood
from batchtui.backends.openai_objects import (
    NAME_KEY,
    TOKEN_KEY,
    metadata_of,
    progress_of,
    remote_batch,
    unix,
    usable_id,
)
from batchtui.backends.prompts import CALL_TIMEOUT, Prompts, PromptSettings
from batchtui.backends.replies import object_of
from batchtui.backends.wire import ENDPOINTS, ChatWork, endpoint_of
from batchtui.model import SubmissionState

LOOK_BACK = 600.0
"""Seconds before our intent from which a batch could still be ours, were the clocks apart."""
POLL_ONE_BY_ONE = 5
LIST_PAGES = 10
FIND_PAGES = 1000
METADATA_LIMIT = 500
NO_WORD_ON_THE_FILE = ("redirect", "bad_reply", "request")
"""Refusals that come from the way there, not from the server that would hold the file."""


class OpenAISettings(PromptSettings, kw_only=True):
    """`completion_window` is 24h at OpenAI; some servers take more."""

    base_url: str | None = "https://api.openai.com/v1"
    completion_window: str = "24h"


class OpenAIBackend(Prompts, Remote[ChatWork]):
    """Half the price, within a day: one JSONL file a submission, at most once."""

    kind = "openai"
    summary = "OpenAI's Batch API (Files and Batches), and servers that speak it"
    Settings = OpenAISettings
    key_required = True
    endpoints = ENDPOINTS
    defaults = KindLimits(
        jobs_per_submission=50_000,
        bytes_per_submission=200_000_000,
        submissions_at_once=10,
        poll_interval=15.0,
        poll_interval_max=60.0,
        settle=60.0,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, OpenAISettings)
        self.completion_window = setup.settings.completion_window

    def group(self, job: Job[ChatWork]) -> str:
        return f"{endpoint_of(job.work)} {self.model(job)}"

    def wire_id(self, index: int, job_id: str) -> str:
        return files.wire_id(index, job_id)

    def line(self, job: Job[ChatWork]) -> bytes:
        return files.input_line(self.wire_id(job.index, job.id), endpoint_of(job.work), self.body(job))

    # ---- sending -------------------------------------------------------------------------------

    async def submit(self, submission: Submission, jobs: Iterable[Job[ChatWork]], note: Note) -> str:
        """Upload (unless an earlier try journaled its file), then create. Only the create can be unsure."""
        jobs = iter(jobs)
        first = next(jobs, None)
        if first is None:
            raise Refused("a submission without jobs", "empty")
        file_id = usable_id(submission.facts.get("file_id"))
        if file_id is None:
            file_id = await self._upload(submission, first, jobs)
            note({"file_id": file_id})
        body = {
            "input_file_id": file_id,
            "endpoint": endpoint_of(first.work),
            "completion_window": self.completion_window,
            "metadata": {TOKEN_KEY: submission.token, NAME_KEY: submission.batch_name[:METADATA_LIMIT]},
        }
        reply = await self.http.request_json("POST", "batches", json=body, timeout=CALL_TIMEOUT, create=True)
        remote_id = usable_id(object_of(reply, create=True).get("id"))
        if remote_id is None:
            raise Unsure("the reply names no usable id for the batch")
        return remote_id

    async def _upload(
        self, submission: Submission, first: Job[ChatWork], rest: Iterable[Job[ChatWork]]
    ) -> str:
        with tempfile.TemporaryDirectory(prefix="batchtui-") as folder:
            path = Path(folder) / "input.jsonl"
            await files.write_input(path, (self.line(job) for job in _chain(first, rest)))
            try:
                reply = await self.http.upload(
                    "files", fields={"purpose": "batch"}, filename=f"{submission.token}.jsonl", source=path
                )
                file_id = usable_id(object_of(reply).get("id"))
            except Transient as fault:  # an upload makes no batch: it may be repeated
                message = f"upload: {fault.message}"
                raise TryLater(message, fault.after, kind=fault.kind, counts=True) from None
        if file_id is None:
            raise TryLater("upload: the reply names no usable file id", kind="bad_reply", counts=True)
        return file_id

    # ---- looking -------------------------------------------------------------------------------

    async def find(self, submission: Submission) -> Found:
        """Pages through the batches, newest first, until they are older than the intent."""
        file_id = submission.facts.get("file_id")
        cutoff: float | None = None
        previous: float | None = None
        newest_first = True
        async with aclosing(pages(self.http, FIND_PAGES)) as all_pages:
            async for page in all_pages:
                if cutoff is None:  # by the server's clock, since ours may have been set meanwhile
                    by_server = submission.created + page.server_time - time()
                    cutoff = min(by_server, submission.created, page.server_time) - LOOK_BACK
                for batch in page.batches:
                    ours = metadata_of(batch).get(TOKEN_KEY) == submission.token
                    if ours or (file_id and batch.get("input_file_id") == file_id):
                        remote_id = usable_id(batch.get("id"))
                        if remote_id is None:
                            return Found(reason="the backend holds it under an id that cannot be used")
                        return Found(remote_id=remote_id)
                    created = unix(batch.get("created_at"))
                    newest_first &= created is not None and (previous is None or created <= previous)
                    previous = created
                if page.last or (newest_first and previous is not None and previous < cutoff):
                    return Found(absent=True)
        return Found(reason="the backend's list of batches could not be read to its end")

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress]:
        waiting = {one.remote_id: one for one in submissions if one.remote_id}
        known: dict[int, Progress] = {}
        if len(waiting) > POLL_ONE_BY_ONE:
            async with aclosing(pages(self.http, 1 + len(waiting) // POLL_ONE_BY_ONE)) as some_pages:
                async for page in some_pages:
                    for batch in page.batches:
                        one = waiting.pop(str(batch.get("id")), None)
                        if one is not None:
                            known[one.id] = progress_of(batch)
                    if not waiting:
                        break
        faults: list[Transient] = []
        for one in waiting.values():
            try:
                known[one.id] = await self._progress(one)
            except Transient as fault:  # the others are worth asking for
                faults.append(fault)
        if faults and not known:
            raise faults[0]
        return known

    async def _progress(self, submission: Submission) -> Progress:
        reply = await ask(self.http, "GET", self._path(submission))
        if reply.status == 404:
            return Progress(
                state=SubmissionState.ENDED,
                ended_as="forgotten",
                error="the backend no longer knows this batch (404)",
            )
        return progress_of(understood(reply))

    async def cancel(self, submission: Submission) -> None:
        reply = await ask(self.http, "POST", f"{self._path(submission)}/cancel")
        if reply.status in (400, 404, 409):
            return  # it has ended meanwhile, which the next poll says
        understood(reply)

    async def list(self) -> Sequence[RemoteBatch]:
        found: list[RemoteBatch] = []
        async with aclosing(pages(self.http, LIST_PAGES)) as all_pages:
            async for page in all_pages:
                found += [one for batch in page.batches if (one := remote_batch(batch)) is not None]
        return found

    # ---- collecting ----------------------------------------------------------------------------

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """Answers carry the `wire_id`. A file cut short is read once more from where it broke.

        Raises Forgotten where the output file is gone, else as poll.
        """
        facts = submission.facts
        if not (facts.get("output_file_id") or facts.get("error_file_id")):
            progress = await self._progress(submission)
            if progress.ended_as == "forgotten":
                raise Forgotten(progress.error)
            facts = progress.facts
        for name, key in (("output", "output_file_id"), ("errors", "error_file_id")):
            file_id = usable_id(facts.get(key))
            if file_id is None:
                continue
            try:
                async with aclosing(self._answers(file_id, name, keep)) as answers:
                    async for answer in answers:
                        yield answer
            except Refused as fault:
                if fault.kind in NO_WORD_ON_THE_FILE:
                    raise Transient(f"{name} file: {fault.message}", kind=fault.kind) from None
                if name == "output":
                    raise Forgotten(f"the output file is gone: {fault.message}") from None

    async def _answers(
        self, file_id: str, name: str, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        path = f"files/{quote(file_id, safe='')}/content"
        read = 0
        for attempt in (1, 2):
            file_name = f"{name}.jsonl" if attempt == 1 else f"{name}.{attempt}.jsonl"
            kept = None if keep is None else lambda chunk, kept_as=file_name: keep(kept_as, chunk)
            number, torn = 0, False
            async with aclosing(self.http.stream_lines("GET", path, keep=kept)) as lines:
                async for line in lines:
                    number += 1
                    torn = files.is_torn(line)
                    if torn or number <= read:
                        continue
                    read = number
                    answer = files.read_answer(line, f"{file_name} line {number}")
                    if answer is not None:
                        yield answer
            if not torn:
                return

    def _path(self, submission: Submission) -> str:
        return f"batches/{quote(submission.remote_id or '', safe='')}"


def _chain(first: Job[ChatWork], rest: Iterable[Job[ChatWork]]) -> Iterable[Job[ChatWork]]:
    yield first
    yield from rest
