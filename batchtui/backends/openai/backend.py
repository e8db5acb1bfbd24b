"""Kind `openai`: Files and Batches, of OpenAI and of every server with the same protocol."""

from __future__ import annotations

from contextlib import aclosing, suppress
from pathlib import Path
from time import time
from urllib.parse import quote

from batchtui.backends.attachments.rules import IMAGES_ONLY, FileRules
from batchtui.backends.attachments.rules import OPENAI as OPENAI_FILES
from batchtui.backends.base import (
    BackendSettings,
    Found,
    Job,
    NeedsPerson,
    Progress,
    RemoteBatch,
    Setup,
    Submission,
    Transient,
    TryLater,
)
from batchtui.backends.file_batches import files
from batchtui.backends.file_batches.backend import FIND_PAGES, Batches, FileBatches
from batchtui.backends.file_batches.objects import (
    FILES,
    NAME_KEY,
    TOKEN_KEY,
    ended_at,
    metadata_of,
    progress_of,
    remote_batch,
)
from batchtui.backends.openai.card import CARD
from batchtui.backends.openai.lists import pages
from batchtui.backends.openai.settings import OpenAISettings, limits_of_dialect, record_of
from batchtui.backends.prompts.dialects import OPENAI
from batchtui.backends.prompts.work import CHAT, ChatWork, endpoint_of
from batchtui.backends.wire.replies import object_of
from batchtui.backends.wire.values import iso, unix, usable_id
from batchtui.model import Json, SubmissionState, seconds

LOOK_BACK = 600.0
"""Seconds before our intent from which a batch could still be ours, were the clocks apart."""
METADATA_LIMIT = 500


class OpenAIBackend(FileBatches):
    """Half the price, within a day: one JSONL file a submission, at most once."""

    card = CARD
    Settings = OpenAISettings
    batches_path = "batches"
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
        self.models_path = self.at(self.models_path)
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

    def fits(self, wire_id: str) -> bool:
        return files.is_custom_id(wire_id, self.dialect.id_limit)

    def line(self, job: Job[ChatWork]) -> bytes:
        custom_id = self.wire_id(job.index, job.id, job.token)
        return files.input_line(custom_id, self._endpoint(job), self.body(job))

    def built(self, job: Job[ChatWork]) -> dict[str, Json]:
        body = super().built(job)
        if self.dialect.newer_max_tokens and endpoint_of(job.work) == CHAT and "max_tokens" in body:
            body.setdefault("max_completion_tokens", body.pop("max_tokens"))
        return body

    def _endpoint(self, job: Job[ChatWork]) -> str:
        """As this dialect spells it."""
        endpoint = endpoint_of(job.work)
        return endpoint.removeprefix("/v1") if self._short_endpoints else endpoint

    def at(self, path: str) -> str:
        return f"{path}{self._query}"

    # ---- sending -------------------------------------------------------------------------------

    async def send_file(self, path: Path, name: str) -> dict[str, Json]:
        reply = await self.http.upload(
            self.at("files"), fields={"purpose": "batch"}, filename=name, source=path
        )
        return object_of(reply)

    def create_call(
        self, submission: Submission, file_id: str, first: Job[ChatWork]
    ) -> tuple[str, dict[str, Json]]:
        return self.at("batches"), self._create_body(submission, file_id, self._endpoint(first))

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

    # ---- looking -------------------------------------------------------------------------------

    async def pages(self, most: int, submission: Submission | None = None) -> Batches:
        async with aclosing(pages(self.http, self.at("batches"), most)) as all_pages:
            async for page in all_pages:
                yield page.batches

    def is_ours(self, batch: dict[str, Json], submission: Submission) -> bool:
        file_id = submission.facts.get("file_id")
        return metadata_of(batch).get(TOKEN_KEY) == submission.token or bool(
            file_id and batch.get("input_file_id") == file_id
        )

    async def find(self, submission: Submission) -> Found:
        """Pages through the batches, newest first, until they are older than the intent."""
        cutoff: float | None = None
        previous: float | None = None
        newest_first = True
        async with aclosing(pages(self.http, self.at("batches"), FIND_PAGES)) as all_pages:
            async for page in all_pages:
                if cutoff is None:  # by the server's clock, since ours may have been set meanwhile
                    by_server = submission.created + page.server_time - time()
                    cutoff = min(by_server, submission.created, page.server_time) - LOOK_BACK
                for batch in page.batches:
                    if self.is_ours(batch, submission):
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

    def progress_of(self, batch: dict[str, Json], jobs: int) -> Progress:
        return progress_of(batch)

    async def told(self, batch: dict[str, Json], jobs: int) -> Progress:
        """With the moment at which the results of an ended batch are deleted, where that is known."""
        progress = self.progress_of(batch, jobs)
        file_id = usable_id(progress.facts.get("output_file_id") or progress.facts.get("error_file_id"))
        if progress.state is not SubmissionState.ENDED or file_id is None:
            return progress
        ended, days = ended_at(batch), self.dialect.results_days
        if ended is not None and days is not None:
            progress.expires = iso(ended + days * 86_400)
        with suppress(Transient, TryLater, NeedsPerson):  # a countdown is not worth a fault
            reply = await self.ask("GET", self.file_at(file_id))
            if reply.status == 200 and isinstance(reply.json, dict):
                progress.expires = iso(reply.json.get("expires_at")) or progress.expires
        return progress

    def remote_batch(self, batch: dict[str, Json]) -> RemoteBatch | None:
        return remote_batch(batch)

    async def tidy(self, submission: Submission) -> None:
        facts = submission.facts
        if self.settings.delete_files and usable_id(facts.get("file_id")):
            for key in ("file_id", *FILES):
                if file_id := usable_id(facts.get(key)):
                    with suppress(Transient, TryLater, NeedsPerson):  # what stays is deleted by hand
                        await self.ask("DELETE", self.file_at(file_id))
