"""Kinds whose batch is one JSONL file up and JSONL files down: the steps they share, beside the calls that each has."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from time import time
from typing import ClassVar
from urllib.parse import quote

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
from batchtui.backends.file_batches import files, uploads
from batchtui.backends.file_batches.input_files import input_jobs, openai_row
from batchtui.backends.file_batches.result_files import GONE, ResultFile, read_files
from batchtui.backends.file_batches.said import Objects, no_id, size_of
from batchtui.backends.prompts.kind import ModelSettings, Prompts
from batchtui.backends.prompts.work import CHAT, ChatWork
from batchtui.backends.wire.calls import CALL_TIMEOUT, NO_LIST, ask, ask_each, understood
from batchtui.backends.wire.ids import wire_id
from batchtui.backends.wire.replies import Reply, object_of
from batchtui.backends.wire.values import id_fault, usable_id
from batchtui.model import Json, SubmissionState
from batchtui.text import cell

POLL_ONE_BY_ONE = 5
LIST_PAGES, FIND_PAGES = 10, 1000
FILE_FACTS = (("output", "output_file_id"), ("errors", "error_file_id"))

Batches = AsyncGenerator[Objects, None]
"""Pages of batch objects; it ends by itself only when all of them were read."""


class VersionedSettings(ModelSettings, kw_only=True):
    """`api_version` is the segment between the base address and every path; at the end of `base_url` it means the same."""

    api_version: str = "v1"
    """The segment between the address and every path; at the end of `base_url` it means the same."""

    def __post_init__(self) -> None:
        if self.base_url is not None:
            root, _, last = self.base_url.rstrip("/").rpartition("/")
            if last[:1] == "v" and last[1:2].isdigit() and not root.endswith("/"):
                self.base_url, self.api_version = root, last


class FileBatches(Prompts, Remote[ChatWork]):
    """What a kind adds: its calls (`send_file`, `create_call`, `pages`) and how it reads a batch and a result line."""

    endpoints: tuple[str, ...] = (CHAT,)
    key_required = True
    native_schema = True
    batches_path: ClassVar[str]
    files_path: ClassVar[str] = "files"
    kept_files = ("output", "errors")
    file_lives: ClassVar[float | None] = None
    """Seconds after which an uploaded input is not to be counted on any more; None: it stays."""

    # ---- what a kind says ----------------------------------------------------------------------

    @abstractmethod
    async def send_file(self, path: Path, name: str) -> dict[str, Json]:
        """Upload the input file; answers it as the reply has it. Raises as Http.upload."""

    @abstractmethod
    def create_call(
        self, submission: Submission, file_id: str, first: Job[ChatWork]
    ) -> tuple[str, dict[str, Json]]:
        """Path and body of the create."""

    @abstractmethod
    def pages(self, most: int, submission: Submission | None = None) -> Batches:
        """At most `most` pages of batches. With a submission, those suffice among which it must be."""

    @abstractmethod
    def is_ours(self, batch: dict[str, Json], submission: Submission) -> bool: ...

    @abstractmethod
    def progress_of(self, batch: dict[str, Json], jobs: int) -> Progress:
        """`jobs` is how many the submission holds, for what counts in percent."""

    @abstractmethod
    def remote_batch(self, batch: dict[str, Json]) -> RemoteBatch | None: ...

    def id_of(self, batch: dict[str, Json]) -> str | None:
        return usable_id(batch.get("id"))

    def file_id_of(self, value: Json) -> str | None:
        """The id of a file, where it can be used in a path."""
        return usable_id(value)

    def uploaded_id(self, file: dict[str, Json]) -> Json:
        """The id that the object of a file says, usable or not."""
        return file.get("id")

    def created(self, reply: dict[str, Json]) -> dict[str, Json]:
        """The batch in the reply to a create."""
        return reply

    def read_answer(self, line: bytes, place: str) -> Answer | None:
        return files.read_answer(line, place)

    def fits(self, wire_id: str) -> bool:
        """Whether the provider takes this id for a row."""
        return files.is_custom_id(wire_id)

    def at(self, path: str) -> str:
        """The path with what every address of this backend must carry."""
        return path

    def batch_path(self, submission: Submission) -> str:
        return f"{self.batches_path}/{quote(submission.remote_id or '', safe='')}"

    def batch_at(self, submission: Submission) -> str:
        return self.at(self.batch_path(submission))

    def cancel_at(self, submission: Submission) -> str:
        return self.at(f"{self.batch_path(submission)}/cancel")

    def file_at(self, file_id: str) -> str:
        return self.at(f"{self.files_path}/{quote(file_id, safe='')}")

    def content_at(self, file_id: str) -> str:
        return self.at(f"{self.files_path}/{quote(file_id, safe='')}/content")

    # ---- jobs ----------------------------------------------------------------------------------

    def group(self, job: Job[ChatWork]) -> str:
        return str(self.model(job))

    def wire_id(self, index: int, job_id: str, token: str) -> str:
        return wire_id(token, index, job_id, self.fits)

    # ---- sending -------------------------------------------------------------------------------

    async def submit(self, submission: Submission, jobs: Iterable[Job[ChatWork]], note: Note) -> str:
        """Upload (unless an earlier try journaled its file), then create. Only the create can be unsure."""
        jobs = iter(jobs)
        first = next(jobs, None)
        if first is None:
            raise Refused("a submission without jobs", "empty")
        file_id = self._uploaded(submission)
        file: dict[str, Json] | None = None
        if file_id is None:
            file = await self._upload(submission, first, jobs)
            file_id = str(self.uploaded_id(file))
            note({"file_id": file_id} | ({"file_at": time()} if self.file_lives else {}))
        if uploads.is_not_ready(file) or submission.facts.get(uploads.WAITED):
            note({uploads.WAITED: True})
            await uploads.wait_for(partial(self._file, file_id))
            note({uploads.WAITED: False})  # and a last look at whether it may still be sent
        path, body = self.create_call(submission, file_id, first)
        reply = await self.http.request_json("POST", path, json=body, timeout=CALL_TIMEOUT, create=True)
        try:
            made = self.created(object_of(reply, create=True))
        except Refused as fault:
            if uploads.is_too_early(fault):
                note({uploads.WAITED: True})
                raise TryLater(f"the upload is not ready: {fault.message}", kind="not_ready") from None
            raise
        remote_id = self.id_of(made)
        if remote_id is None:
            raise Unsure(f"the reply to the create names {no_id(made)}", answered=True)
        return remote_id

    async def _file(self, file_id: str) -> dict[str, Json] | None:
        """A file as the provider shows it; None where it shows none."""
        reply = await self.ask("GET", self.file_at(file_id))
        return reply.json if reply.status == 200 and isinstance(reply.json, dict) else None

    def _uploaded(self, submission: Submission) -> str | None:
        """The input file of an earlier try, where it must still be there."""
        at = submission.facts.get("file_at")
        if self.file_lives and isinstance(at, int | float) and time() - at > self.file_lives:
            return None
        return self.file_id_of(submission.facts.get("file_id"))

    async def _upload(
        self, submission: Submission, first: Job[ChatWork], rest: Iterable[Job[ChatWork]]
    ) -> dict[str, Json]:
        """The file as the reply has it, under an id that can be used."""
        with tempfile.TemporaryDirectory(prefix="batchtui-") as folder:
            path = Path(folder) / "input.jsonl"
            await files.write_input(path, (self.line(job) for job in _chain(first, rest)))
            try:
                file = await self.send_file(path, f"{submission.token}.jsonl")
            except Transient as fault:  # an upload makes no batch: it may be repeated
                message = f"upload: {fault.message}"
                raise TryLater(message, fault.after, kind=fault.kind, counts=True) from None
        given = self.uploaded_id(file)
        if self.file_id_of(given) is not None:
            return file
        if given:
            why = id_fault(given) or f'an id that is not used here: "{cell(given, 60)}"'
            raise Refused(f"upload: the reply names the file by {why}", "bad_id")
        raise TryLater("upload: the reply names no file id", kind="bad_reply", counts=True)

    # ---- looking -------------------------------------------------------------------------------

    async def ask(self, method: str, path: str, params: dict[str, str | int] | None = None) -> Reply:
        """A call that may be repeated. Raises Transient, TryLater."""
        return await ask(self.http, method, path, params)

    async def list_page(
        self, path: str, params: dict[str, str | int] | None = None
    ) -> dict[str, Json] | list[Json]:
        """One page of a list as it came. Raises Refused where the server has no such list, else as `ask`."""
        reply = await self.ask("GET", self.at(path), params)
        if reply.status in NO_LIST:
            raise Refused("the backend has no list of its batches", "no_list")
        return reply.json if reply.status == 200 and isinstance(reply.json, list) else understood(reply)

    async def find(self, submission: Submission) -> Found:
        """Raises Refused where the server has no list, else as poll."""
        read = 0
        async with aclosing(self.pages(FIND_PAGES, submission)) as all_pages:
            async for page in all_pages:
                read += 1
                for batch in page:
                    if self.is_ours(batch, submission):
                        remote_id = self.id_of(batch)
                        if remote_id is None:
                            return Found(reason="the backend holds it under an id that cannot be used")
                        return Found(remote_id=remote_id)
        if read < FIND_PAGES:
            return Found(absent=True)
        return Found(reason="the backend's list of batches could not be read to its end")

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress | Transient]:
        waiting = {one.remote_id: one for one in submissions if one.remote_id}
        known: dict[int, Progress | Transient] = {}
        if len(waiting) > POLL_ONE_BY_ONE:
            with suppress(Refused):  # a server without a list is asked one by one
                async with aclosing(self.pages(1 + len(waiting) // POLL_ONE_BY_ONE)) as some_pages:
                    async for page in some_pages:
                        for batch in page:
                            one = waiting.pop(self.id_of(batch) or "", None)
                            if one is not None:
                                known[one.id] = await self.told(batch, one.jobs)
                        if not waiting:
                            break
        await ask_each(waiting.values(), self.progress, known)
        return known

    async def progress(self, submission: Submission) -> Progress:
        batch = await self.batch(submission)
        if batch is None:
            return Progress(
                state=SubmissionState.ENDED,
                ended_as="forgotten",
                error="the backend no longer knows this batch (404)",
            )
        return await self.told(batch, submission.jobs)

    async def told(self, batch: dict[str, Json], jobs: int) -> Progress:
        """`progress_of`, for kinds that must ask for more than the batch itself says."""
        return self.progress_of(batch, jobs)

    async def batch(self, submission: Submission) -> dict[str, Json] | None:
        """The batch as the backend has it; None where it knows none. Raises Transient, TryLater, NeedsPerson."""
        reply = await self.ask("GET", self.batch_at(submission))
        return None if reply.status == 404 else understood(reply)

    async def cancel(self, submission: Submission) -> None:
        reply = await self.ask("POST", self.cancel_at(submission))
        if reply.status in (400, 404, 409):
            return  # it has ended meanwhile, which the next poll says
        understood(reply)

    def input_file(self, batch: dict[str, Json]) -> str | None:
        """The id of the batch's input file, where the backend gives that back."""
        return usable_id(batch.get("input_file_id"))

    def remote_job(self, row: dict[str, Json], batch: dict[str, Json]) -> RemoteJob | None:
        return openai_row(row)

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """From the batch's input file. Raises Forgotten where that is gone, else as poll."""
        batch = await self.batch(submission)
        file_id = self.input_file(batch) if batch else None
        if batch is None or file_id is None:
            raise Forgotten("the backend gives no input file back")
        read = partial(self.remote_job, batch=batch)
        async with aclosing(input_jobs(self.http, self.content_at(file_id), read)) as jobs:
            async for job in jobs:
                yield job

    async def list(self) -> Sequence[RemoteBatch]:
        found: list[RemoteBatch] = []
        async with aclosing(self.pages(LIST_PAGES)) as some_pages:
            async for page in some_pages:
                found += [one for batch in page if (one := self.remote_batch(batch)) is not None]
        return found

    # ---- collecting ----------------------------------------------------------------------------

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """Answers carry the `wire_id`. Raises Forgotten where a file is gone, Transient for what is not whole.

        A file whose id cannot be used is there all the same, and so never taken for none.
        """
        facts = submission.facts
        if not any(facts.get(key) for _, key in FILE_FACTS):
            progress = await self.progress(submission)
            if progress.ended_as == "forgotten":
                raise Forgotten(progress.error)
            facts = progress.facts
            named = any(facts.get(key) for _, key in FILE_FACTS)
            if not named and (progress.completed or progress.ended_as == "completed"):
                done = "the batch is" if progress.completed is None else f"{progress.completed:,} rows are"
                message = f"{done} done, but no result file is named yet"
                raise Transient(message, kind="not_ready")
        ids = [(name, file_id) for name, key in FILE_FACTS if (file_id := self.file_id_of(facts.get(key)))]
        found = [
            ResultFile(name, self.content_at(file_id), partial(self.file_size, file_id))
            for name, file_id in ids
        ]
        doubt = submission.look > 1
        async with aclosing(read_files(self.http, found, keep, self.read_answer, doubt=doubt)) as answers:
            async for answer in answers:
                yield answer
        for name, key in FILE_FACTS:
            if (value := facts.get(key)) and self.file_id_of(value) is None:
                why = id_fault(value) or f'an id that is not used here: "{cell(value, 60)}"'
                raise Transient(f"the {name} file is named by {why}", kind="bad_id")

    def read_kept(self, line: bytes, place: str) -> Answer | None:
        return self.read_answer(line, place)

    async def file_size(self, file_id: str) -> int | None:
        """How many bytes a file holds; None where the provider does not say, GONE where it knows no such file."""
        try:
            reply = await self.ask("GET", self.file_at(file_id))
        except (Transient, TryLater, NeedsPerson):
            return None
        if reply.status in (404, 410):
            return GONE
        told = reply.json if reply.status == 200 and isinstance(reply.json, dict) else {}
        return size_of(told)


class VersionedFileBatches(FileBatches):
    """Every path stands behind a version segment."""

    limits_source: ClassVar[str]
    """Where the limits come from, and the day on which they were read."""

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, VersionedSettings)
        self.version = quote(setup.settings.api_version.strip("/"), safe="")
        self.models_path = self.at("models")

    def at(self, path: str) -> str:
        return f"{self.version}/{path}"


def _chain(first: Job[ChatWork], rest: Iterable[Job[ChatWork]]) -> Iterable[Job[ChatWork]]:
    yield first
    yield from rest
