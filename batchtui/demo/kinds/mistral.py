"""Mistral's batch jobs: metadata with a filter, upper-case states, flat errors, results in two files or inline."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, Route, json_response
from batchtui.demo.kinds.file_batch import FileBatch, FileBatches, metadata_token
from batchtui.demo.kinds.files import Files, StoredFile
from batchtui.demo.kinds.openai import rows as openai_rows
from batchtui.demo.world import MODELS, World
from batchtui.model import Json

_STATES = {
    "validating": "QUEUED",
    "in_progress": "RUNNING",
    "finalizing": "RUNNING",
    "completed": "SUCCESS",
    "failed": "FAILED",
    "expired": "TIMEOUT_EXCEEDED",
    "cancelling": "CANCELLATION_REQUESTED",
    "cancelled": "CANCELLED",
}
_ENDED = ("completed", "failed", "expired", "cancelled")
_FILTERS = ("page", "page_size", "status", "order_by", "created_by_me", "created_after", "model", "agent_id")
"""Query parameters of the list with a meaning of their own; any other is a pair of metadata."""
_ENDPOINTS = ("/v1/chat/completions", "/v1/embeddings", "/v1/moderations")
_NOT_HERE = (
    "/v1/fim/completions", "/v1/chat/moderations", "/v1/ocr", "/v1/classifications", "/v1/chat/classifications",
    "/v1/conversations", "/v1/audio/transcriptions",
)  # fmt: skip
_TYPES = {401: "authentication_error", 403: "authentication_error", 429: "rate_limit_error"}


class Rows(openai_rows.RowForm):
    """Lines without method and address; rows that never ran leave no line."""

    max_rows, max_bytes = 1_000_000, 512_000_000

    def read(self, found: openai_rows.Input, line: dict[str, Json]) -> tuple[Json, Json]:
        return line.get("custom_id"), line.get("body")

    def undone(self, world: World, row_id: str, ended_as: str) -> Json:
        return None

    def error_body(self, failure: ApiError) -> Json:
        return error_body(failure)


def error_body(fault: ApiError) -> dict[str, Json]:
    """Errors stand flat, not under `error`."""
    kind = _TYPES.get(fault.status, "server_error" if fault.status >= 500 else "invalid_request_error")
    return {
        "object": "error",
        "message": fault.message,
        "type": kind,
        "param": fault.param,
        "code": fault.code,
    }


class MistralFiles(Files):
    def new_id(self) -> str:
        return str(uuid.UUID(hex=self.world.new_id("")))

    def shown(self, file: StoredFile) -> dict[str, Json]:
        sample = {"_output.jsonl": "batch_result", "_error.jsonl": "batch_error"}
        made = next((kind for tail, kind in sample.items() if file.filename.endswith(tail)), None)
        return {
            "id": file.id,
            "object": "file",
            "bytes": file.bytes,
            "created_at": file.created_at,
            "filename": file.filename,
            "purpose": "batch" if made else file.purpose,
            "sample_type": made or "batch_request",
            "num_lines": None,
            "mimetype": "application/jsonl",
            "source": "mistral" if made else "upload",
            "signature": None,
            "expires_at": None,
            "visibility": "workspace",
        }

    async def list(self, call: Call) -> Response:
        files = [self.shown(file) for file in reversed(self.stored.values())]
        return self.owner.reply({"object": "list", "data": _page(call.request, files), "total": len(files)})


class Batch(FileBatch):
    """One batch job."""

    result_purpose = "batch"

    @property
    def status(self) -> str:
        return _STATES[self.run.status]

    def outputs(self) -> list[Json]:
        """The rows of a job that has ended, as `inline=true` asks for them."""
        if self.output_file is None or not self.run.ended:
            return []
        return [msgspec.json.decode(line) for line in self.files.path(self.output_file).open("rb")]

    def body(self, inline: bool = False) -> dict[str, Json]:
        run, counts, times = self.run, self.run.counts, self.run.times
        ended = next((int(times[name]) for name in _ENDED if name in times), None)
        errors = [{"message": fault["message"], "count": 1} for fault in self.found.problems]
        return {
            "id": self.id,
            "object": "batch",
            "status": self.status,
            "input_files": self.asked.get("input_files") or [],
            "endpoint": self.found.endpoint,
            "model": self.asked.get("model"),
            "agent_id": self.asked.get("agent_id"),
            "metadata": self.asked.get("metadata"),
            "output_file": self.results["output"],
            "error_file": self.results["error"],
            "outputs": self.outputs() if inline else None,
            "errors": errors if run.status == "failed" else [],
            "created_at": int(times["created"]),
            "started_at": int(times["in_progress"]) if "in_progress" in times else None,
            "completed_at": ended,
            "total_requests": len(self.found.ids),
            "completed_requests": counts.completed + counts.failed,
            "succeeded_requests": counts.completed,
            "failed_requests": counts.failed,
        }


class MistralDemo(FileBatches[Batch]):
    name: ClassVar[str] = "mistral"
    prefix: ClassVar[str] = "/mistral"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.files = MistralFiles(self)
        self.batches: dict[str, Batch] = {}
        self.rows = Rows()

    def routes(self) -> list[Route]:
        jobs = f"{self.prefix}/v1/batch/jobs"
        return [
            *self.files.routes(f"{self.prefix}/v1/files"),
            Route("GET", f"{self.prefix}/v1/models", "models", self.models),
            *self.batch_routes(jobs),
            Route("DELETE", jobs + "/{id}", "delete", self.delete),
        ]

    def error(self, fault: ApiError) -> Response:
        headers = {} if fault.after is None else {"retry-after": f"{fault.after:.3f}"}
        return json_response(error_body(fault), fault.status, headers)

    def token(self, asked: dict[str, Json]) -> str | None:
        return metadata_token(asked)

    def unknown(self, batch_id: str) -> ApiError:
        return ApiError(404, f"Batch job not found: {batch_id}")

    def over(self, batch: Batch) -> ApiError:
        return ApiError(400, f"Batch job is already {batch.status}")

    async def create(self, call: Call) -> Response:
        asked = await call.json()
        call.token = self.token(asked)
        found = await self._scan(asked)
        batch = self.keep(call, Batch(self.files, asked, found, self.files.new_id()))
        return self.reply(batch.body())

    async def _scan(self, asked: dict[str, Json]) -> openai_rows.Input:
        endpoint = asked.get("endpoint")
        if endpoint in _NOT_HERE:
            raise _unfit("endpoint", f"{endpoint} is Mistral's, and this demo server has no model for it")
        if endpoint not in _ENDPOINTS:
            raise _unfit("endpoint", f"Input should be one of {', '.join((*_ENDPOINTS, *_NOT_HERE))}")
        names, requests = asked.get("input_files") or [], asked.get("requests") or []
        if bool(names) == bool(requests):
            raise _unfit("input_files", "Give either input_files or requests")
        hours = asked.get("timeout_hours", 24)
        if not isinstance(hours, int) or not 1 <= hours < 168:
            raise _unfit("timeout_hours", "Input should be from 1 to 167")
        if asked.get("model") == "unknown-model":
            raise ApiError(400, "Invalid model: unknown-model", code="1500")
        if requests:
            path = self.world.folder / self.world.new_id("inline-")
            path.write_bytes(
                b"".join(msgspec.json.encode(_inline(*one)) + b"\n" for one in enumerate(requests))
            )
        elif len(names) == 1 and names[0] in self.files.stored:
            path = self.files.path(names[0])
        else:
            raise ApiError(404, f"File not found: {str(names)[:100]}")
        number, model = len(self.batches), asked.get("model")
        return await asyncio.to_thread(
            openai_rows.scan, self.world, path, asked["endpoint"], number, self.rows, model
        )

    async def list(self, call: Call) -> Response:
        query = call.request.query_params
        wanted = [(key, value) for key, value in query.multi_items() if key not in _FILTERS]
        states = query.getlist("status")
        found = [
            batch
            for batch in self.batches.values()
            if (not states or batch.status in states)
            and query.get("model") in (None, batch.asked.get("model"))
            and all((batch.asked.get("metadata") or {}).get(key) == value for key, value in wanted)
        ]
        if query.get("order_by", "-created") == "-created":
            found.reverse()
        page = [batch.body() for batch in _page(call.request, found)]
        return self.reply({"object": "list", "data": page, "total": len(found)})

    async def poll(self, call: Call) -> Response:
        inline = call.request.query_params.get("inline") in ("true", "True", "1")
        return self.reply(self.find(call).body(inline))

    async def delete(self, call: Call) -> Response:
        batch = self.find(call)
        if not batch.run.ended:
            raise ApiError(400, f"Batch job is {batch.status}; cancel it first")
        del self.batches[batch.id]
        return self.reply({"id": batch.id, "object": "batch", "deleted": True})

    async def models(self, call: Call) -> Response:
        return self.reply({"object": "list", "data": [_model(name) for name in MODELS]})


def _inline(number: int, request: Json) -> Json:
    """A row that came in the create; without an id it goes by its place."""
    row = request if isinstance(request, dict) else {}
    return {"custom_id": row.get("custom_id") or str(number), "body": row.get("body")}


def _unfit(param: str, message: str) -> ApiError:
    return ApiError(422, f"{param}: {message}", param=param)


def _page(request: Request, items: list[Json]) -> list[Json]:
    """One page by `page` (from 0) and `page_size`. Raises ApiError (422)."""
    page, size = (
        request.query_params.get(key, default) for key, default in (("page", "0"), ("page_size", "100"))
    )
    if not (page.isdecimal() and size.isdecimal() and len(page) < 9 and 1 <= int(size[:9]) <= 1000):
        raise _unfit("page", "expected page from 0 and page_size from 1 to 1000")
    return items[int(page) * int(size) :][: int(size)]


def _model(name: str) -> dict[str, Json]:
    able = {"completion_chat": True, "completion_fim": False, "function_calling": True, "fine_tuning": False}
    return {
        "id": name,
        "object": "model",
        "created": int(time.time()),
        "owned_by": "mistralai",
        "type": "base",
        "capabilities": able,
        "max_context_length": 32768,
    }
