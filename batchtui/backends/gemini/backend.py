"""Kind `gemini`: batches of Google's Gemini API (the Developer API), by file, looked up by their display name."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from urllib.parse import quote

from batchtui.amounts import counted
from batchtui.backends.attachments.parts import gemini
from batchtui.backends.attachments.rules import GEMINI, FileRules
from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Job,
    KindLimits,
    NeedsPerson,
    Probe,
    Progress,
    Refused,
    RemoteBatch,
    Submission,
    Transient,
    TryLater,
)
from batchtui.backends.file_batches.backend import (
    FILE_FACTS,
    Batches,
    VersionedFileBatches,
    VersionedSettings,
)
from batchtui.backends.file_batches.said import objects, put
from batchtui.backends.gemini import objects as shapes
from batchtui.backends.gemini.card import CARD
from batchtui.backends.gemini.rows import read_answer
from batchtui.backends.gemini.wire import asked_text, check_request, not_taken, request_of, with_files
from batchtui.backends.prompts.work import ChatWork, answers_of, estimate_tokens
from batchtui.backends.wire.calls import CALL_TIMEOUT
from batchtui.backends.wire.replies import object_of, raise_for
from batchtui.model import Json

PAGE = 100
KEY_LIMIT = 128
UPLOAD_TIMEOUT = 1800.0
MODEL_PAGES = 20


class GeminiSettings(VersionedSettings, kw_only=True):
    """`api_version` is v1beta or v1."""

    base_url: str | None = "https://generativelanguage.googleapis.com"
    """The address, with or without its version."""
    api_version: str = "v1beta"
    """`v1beta` or `v1`."""


class GeminiBackend(VersionedFileBatches):
    """Half the price; a file job even for few rows, since row keys survive there and results stream."""

    card = CARD
    Settings = GeminiSettings
    batches_path = "batches"
    file_lives = 40 * 3600.0  # the provider keeps it 48 hours, of which the batch needs some
    limits_source = (
        "Google's batch guide and rate page: 2 GB a file, 20 GB of files, 100 batches at once; 2026-11-21"
    )
    defaults = KindLimits(
        jobs_per_submission=100_000,
        bytes_per_submission=2_000_000_000,
        submissions_at_once=10,
        poll_interval=30.0,
        poll_interval_max=120.0,
        settle=60.0,
    )

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        return {"x-goog-api-key": key} if key else {}

    # ---- jobs

    def body(self, job: Job[ChatWork]) -> dict[str, Json]:
        request = request_of(job.work, self.default_model)
        return with_files(request, [gemini(one) for one in job.files])

    def file_rules(self) -> FileRules | None:
        return GEMINI

    def check(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return check_request(job.work, self.default_model, self.endpoints)

    def left_out(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return list(not_taken(job.work, self.default_model).items()) if job.work.drop_unsupported else []

    def describe(self, job: Job[ChatWork]) -> Json:
        return {"model": self.model(job), **self.body(job)}

    def tokens(self, job: Job[ChatWork]) -> tuple[int, int]:
        return estimate_tokens(asked_text(self.body(job)))

    def answers(self, job: Job[ChatWork]) -> int:
        return answers_of(asked_text(self.body(job)))

    def fits(self, wire_id: str) -> bool:
        return 0 < len(wire_id) <= KEY_LIMIT and wire_id.isprintable()

    def line(self, job: Job[ChatWork]) -> bytes:
        line = {"key": self.wire_id(job.index, job.id, job.token), "request": self.body(job)}
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"

    def read_answer(self, line: bytes, place: str) -> Answer | None:
        return read_answer(line, place)

    # ---- paths

    def batch_at(self, submission: Submission) -> str:
        return self.at(quote(submission.remote_id or "", safe="/"))

    def cancel_at(self, submission: Submission) -> str:
        return f"{self.batch_at(submission)}:cancel"

    def file_at(self, file_id: str) -> str:
        return self.at(quote(file_id, safe="/"))

    def content_at(self, file_id: str) -> str:
        return f"{self.file_at(file_id)}:download?alt=media"

    def id_of(self, batch: dict[str, Json]) -> str | None:
        return shapes.resource(batch.get("name"), "batches")

    def file_id_of(self, value: Json) -> str | None:
        return shapes.resource(value, "files")

    # ---- sending

    async def send_file(self, path: Path, name: str) -> dict[str, Json]:
        """A resumable upload in one piece: announced first, then sent to where the server says."""
        size = _size(path)
        start = await self.http.request_json(
            "POST",
            f"upload/{self.version}/files",
            json={"file": {"display_name": name, "mime_type": "application/jsonl", "size_bytes": size}},
            headers={
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(size),
                "X-Goog-Upload-Header-Content-Type": "application/jsonl",
            },
            timeout=CALL_TIMEOUT,
        )
        raise_for(start)
        address = start.headers.get("x-goog-upload-url")
        if not address:
            raise Transient("the reply names no place for the file's bytes", kind="bad_reply")
        sent = await self.http.send_file(
            "POST",
            address,
            source=path,
            headers={"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"},
            timeout=UPLOAD_TIMEOUT,
        )
        file = object_of(put(sent)).get("file")
        return file if isinstance(file, dict) else {}

    def uploaded_id(self, file: dict[str, Json]) -> Json:
        return file.get("name")

    def create_call(
        self, submission: Submission, file_id: str, first: Job[ChatWork]
    ) -> tuple[str, dict[str, Json]]:
        name = shapes.NAME_PREFIX + submission.token
        body = {"batch": {"displayName": name, "inputConfig": {"fileName": file_id}}}
        model = str(self.model(first))
        model = model if "/" in model else f"models/{model}"
        return self.at(f"{quote(model, safe='/')}:batchGenerateContent"), body

    # ---- looking

    def input_file(self, batch: dict[str, Json]) -> str | None:
        """None: what was uploaded cannot be downloaded."""
        return None

    async def pages(self, most: int, submission: Submission | None = None) -> Batches:
        params: dict[str, str | int] = {"pageSize": PAGE}
        for _ in range(most):
            page = await self.list_page(self.batches_path, params)
            page = page if isinstance(page, dict) else {}
            yield objects(page.get("operations") or [])
            following = page.get("nextPageToken")
            if not isinstance(following, str) or not following or following == params.get("pageToken"):
                return
            params["pageToken"] = following

    def is_ours(self, batch: dict[str, Json], submission: Submission) -> bool:
        return bool(shapes.metadata(batch).get("displayName") == shapes.NAME_PREFIX + submission.token)

    def progress_of(self, batch: dict[str, Json], jobs: int) -> Progress:
        return shapes.progress_of(batch)

    def remote_batch(self, batch: dict[str, Json]) -> RemoteBatch | None:
        return shapes.remote_batch(batch)

    # ---- collecting

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """As any file's; of a batch that was made elsewhere with its rows inline, from the batch itself."""
        if not any(submission.facts.get(key) for _, key in FILE_FACTS):
            batch = await self.batch(submission)
            rows = shapes.inlined(batch) if batch else []
            for number, row in enumerate(rows):
                if isinstance(row, dict):
                    told = row.get("metadata")
                    key = told.get("key") if isinstance(told, dict) else None
                    line = json.dumps({"key": key or str(number), **row}).encode()
                    if keep is not None:
                        keep("output.jsonl", line + b"\n")
                    answer = read_answer(line, f"row {number}")
                    if answer is not None:
                        yield answer
            if rows:
                return
        async with aclosing(super().results(submission, keep)) as answers:
            async for answer in answers:
                yield answer

    async def probe(self) -> Probe:
        """Asks for the models that take batches."""
        models: list[str] = []
        params: dict[str, str | int] = {"pageSize": 1000}
        try:
            for _ in range(MODEL_PAGES):
                reply = await self.http.request_json("GET", self.at("models"), params=params, timeout=20)
                page = object_of(reply)
                models += [model for item in page.get("models") or [] if (model := _model(item))]
                if not isinstance(page.get("nextPageToken"), str) or not page["nextPageToken"]:
                    break
                params["pageToken"] = page["nextPageToken"]
        except (Refused, TryLater, Transient, NeedsPerson) as fault:
            return Probe(ok=False, message=fault.message)
        return Probe(
            ok=True,
            message=f"{self.http.place} answers; {counted(len(models), 'model')}",
            models=sorted(set(models)),
        )


def _size(path: Path) -> int:
    return path.stat().st_size


def _model(item: Json) -> str | None:
    """The name of a model that answers prompts."""
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return None
    methods = item.get("supportedGenerationMethods")
    able = (
        not isinstance(methods, list)
        or not methods
        or {"batchGenerateContent", "generateContent"} & set(map(str, methods))
    )
    return item["name"].removeprefix("models/") if able else None
