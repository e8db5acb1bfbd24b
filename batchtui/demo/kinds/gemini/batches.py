"""Gemini's batches (the Developer API): operations, by file or inline, in both versions of the API."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route, json_response
from batchtui.demo.kinds.gemini.bodies import (
    Rows,
    blocked,
    generated,
    prompt_tokens,
    refusal,
    status_of,
    translated,
)
from batchtui.demo.kinds.gemini.files import GeminiFiles, iso, page
from batchtui.demo.kinds.gemini.forms import misformed
from batchtui.demo.kinds.openai import bodies as openai_bodies
from batchtui.demo.kinds.openai import rows as openai_rows
from batchtui.demo.run import Run
from batchtui.demo.world import MODELS, World
from batchtui.model import Json

VERSIONS = ("v1beta", "v1")
CHAT = "/v1/chat/completions"
MOST_INLINE = 20_000_000
_STATES = {
    "validating": "PENDING",
    "in_progress": "RUNNING",
    "finalizing": "RUNNING",
    "cancelling": "RUNNING",
    "completed": "SUCCEEDED",
    "failed": "FAILED",
    "expired": "EXPIRED",
    "cancelled": "CANCELLED",
}
_ENDED = ("completed", "failed", "expired", "cancelled")
_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"
_CANCELLED, _INVALID = 1, 3


class Batch:
    """One operation. `inline`: its rows came in the create, and go back in the operation."""

    def __init__(
        self, files: GeminiFiles, asked: dict[str, Json], found: openai_rows.Input, model: str, inline: bool
    ) -> None:
        self.files, self.asked, self.found, self.model, self.inline = files, asked, found, model, inline
        self.id = files.world.new_id("")
        self.file_id: str | None = None
        if inline:
            failing = dict(zip(found.order, found.failing, strict=True))
            found.order = sorted(found.order)  # answers to inline rows keep their order
            found.failing = bytes(failing[index] for index in found.order)
        self.run = Run(files.world, found.failing, self._write, valid=not found.problems)

    def _write(self, done: int, ended_as: str) -> None:
        """One file for all rows; of a batch that expires nothing is left."""
        if ended_as == "expired":
            return
        with self.files.writing(f"{self.id}.jsonl", "batch_output") as (file_id, out):
            openai_rows.write(self.files.world, self.found, done, ended_as, out, out)
        self.file_id = file_id

    def body(self, *, listed: bool = False) -> dict[str, Json]:
        run, counts, times = self.run, self.run.counts, self.run.times
        ended = next((times[name] for name in _ENDED if name in times), None)
        total = len(self.found.ids)
        stats = {
            "requestCount": total,
            "successfulRequestCount": counts.completed,
            "failedRequestCount": counts.failed,
            "pendingRequestCount": max(0, total - counts.completed - counts.failed),
        }
        output = {} if listed and self.inline else self._output()
        metadata: dict[str, Json] = {
            "@type": _TYPE,
            "model": f"models/{self.model}",
            "displayName": self.asked.get("displayName", ""),
            "state": f"BATCH_STATE_{_STATES[run.status]}",
            "createTime": iso(times["created"]),
            "updateTime": iso(max(times.values())),
            "batchStats": {name: str(count) for name, count in stats.items() if count},
            "name": f"batches/{self.id}",
        }
        if ended is not None:
            metadata["endTime"] = iso(ended)
        if output:
            metadata["output"] = output
        operation: dict[str, Json] = {"name": f"batches/{self.id}", "metadata": metadata}
        if not run.ended:
            return operation
        operation["done"] = True
        if run.status == "failed":
            problem = self.found.problems[0]
            operation["error"] = {
                "code": _INVALID,
                "message": f"Line {problem['line']}: {problem['message']}",
            }
        elif run.status == "cancelled":
            operation["error"] = {"code": _CANCELLED, "message": "The batch was cancelled."}
        elif output:
            operation["response"] = {"@type": f"{_TYPE}Output", **output}
        return operation

    def _output(self) -> dict[str, Json]:
        if self.file_id is None or not self.run.ended:
            return {}
        if not self.inline:
            return {"responsesFile": f"files/{self.file_id}"}
        rows = [msgspec.json.decode(line) for line in self.files.path(self.file_id).open("rb")]
        answers = [{"metadata": {"key": row.pop("key")}, **row} for row in rows]
        return {"inlinedResponses": {"inlinedResponses": answers}}


class GeminiDemo(DemoKind):
    name: ClassVar[str] = "gemini"
    prefix: ClassVar[str] = "/gemini"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.files = GeminiFiles(self, VERSIONS)
        self.batches: dict[str, Batch] = {}
        self.rows = Rows()

    def routes(self) -> list[Route]:
        found = self.files.routes(self.prefix)
        for version in VERSIONS:
            root = f"{self.prefix}/{version}"
            found += [
                Route("GET", f"{root}/models", "models", self.models),
                Route("POST", root + "/models/{model}:batchGenerateContent", "create", self.create),
                Route("POST", root + "/models/{model}:generateContent", "chat", self.generate),
                Route("POST", root + "/models/{model}:countTokens", "read", self.count),
                Route("GET", f"{root}/batches", "list", self.list),
                Route("GET", root + "/batches/{id}", "poll", self.poll),
                Route("POST", root + "/batches/{id}:cancel", "cancel", self.cancel),
                Route("DELETE", root + "/batches/{id}", "delete", self.delete),
            ]
        return found

    def key(self, request: Request) -> str | None:
        return request.headers.get("x-goog-api-key") or super().key(request)

    def error(self, fault: ApiError) -> Response:
        """Google's form; a key that is not accepted is a bad argument there, and a delay stands in the details."""
        status, details = fault.status, []
        if fault.code == "invalid_api_key":
            status = 400
            info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
            details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info})
        if fault.after is not None:
            delay = f"{fault.after:.3f}s"
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
        error = {"code": status, "message": fault.message, "status": status_of(status).word}
        return json_response({"error": error | ({"details": details} if details else {})}, status)

    def reset(self) -> None:
        self.batches.clear()
        self.files.reset()

    async def describe(self, call: Call) -> None:
        if call.op == "create":
            call.token = _token((await call.json()).get("batch"))
        elif call.op == "cancel":
            call.remote_id = f"batches/{call.params['id']}"

    async def create(self, call: Call) -> Response:
        asked = (await call.json()).get("batch")
        call.token = _token(asked)
        given = asked.get("inputConfig") if isinstance(asked, dict) else None
        if not isinstance(asked, dict) or not isinstance(given, dict):
            raise ApiError(400, "batch.inputConfig: required field is missing.")
        model = self._known(call.params["model"])
        inline = given.get("requests")
        rows = inline.get("requests") if isinstance(inline, dict) else None
        if rows:
            if len(await call.request.body()) > MOST_INLINE:
                raise ApiError(400, "Request payload size exceeds the limit: 20000000 bytes.")
            path = self.world.folder / self.world.new_id("inline-")
            lines = (msgspec.json.encode(_inline(*one)) + b"\n" for one in enumerate(rows))
            path.write_bytes(b"".join(lines))
        elif stored := self.files.named(given.get("fileName")):
            path = self.files.path(stored.id)
        else:
            raise ApiError(404, f"File {str(given.get('fileName'))[:100]} not found.")
        number = len(self.batches)
        found = await asyncio.to_thread(openai_rows.scan, self.world, path, CHAT, number, self.rows, model)
        batch = Batch(self.files, asked, found, model, bool(rows))
        self.batches[batch.id] = batch
        call.remote_id, call.job_ids = f"batches/{batch.id}", found.ids
        return self.reply(batch.body())

    async def generate(self, call: Call) -> Response:
        model = self._known(call.params["model"])
        body = translated(await call.json(), model)
        if body is None:
            raise ApiError(400, "* GenerateContentRequest.contents: contents is not specified")
        if refused := refusal(body):
            raise refused
        answer = openai_bodies.respond(CHAT, body, self.world.faults, self.world.new_id)
        call.remote_id = answer["id"]
        if "[[blocked]]" in openai_bodies.question(body["messages"]):
            return self.reply(blocked(model, answer["id"]))
        return self.reply(generated(answer))

    async def count(self, call: Call) -> Response:
        """Tokens of `contents`, or of a whole `generateContentRequest`."""
        self._known(call.params["model"])
        asked = await call.json()
        request = asked.get("generateContentRequest") or asked
        if translated(request, "") is None:
            raise ApiError(400, "* CountTokensRequest.contents: contents is not specified")
        if told := misformed(request):
            raise ApiError(400, told)
        count = prompt_tokens(request)
        details = [{"modality": "TEXT", "tokenCount": count}]
        return self.reply({"totalTokens": count, "promptTokensDetails": details})

    async def list(self, call: Call) -> Response:
        newest_first = [batch.body(listed=True) for batch in reversed(self.batches.values())]
        return self.reply(page(call, "operations", newest_first, most=1000))

    async def poll(self, call: Call) -> Response:
        return self.reply(self._find(call).body())

    async def cancel(self, call: Call) -> Response:
        call.remote_id = f"batches/{call.params['id']}"
        batch = self._find(call)
        call.token = _token(batch.asked)
        if not batch.run.cancel():
            raise ApiError(
                400, f"The batch is in the state {_STATES[batch.run.status]} and cannot be cancelled."
            )
        return self.reply({})

    async def delete(self, call: Call) -> Response:
        del self.batches[self._find(call).id]
        return self.reply({})

    async def models(self, call: Call) -> Response:
        return self.reply({"models": [_model(name) for name in MODELS]})

    def _known(self, model: str) -> str:
        if model == "unknown-model":
            text = f"models/{model} is not found for API version v1beta, or is not supported."
            raise ApiError(404, text)
        return model

    def _find(self, call: Call) -> Batch:
        batch = self.batches.get(call.params["id"])
        if batch is None:
            raise ApiError(404, "Requested entity was not found.")
        return batch


def _inline(number: int, row: Json) -> Json:
    """A row as it would stand in a file; without a key it goes by its place."""
    row = row if isinstance(row, dict) else {}
    told = row.get("metadata")
    key = told.get("key") if isinstance(told, dict) else None
    return {"key": str(key or number), "request": row.get("request")}


def _token(batch: Json) -> str | None:
    name = batch.get("displayName") if isinstance(batch, dict) else None
    return name.removeprefix("batchtui-") if isinstance(name, str) and name else None


def _model(name: str) -> dict[str, Json]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "batchGenerateContent"],
    }
