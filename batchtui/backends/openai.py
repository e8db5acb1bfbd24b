"""Kind `openai`: Files and Batches, of OpenAI and of every server with the same protocol."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from time import time
from urllib.parse import quote

from batchtui.backends import openai_files as files
from batchtui.backends.attachment_rules import IMAGES_ONLY, FileRules
from batchtui.backends.attachment_rules import OPENAI as OPENAI_FILES
from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    NeedsPerson,
    Note,
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
from batchtui.backends.dialects import OPENAI
from batchtui.backends.input_files import input_jobs, openai_row
from batchtui.backends.openai_lists import ask, pages, understood
from batchtui.backends.openai_objects import (
    FILES,
    NAME_KEY,
    TOKEN_KEY,
    ended_at,
    iso,
    metadata_of,
    progress_of,
    remote_batch,
    unix,
    usable_id,
)
from batchtui.backends.openai_settings import OpenAISettings, limits_of_dialect, record_of
from batchtui.backends.prompts import CALL_TIMEOUT, Prompts
from batchtui.backends.replies import object_of
from batchtui.backends.result_files import ResultFile, read_files
from batchtui.backends.wire import CHAT, ChatWork, endpoint_of
from batchtui.backends.wire_ids import wire_id
from batchtui.model import Json, SubmissionState, seconds

LOOK_BACK = 600.0
"""Seconds before our intent from which a batch could still be ours, were the clocks apart."""
POLL_ONE_BY_ONE = 5
LIST_PAGES = 10
FIND_PAGES = 1000
METADATA_LIMIT = 500


class OpenAIBackend(Prompts, Remote[ChatWork]):
    """Half the price, within a day: one JSONL file a submission, at most once."""

    kind = "openai"
    summary = "OpenAI's Batch API (Files and Batches), and servers that speak it"
    Settings = OpenAISettings
    key_required = True
    native_schema = True
    defaults = limits_of_dialect(OPENAI)

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        assert isinstance(setup.settings, OpenAISettings)
        self.settings = setup.settings
        self.dialect = record_of(self.settings)
        self.defaults = limits_of_dialect(self.dialect)
        self.endpoints = self.dialect.endpoints
        super().__init__(setup)
        base_url = self.settings.base_url or ""
        version = self.settings.api_version
        self._query = f"?api-version={quote(version, safe='')}" if version else ""
        self.models_path = self._at(self.models_path)
        self._short_endpoints = self.dialect.versioned and not base_url.endswith("/v1")

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        own = record_of(settings).key_header
        headers = super().request_headers(settings, None if own else key)
        return headers | {own: key} if own and key else headers

    def file_rules(self) -> FileRules | None:
        return OPENAI_FILES if self.dialect.pdf else IMAGES_ONLY

    def group(self, job: Job[ChatWork]) -> str:
        return f"{endpoint_of(job.work)} {self.model(job)}"

    def wire_id(self, index: int, job_id: str, token: str) -> str:
        return wire_id(token, index, job_id, lambda text: files.is_custom_id(text, self.dialect.id_limit))

    def line(self, job: Job[ChatWork]) -> bytes:
        custom_id = self.wire_id(job.index, job.id, job.token)
        return files.input_line(custom_id, self._endpoint(job), self.body(job))

    def body(self, job: Job[ChatWork]) -> dict[str, Json]:
        body = super().body(job)
        if self.dialect.newer_max_tokens and endpoint_of(job.work) == CHAT and "max_tokens" in body:
            body.setdefault("max_completion_tokens", body.pop("max_tokens"))
        return body

    def _endpoint(self, job: Job[ChatWork]) -> str:
        """As this dialect spells it."""
        endpoint = endpoint_of(job.work)
        return endpoint.removeprefix("/v1") if self._short_endpoints else endpoint

    def _at(self, path: str) -> str:
        """The path with what every address here must carry."""
        return f"{path}{self._query}"

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
        body = self._create_body(submission, file_id, self._endpoint(first))
        path = self._at("batches")
        reply = await self.http.request_json("POST", path, json=body, timeout=CALL_TIMEOUT, create=True)
        remote_id = usable_id(object_of(reply, create=True).get("id"))
        if remote_id is None:
            raise Unsure("the reply names no usable id for the batch")
        return remote_id

    def _create_body(self, submission: Submission, file_id: str, endpoint: str) -> dict[str, Json]:
        settings = self.settings
        body: dict[str, Json] = {
            "input_file_id": file_id,
            "endpoint": endpoint,
            "completion_window": settings.completion_window,
        }
        if self.dialect.metadata if settings.metadata is None else settings.metadata:
            body["metadata"] = {
                TOKEN_KEY: submission.token,
                NAME_KEY: submission.batch_name[:METADATA_LIMIT],
            }
        if settings.output_expires is not None:
            lives = {"anchor": "created_at", "seconds": int(seconds(settings.output_expires))}
            body["output_expires_after"] = lives
        return body

    async def _upload(
        self, submission: Submission, first: Job[ChatWork], rest: Iterable[Job[ChatWork]]
    ) -> str:
        with tempfile.TemporaryDirectory(prefix="batchtui-") as folder:
            path = Path(folder) / "input.jsonl"
            await files.write_input(path, (self.line(job) for job in _chain(first, rest)))
            try:
                reply = await self.http.upload(
                    self._at("files"),
                    fields={"purpose": "batch"},
                    filename=f"{submission.token}.jsonl",
                    source=path,
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
        async with aclosing(pages(self.http, self._at("batches"), FIND_PAGES)) as all_pages:
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
            most = 1 + len(waiting) // POLL_ONE_BY_ONE
            async with aclosing(pages(self.http, self._at("batches"), most)) as some_pages:
                async for page in some_pages:
                    for batch in page.batches:
                        one = waiting.pop(str(batch.get("id")), None)
                        if one is not None:
                            known[one.id] = await self._told(batch)
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
        reply = await ask(self.http, "GET", self._at(self._path(submission)))
        if reply.status == 404:
            return Progress(
                state=SubmissionState.ENDED,
                ended_as="forgotten",
                error="the backend no longer knows this batch (404)",
            )
        return await self._told(understood(reply))

    async def _told(self, batch: dict[str, Json]) -> Progress:
        """Progress, with the moment at which the results of an ended batch are deleted, where that is known."""
        progress = progress_of(batch)
        file_id = usable_id(progress.facts.get("output_file_id") or progress.facts.get("error_file_id"))
        if progress.state is not SubmissionState.ENDED or file_id is None:
            return progress
        ended, days = ended_at(batch), self.dialect.results_days
        if ended is not None and days is not None:
            progress.expires = iso(ended + days * 86_400)
        with suppress(Transient, TryLater, NeedsPerson):  # a countdown is not worth a fault
            reply = await ask(self.http, "GET", self._at(_file(file_id)))
            if reply.status == 200 and isinstance(reply.json, dict):
                progress.expires = iso(reply.json.get("expires_at")) or progress.expires
        return progress

    async def cancel(self, submission: Submission) -> None:
        reply = await ask(self.http, "POST", self._at(f"{self._path(submission)}/cancel"))
        if reply.status in (400, 404, 409):
            return  # it has ended meanwhile, which the next poll says
        understood(reply)

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """From the batch's input file. Raises Forgotten where that is gone, else as poll."""
        reply = await ask(self.http, "GET", self._at(self._path(submission)))
        file_id = usable_id(understood(reply).get("input_file_id"))
        if file_id is None:
            raise Forgotten("the backend names no input file")
        path = self._at(f"{_file(file_id)}/content")
        async with aclosing(input_jobs(self.http, path, openai_row)) as jobs:
            async for job in jobs:
                yield job

    async def list(self) -> Sequence[RemoteBatch]:
        found: list[RemoteBatch] = []
        async with aclosing(pages(self.http, self._at("batches"), LIST_PAGES)) as all_pages:
            async for page in all_pages:
                found += [one for batch in page.batches if (one := remote_batch(batch)) is not None]
        return found

    # ---- collecting ----------------------------------------------------------------------------

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """Answers carry the `wire_id`. Raises Forgotten where a file is gone, else as poll."""
        facts = submission.facts
        if not any(facts.get(key) for key in FILES):
            progress = await self._progress(submission)
            if progress.ended_as == "forgotten":
                raise Forgotten(progress.error)
            facts = progress.facts
            named = any(facts.get(key) for key in FILES)
            if progress.completed and progress.ended_as == "completed" and not named:
                message = f"{progress.completed:,} rows are done, but no output file is named yet"
                raise Transient(message, kind="not_ready")
        keys = (("output", "output_file_id"), ("errors", "error_file_id"))
        ids = [(name, file_id) for name, key in keys if (file_id := usable_id(facts.get(key)))]
        found = [ResultFile(name, self._at(f"{_file(file_id)}/content")) for name, file_id in ids]
        async with aclosing(read_files(self.http, found, keep, files.read_answer)) as answers:
            async for answer in answers:
                yield answer

    async def tidy(self, submission: Submission) -> None:
        facts = submission.facts
        if self.settings.delete_files and usable_id(facts.get("file_id")):
            for key in ("file_id", *FILES):
                if file_id := usable_id(facts.get(key)):
                    with suppress(Transient, TryLater, NeedsPerson):  # what stays is deleted by hand
                        await ask(self.http, "DELETE", self._at(_file(file_id)))

    def _path(self, submission: Submission) -> str:
        return f"batches/{quote(submission.remote_id or '', safe='')}"


def _file(file_id: str) -> str:
    return f"files/{quote(file_id, safe='')}"


def _chain(first: Job[ChatWork], rest: Iterable[Job[ChatWork]]) -> Iterable[Job[ChatWork]]:
    yield first
    yield from rest
