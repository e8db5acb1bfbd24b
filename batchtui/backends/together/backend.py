"""Kind `together`: Together's batches, like OpenAI's in their rows and in little else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from urllib.parse import quote

from batchtui.backends.attachments.rules import IMAGES_ONLY, FileRules
from batchtui.backends.base import (
    BackendSettings,
    Found,
    Job,
    KindLimits,
    Progress,
    RemoteBatch,
    Setup,
    Submission,
    Transient,
)
from batchtui.backends.file_batches.backend import (
    Batches,
    VersionedFileBatches,
    VersionedSettings,
)
from batchtui.backends.file_batches.lines import bare_line, renamed
from batchtui.backends.file_batches.objects import error_of, progress_of
from batchtui.backends.file_batches.said import objects, put
from batchtui.backends.prompts.fields import OPENAI_CHAT, TOGETHER_CHAT, foreign
from batchtui.backends.prompts.forms.media import refuse_other_parts, text_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.backends.prompts.work import ChatWork, endpoint_of
from batchtui.backends.together.card import CARD
from batchtui.backends.wire.calls import CALL_TIMEOUT
from batchtui.backends.wire.replies import Reply, object_of, raise_for
from batchtui.backends.wire.values import iso, usable_id
from batchtui.model import Json

UPLOAD_TIMEOUT = 600.0
_PARTS = ("text", "image_url", "video_url", "audio_url", "input_audio")


class TogetherSettings(VersionedSettings, kw_only=True):
    """`completion_window` is 24h at Together."""

    base_url: str | None = "https://api.together.ai"
    """The address, with or without its version."""
    completion_window: str = "24h"
    """24h at Together."""


class TogetherBackend(VersionedFileBatches):
    """No metadata: a batch is known by its input file, and that by the name it was uploaded under."""

    card = CARD
    Settings = TogetherSettings
    batches_path = "batches"
    limits_source = (
        "Together's batch guide: 50,000 rows and 100 MB a file, 30 billion tokens waiting a model; 2026-11-21"
    )
    defaults = KindLimits(
        jobs_per_submission=50_000,
        bytes_per_submission=100_000_000,
        submissions_at_once=10,
        poll_interval=30.0,
        poll_interval_max=60.0,
        settle=60.0,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, TogetherSettings)
        self.completion_window = setup.settings.completion_window

    def file_rules(self) -> FileRules | None:
        return IMAGES_ONLY

    def built(self, job: Job[ChatWork]) -> dict[str, Json]:
        body = renamed(super().built(job), {"max_completion_tokens": "max_tokens"})
        if isinstance(body.get("messages"), list):
            refuse_other_parts(body["messages"], _PARTS, "Together")
            body["messages"] = [_message(one, place) for place, one in enumerate(body["messages"])]
        return body

    def own_fields(self, work: ChatWork) -> frozenset[str] | None:
        return TOGETHER_CHAT

    def not_taken(self, work: ChatWork, body: dict[str, Json]) -> dict[str, str]:
        """What Together's description lacks of OpenAI's fields is left out where that is asked for.

        It is let through else: the description says nothing of refusing it.
        """
        known = TOGETHER_CHAT if work.drop_unsupported else TOGETHER_CHAT | OPENAI_CHAT
        return foreign(body, known, "Together")

    def line(self, job: Job[ChatWork]) -> bytes:
        return bare_line(self.wire_id(job.index, job.id, job.token), self.body(job))

    # ---- sending

    async def send_file(self, path: Path, name: str) -> dict[str, Json]:
        """Announce it, put its bytes where the server says, then say that they are there."""
        fields = {
            "purpose": "batch-api",
            "file_name": name,
            "file_type": "jsonl",
            "checksum": await asyncio.to_thread(_checksum, path),
        }
        reply = await self.http.submit_form(self.at(self.files_path), fields=fields, timeout=CALL_TIMEOUT)
        if reply.status == 409 and isinstance(reply.json, dict) and reply.json.get("file_id"):
            return {"id": reply.json["file_id"]}  # the same bytes are there already
        address, file_id = reply.headers.get("location"), usable_id(reply.headers.get("x-together-file-id"))
        if reply.status >= 400 or not address or file_id is None:
            raise_for(_unless_redirect(reply))
            raise Transient("the reply names no place for the file's bytes", kind="bad_reply")
        put(await self.http.send_file("PUT", address, source=path, timeout=UPLOAD_TIMEOUT))
        done = self.at(f"{self.files_path}/{quote(file_id, safe='')}/preprocess")
        file = object_of(await self.http.request_json("POST", done, timeout=CALL_TIMEOUT))
        return {**file, "id": file_id}

    def create_call(
        self, submission: Submission, file_id: str, first: Job[ChatWork]
    ) -> tuple[str, dict[str, Json]]:
        body = {
            "endpoint": endpoint_of(first.work),
            "input_file_id": file_id,
            "completion_window": self.completion_window,
        }
        return self.at(self.batches_path), body

    def created(self, reply: dict[str, Json]) -> dict[str, Json]:
        job = reply.get("job")
        return job if isinstance(job, dict) else reply

    # ---- looking

    async def pages(self, most: int, submission: Submission | None = None) -> Batches:
        """One page: the list is a bare array of all."""
        page = await self.list_page(self.batches_path)
        yield objects(page.get("data") if isinstance(page, dict) else page)

    async def list(self) -> Sequence[RemoteBatch]:
        """Each with the token that its input file was uploaded under, where that file is there."""
        page = await self.list_page(self.batches_path)
        tokens = await self._tokens()
        found: list[RemoteBatch] = []
        for batch in objects(page.get("data") if isinstance(page, dict) else page):
            if (one := self.remote_batch(batch)) is not None:
                one.token = tokens.get(str(batch.get("input_file_id")))
                one.tells = one.token is not None
                found.append(one)
        return found

    async def _tokens(self) -> dict[str, str]:
        """By file, the name that it was uploaded under, without the ending of ours."""
        page = await self.list_page(self.files_path)
        files = objects(page.get("data") if isinstance(page, dict) else page)
        named = {str(file.get("id")): file.get("filename") for file in files}
        return {id_: name.removesuffix(".jsonl") for id_, name in named.items() if isinstance(name, str)}

    async def find(self, submission: Submission) -> Found:
        """By the input file; where its id was not written down, by the name it was uploaded under."""
        if usable_id(submission.facts.get("file_id")):
            return await super().find(submission)
        ours = {id_ for id_, token in (await self._tokens()).items() if token == submission.token}
        async with aclosing(self.pages(1)) as pages:
            async for batches in pages:
                for batch in batches:
                    remote_id = self.id_of(batch)
                    if remote_id and batch.get("input_file_id") in ours:
                        return Found(remote_id=remote_id)
        return Found(absent=True)

    def is_ours(self, batch: dict[str, Json], submission: Submission) -> bool:
        return batch.get("input_file_id") == submission.facts.get("file_id")

    def progress_of(self, batch: dict[str, Json], jobs: int) -> Progress:
        """Its percentage as a count of jobs, good and bad alike; the rows tell them apart at the end."""
        progress = progress_of(batch)
        percent = batch.get("progress")
        if isinstance(percent, int | float) and not isinstance(percent, bool) and 0 < percent <= 100:
            progress.completed, progress.total = int(jobs * percent / 100), jobs
        progress.error = progress.error or error_of(batch)
        return progress

    def remote_batch(self, batch: dict[str, Json]) -> RemoteBatch | None:
        remote_id = self.id_of(batch)
        if remote_id is None:
            return None
        return RemoteBatch(
            remote_id=remote_id,
            status=str(batch.get("status") or ""),
            created=iso(batch.get("created_at")),
        )


def _message(message: Json, place: int) -> Json:
    """A message whose content is text alone where it is not the user's, its calls numbered."""
    if not isinstance(message, dict):
        return message
    if message.get("role") == "user":
        content = message.get("content")
        return (
            message | {"content": [_part(part) for part in content]} if isinstance(content, list) else message
        )
    made = message | ({"role": "system"} if message.get("role") == "developer" else {})
    content = made.get("content")
    if isinstance(content, list):
        texts = [text_of(part) for part in content]
        if None in texts:
            raise Unfit(
                f"messages[{place}].content", "Together takes text alone in turns that are not the user's"
            )
        made["content"] = "".join(text or "" for text in texts)
    if isinstance(calls := made.get("tool_calls"), list):
        made["tool_calls"] = [{"index": number, **call} for number, call in enumerate(calls)]
    return made


def _part(part: Json) -> Json:
    """An image is its address alone: how closely it is looked at cannot be said there."""
    image = part.get("image_url") if isinstance(part, dict) else None
    return part | {"image_url": {"url": image.get("url")}} if isinstance(image, dict) else part


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unless_redirect(reply: Reply) -> Reply:
    """A redirect is the answer that was asked for; what it lacks is told by the caller."""
    if 300 <= reply.status < 400:
        return Reply(200, reply.headers, reply.json, reply.text)
    return reply
