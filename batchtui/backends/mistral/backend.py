"""Kind `mistral`: Mistral's batch jobs over its files; looked up by metadata, which the server filters by."""

from __future__ import annotations

from pathlib import Path

from batchtui.backends.attachments.parts import mistral, with_files
from batchtui.backends.attachments.rules import MISTRAL, FileRules
from batchtui.backends.base import (
    BackendSettings,
    Job,
    KindLimits,
    Progress,
    RemoteBatch,
    RemoteJob,
    Setup,
    Submission,
)
from batchtui.backends.file_batches.backend import Batches, VersionedFileBatches, VersionedSettings
from batchtui.backends.file_batches.input_files import openai_row
from batchtui.backends.file_batches.lines import bare_line, renamed
from batchtui.backends.file_batches.objects import NAME_KEY, TOKEN_KEY, error_of, metadata_of
from batchtui.backends.file_batches.said import objects
from batchtui.backends.mistral.card import CARD
from batchtui.backends.prompts.fields import MISTRAL_CHAT, foreign
from batchtui.backends.prompts.forms.media import media_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.backends.prompts.work import CHAT, ChatWork, endpoint_of, request_body
from batchtui.backends.wire.replies import object_of
from batchtui.backends.wire.values import iso, usable_id
from batchtui.model import Json, SubmissionState
from batchtui.text import cell

PAGE = 100
NAME_LIMIT = 500
TIMEOUT_HOURS = range(1, 7 * 24)
ENDPOINTS = (
    CHAT, "/v1/embeddings", "/v1/fim/completions", "/v1/moderations", "/v1/chat/moderations", "/v1/ocr",
    "/v1/classifications", "/v1/chat/classifications", "/v1/conversations", "/v1/audio/transcriptions",
)  # fmt: skip
_OURS = {"seed": "random_seed", "max_completion_tokens": "max_tokens"}
"""OpenAI's names for what Mistral calls otherwise."""
_EFFORTS = ("high", "none")
_PARTS = ("text", "image_url", "document_url", "reference", "file", "thinking", "input_audio")
_OF_A_TURN = {
    "assistant": ("role", "content", "tool_calls", "prefix"),
    "tool": ("role", "content", "tool_call_id", "name"),
}
"""Fields of a message, by its role; it takes no others."""
_LIVE = {
    "QUEUED": SubmissionState.SUBMITTED,
    "RUNNING": SubmissionState.PROCESSING,
    "CANCELLATION_REQUESTED": SubmissionState.CANCELLING,
}
_ENDED = {
    "SUCCESS": "completed",
    "FAILED": "failed",
    "TIMEOUT_EXCEEDED": "expired",
    "CANCELLED": "cancelled",
}


class MistralSettings(VersionedSettings, kw_only=True):
    """`timeout_hours` is how long a job may take before it expires: 1 to 167."""

    base_url: str | None = "https://api.mistral.ai"
    """The address, with or without its version."""
    timeout_hours: int = 24
    """How long a job may take there before it expires: 1 to 167."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.timeout_hours not in TIMEOUT_HOURS:
            raise ValueError(f"timeout_hours: expected 1 to {TIMEOUT_HOURS[-1]}, got {self.timeout_hours}")


class MistralBackend(VersionedFileBatches):
    """Half the price; a job holds one model and one endpoint, and its results do not expire."""

    card = CARD
    Settings = MistralSettings
    endpoints = ENDPOINTS
    batches_path = "batch/jobs"
    limits_source = "Mistral's batch guide: 1,000,000 rows waiting in a workspace, 512 MB a file; 2026-11-21"
    defaults = KindLimits(
        jobs_per_submission=100_000,
        bytes_per_submission=512_000_000,
        submissions_at_once=10,
        poll_interval=15.0,
        poll_interval_max=60.0,
        settle=60.0,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, MistralSettings)
        self.timeout_hours = setup.settings.timeout_hours

    # ---- jobs

    def group(self, job: Job[ChatWork]) -> str:
        return f"{endpoint_of(job.work)} {self.model(job)}"

    def built(self, job: Job[ChatWork]) -> dict[str, Json]:
        body = renamed(request_body(job.work, self.default_model), _OURS)
        if endpoint_of(job.work) == CHAT:
            messages = [message_of(one, place) for place, one in enumerate(body.get("messages") or [])]
            body["messages"] = with_files(messages, [mistral(one) for one in job.files])
        return body

    def own_fields(self, work: ChatWork) -> frozenset[str] | None:
        return MISTRAL_CHAT if endpoint_of(work) == CHAT else None

    def not_taken(self, work: ChatWork, body: dict[str, Json]) -> dict[str, str]:
        own = self.own_fields(work)
        if own is None:
            return {}
        told = foreign(body, own, "Mistral")
        if body.get("reasoning_effort") not in (None, *_EFFORTS):
            told["reasoning_effort"] = f"is {' or '.join(_EFFORTS)} at Mistral"
        return told

    def file_rules(self) -> FileRules | None:
        return MISTRAL

    def line(self, job: Job[ChatWork]) -> bytes:
        body = self.body(job)
        body.pop("model", None)  # it stands once, in the job
        return bare_line(self.wire_id(job.index, job.id, job.token), body)

    # ---- sending

    async def send_file(self, path: Path, name: str) -> dict[str, Json]:
        reply = await self.http.upload(
            self.at("files"), fields={"purpose": "batch"}, filename=name, source=path
        )
        return object_of(reply)

    def create_call(
        self, submission: Submission, file_id: str, first: Job[ChatWork]
    ) -> tuple[str, dict[str, Json]]:
        body = {
            "endpoint": endpoint_of(first.work),
            "input_files": [file_id],
            "model": self.model(first),
            "metadata": {TOKEN_KEY: submission.token, NAME_KEY: submission.batch_name[:NAME_LIMIT]},
            "timeout_hours": self.timeout_hours,
        }
        return self.at(self.batches_path), body

    # ---- looking

    def input_file(self, batch: dict[str, Json]) -> str | None:
        ids = batch.get("input_files")
        return usable_id(ids[0]) if isinstance(ids, list) and len(ids) == 1 else None

    def remote_job(self, row: dict[str, Json], batch: dict[str, Json]) -> RemoteJob | None:
        """Model and endpoint stand once, in the batch."""
        job = openai_row(row)
        if job is not None:
            job.work["endpoint"] = str(batch.get("endpoint") or CHAT)
            if isinstance(batch.get("model"), str):
                job.work["body"] = {"model": batch["model"], **job.work["body"]}
        return job

    async def pages(self, most: int, submission: Submission | None = None) -> Batches:
        params: dict[str, str | int] = {"page_size": PAGE, "order_by": "-created"}
        if submission is not None:
            params[TOKEN_KEY] = submission.token
        for number in range(most):
            page = await self.list_page(self.batches_path, {**params, "page": number})
            data = objects(page.get("data") or [] if isinstance(page, dict) else page)
            yield data
            total = page.get("total") if isinstance(page, dict) else None
            if not data or (isinstance(total, int) and (number + 1) * PAGE >= total):
                return

    def is_ours(self, batch: dict[str, Json], submission: Submission) -> bool:
        return metadata_of(batch).get(TOKEN_KEY) == submission.token

    def progress_of(self, batch: dict[str, Json], jobs: int) -> Progress:
        word = str(batch.get("status") or "").strip().upper().replace("-", "_")
        completed, failed, total = (
            _count(batch.get(key)) for key in ("succeeded_requests", "failed_requests", "total_requests")
        )
        progress = Progress(
            state=SubmissionState.PROCESSING,
            completed=completed if total else None,
            failed=failed if total else None,
            total=total or None,
            error=error_of(batch),
            facts={
                fact: batch[key]
                for fact, key in (("output_file_id", "output_file"), ("error_file_id", "error_file"))
                if batch.get(key)
            },
        )
        if word in _ENDED:
            progress.state, progress.ended_as = SubmissionState.ENDED, _ENDED[word]
        elif word in _LIVE:
            progress.state = _LIVE[word]
        else:
            progress.error = f'the backend calls its status "{cell(word, 40)}", which is not known; asking on'
        return progress

    def remote_batch(self, batch: dict[str, Json]) -> RemoteBatch | None:
        remote_id = self.id_of(batch)
        if remote_id is None:
            return None
        metadata = metadata_of(batch)
        token, name = metadata.get(TOKEN_KEY), metadata.get(NAME_KEY) or metadata.get("job_name")
        return RemoteBatch(
            remote_id=remote_id,
            status=str(batch.get("status") or ""),
            created=iso(batch.get("created_at")),
            jobs=_count(batch.get("total_requests")) or None,
            token=token if isinstance(token, str) else None,
            name=name if isinstance(name, str) else None,
        )


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def message_of(message: Json, place: int = 0) -> Json:
    """A message with the role, the fields and the parts that Mistral knows. Raises Unfit."""
    if not isinstance(message, dict):
        return message
    role = "system" if message.get("role") == "developer" else message.get("role")
    known = _OF_A_TURN.get(str(role), ("role", "content"))
    made = {key: value for key, value in message.items() if key in known} | {"role": role}
    if isinstance(made.get("content"), list):
        parts = enumerate(made["content"])
        made["content"] = [_part(part, f"messages[{place}].content[{number}]") for number, part in parts]
    return made


def _part(part: Json, place: str) -> Json:
    kind = part.get("type") if isinstance(part, dict) else None
    media = media_of(part, place) if isinstance(part, dict) else None
    if media is not None and media.form == "audio" and (media.data or media.url):
        return {"type": "input_audio", "input_audio": media.data or media.url}
    if media is not None and media.form == "file":
        if media.file_id:
            return {"type": "file", "file_id": media.file_id}
        named = {"document_name": media.name} if media.name else {}
        return {"type": "document_url", "document_url": media.address, **named}
    if kind is not None and kind not in _PARTS:
        raise Unfit(place, f'Mistral has no part of type "{kind}"; it takes {", ".join(_PARTS)}')
    return part
