"""Together's batches: an upload in three steps, a create that wraps its job, a bare list, percent in place of counts."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from typing import ClassVar

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, Route, json_response
from batchtui.demo.kinds.file_batch import FileBatch, FileBatches
from batchtui.demo.kinds.files import Files, StoredFile
from batchtui.demo.kinds.openai import rows as openai_rows
from batchtui.demo.kinds.openai.bodies import invalid, missing
from batchtui.demo.kinds.openai.shape import OpenAIShape
from batchtui.demo.world import MODELS, World
from batchtui.model import Json

CHAT = "/v1/chat/completions"
_STATES = {"finalizing": "IN_PROGRESS", "cancelling": "IN_PROGRESS"}
_ENDED = ("completed", "failed", "expired", "cancelled")


class Rows(openai_rows.RowForm):
    """Lines without method and address."""

    max_bytes = 100_000_000

    def read(self, found: openai_rows.Input, line: dict[str, Json]) -> tuple[Json, Json]:
        return line.get("custom_id"), line.get("body")


class TogetherFiles(Files):
    """Files that are announced first, then put at an address of their own without a key."""

    def __init__(self, owner: OpenAIShape) -> None:
        super().__init__(owner)
        self.announced: dict[str, dict[str, str]] = {}

    def routes(self, prefix: str = "/v1/files") -> list[Route]:
        others = [route for route in super().routes(prefix) if route.op != "upload"]
        root = prefix.removesuffix("/v1/files")
        return [
            Route("POST", prefix, "upload", self.announce),
            Route("PUT", root + "/storage/{id}", "read", self.put),
            Route("POST", prefix + "/{id}/preprocess", "read", self.read),
            *others,
        ]

    def reset(self) -> None:
        super().reset()
        self.announced = {}

    def shown(self, file: StoredFile) -> dict[str, Json]:
        return {
            "id": file.id,
            "object": "file",
            "bytes": file.bytes,
            "created_at": file.created_at,
            "filename": file.filename,
            "FileType": "jsonl",
            "purpose": "batch-api",
            "Processed": True,
            "LineCount": 0,
            "processing_status": "COMPLETED",
        }

    async def announce(self, call: Call) -> Response:
        try:
            async with call.request.form(max_files=0, max_fields=20) as form:
                fields = _fields(form)
        except MultiPartException as fault:
            raise ApiError(400, fault.message) from None
        for file_id, known in self.announced.items():
            if known["checksum"] == fields["checksum"] and file_id in self.stored:
                return json_response({"file_id": file_id}, 409)
        file_id = self.new_id()
        self.announced[file_id], call.remote_id = fields, file_id
        place = f"{call.request.url.scheme}://{call.request.url.netloc}{self.owner.prefix}/storage/{file_id}"
        return Response(status_code=302, headers={"location": place, "x-together-file-id": file_id})

    async def put(self, call: Call) -> Response:
        """The bytes, which must have the checksum that was announced."""
        file_id = call.params["id"]
        fields = self.announced.get(file_id)
        if fields is None:
            raise ApiError(403, "Request has expired")
        content = await call.request.body()
        if hashlib.sha256(content).hexdigest() != fields["checksum"]:
            raise ApiError(400, "The checksum does not match.")

        def keep() -> None:
            self.path(file_id).write_bytes(content)

        await asyncio.to_thread(keep)
        self.add(file_id, fields["file_name"], "batch-api", len(content))
        return Response(status_code=200)

    async def list(self, call: Call) -> Response:
        return self.owner.reply({"data": [self.shown(file) for file in self.stored.values()]})


class Batch(FileBatch):
    """One batch."""

    result_purpose = "batch-api"

    def body(self) -> dict[str, Json]:
        run, counts, times = self.run, self.run.counts, self.run.times
        ended = next((times[name] for name in _ENDED if name in times), None)
        done = counts.completed + counts.failed
        problem = self.found.problems[0] if run.status == "failed" else None
        return {
            "id": self.id,
            "user_id": "demo-user",
            "input_file_id": self.asked["input_file_id"],
            "file_size_bytes": self.found.path.stat().st_size,
            "status": _STATES.get(run.status, run.status.upper()),
            "job_deadline": _iso(run.expires),
            "created_at": _iso(times["created"]),
            "endpoint": self.found.endpoint,
            "progress": round(100 * done / counts.total, 2) if counts.total else 0.0,
            "model_id": self.found.model,
            "output_file_id": self.results["output"],
            "error_file_id": self.results["error"],
            "error": f"line {problem['line']}: {problem['message']}" if problem else None,
            "completed_at": None if ended is None else _iso(ended),
        }


class TogetherDemo(FileBatches[Batch], OpenAIShape):
    name: ClassVar[str] = "together"
    prefix: ClassVar[str] = "/together"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.files = TogetherFiles(self)
        self.batches: dict[str, Batch] = {}
        self.rows = Rows()

    def routes(self) -> list[Route]:
        return [
            *self.files.routes(f"{self.prefix}/v1/files"),
            Route("GET", f"{self.prefix}/v1/models", "models", self.models),
            *self.batch_routes(f"{self.prefix}/v1/batches"),
        ]

    def headers(self) -> dict[str, str]:
        return {"x-request-id": self.world.new_id("")}

    def unknown(self, batch_id: str) -> ApiError:
        return ApiError(404, f"Batch not found: {batch_id}")

    def over(self, batch: Batch) -> ApiError:
        return ApiError(400, f"Cannot cancel a batch with status {batch.run.status.upper()}")

    async def create(self, call: Call) -> Response:
        asked = await call.json()
        call.token = self.token(asked)
        for name in ("input_file_id", "endpoint"):
            if name not in asked:
                raise missing(name)
        if asked["endpoint"] != CHAT:
            raise invalid("endpoint", f"supported values are: {CHAT}.")
        if asked["input_file_id"] not in self.files.stored:
            raise ApiError(404, f"File not found: {str(asked['input_file_id'])[:100]}", param="input_file_id")
        path, number = self.files.path(asked["input_file_id"]), len(self.batches)
        found = await asyncio.to_thread(
            openai_rows.scan, self.world, path, CHAT, number, self.rows, asked.get("model_id")
        )
        batch = self.keep(call, Batch(self.files, asked, found, self.world.new_id("batch-")))
        return json_response({"job": batch.body(), "warning": None}, 200, self.headers())

    def token(self, asked: dict[str, Json]) -> str | None:
        """There is no metadata: the name of the input file stands in."""
        stored = self.files.stored.get(str(asked.get("input_file_id")))
        return stored.filename.removesuffix(".jsonl") if stored else None

    async def list(self, call: Call) -> Response:
        return self.reply([batch.body() for batch in reversed(self.batches.values())])

    async def models(self, call: Call) -> Response:
        return self.reply([_model(name) for name in MODELS])


def _fields(form: FormData) -> dict[str, str]:
    """The announcement of a file. Raises ApiError (400)."""
    fields = {name: form.get(name) for name in ("purpose", "file_name", "file_type", "checksum")}
    for name, value in fields.items():
        if not isinstance(value, str) or not value:
            raise missing(name)
    if fields["purpose"] not in ("fine-tune", "calibration", "eval", "batch-api"):
        raise invalid("purpose", "supported values are: fine-tune, eval, batch-api.")
    if len(str(fields["checksum"])) != 64:
        raise invalid("checksum", "expected 64 hexadecimal digits.")
    return {name: str(value) for name, value in fields.items()}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _model(name: str) -> dict[str, Json]:
    return {"id": name, "object": "model", "created": 0, "type": "chat", "organization": "demo"}
