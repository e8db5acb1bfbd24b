"""OpenAI's Batches over its Files."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import ClassVar

from starlette.responses import Response

from batchtui.demo.kinds import openai_rows
from batchtui.demo.kinds.base import ApiError, Call, Route
from batchtui.demo.kinds.files import Files
from batchtui.demo.kinds.openai_bodies import ENDPOINTS, invalid, missing, usage_summary
from batchtui.demo.kinds.openai_shape import OpenAIShape, page
from batchtui.demo.run import Run
from batchtui.demo.world import World
from batchtui.model import Json

_STAMPS = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


class Batch:
    """One batch: what was asked for, what was found in its input, how far it is."""

    def __init__(self, files: Files, asked: dict[str, Json], found: openai_rows.Input) -> None:
        self.files, self.asked, self.found = files, asked, found
        self.id = files.world.new_id("batch_")
        self.output_file_id: str | None = None
        self.error_file_id: str | None = None
        self.usage = usage_summary(0, 0)
        self.run = Run(files.world, found.failing, self._write, valid=not found.problems)

    def _write(self, done: int, ended_as: str) -> None:
        """Leaves the result files (in a thread); a file that would be empty is not made."""
        world, lives = self.files.world, (self.asked.get("output_expires_after") or {}).get("seconds")
        expires_at = int(time.time()) + lives if lives else None
        with ExitStack() as stack:
            open_file = self.files.writing
            output_id, output = stack.enter_context(
                open_file(f"{self.id}_output.jsonl", "batch_output", expires_at)
            )
            error_id, errors = stack.enter_context(
                open_file(f"{self.id}_error.jsonl", "batch_output", expires_at)
            )
            spent = openai_rows.write(world, self.found, done, ended_as, output, errors)
        self.usage = usage_summary(*spent)
        self.output_file_id, self.error_file_id = self._unless_empty(output_id), self._unless_empty(error_id)

    def _unless_empty(self, file_id: str) -> str | None:
        if self.files.stored[file_id].bytes:
            return file_id
        del self.files.stored[file_id]
        return None

    def body(self) -> dict[str, Json]:
        run, counts, times = self.run, self.run.counts, self.run.times
        failed = run.status == "failed"
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.found.endpoint,
            "model": self.found.model,
            "errors": {"object": "list", "data": self.found.problems} if failed else None,
            "input_file_id": self.asked["input_file_id"],
            "completion_window": self.asked["completion_window"],
            "status": run.status,
            "output_file_id": self.output_file_id if run.ended else None,
            "error_file_id": self.error_file_id if run.ended else None,
            "created_at": int(times["created"]),
            "expires_at": int(run.expires),
            **{f"{name}_at": int(times[name]) if name in times else None for name in _STAMPS},
            "request_counts": counts._asdict(),
            "usage": self.usage,
            "metadata": self.asked.get("metadata"),
        }


class OpenAIDemo(OpenAIShape):
    name: ClassVar[str] = "openai"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.files = Files(self)
        self.batches: dict[str, Batch] = {}

    def routes(self) -> list[Route]:
        return [
            *self.files.routes(),
            Route("POST", "/v1/batches", "create", self.create),
            Route("GET", "/v1/batches", "list", self.list),
            Route("GET", "/v1/batches/{id}", "poll", self.poll),
            Route("POST", "/v1/batches/{id}/cancel", "cancel", self.cancel),
        ]

    def backend(self, url: str) -> dict[str, Json]:
        return {"kind": "openai", "base_url": f"{url}/v1", "settle": self.settle, "poll_interval": 0.2}

    def reset(self) -> None:
        self.batches.clear()
        self.files.reset()

    async def describe(self, call: Call) -> None:
        if call.op == "create":
            call.token = _token(await call.json())
        elif call.op == "cancel":
            call.remote_id = call.params["id"]

    async def create(self, call: Call) -> Response:
        asked = await call.json()
        call.token = _token(asked)
        self._check(asked)
        path = self.files.path(asked["input_file_id"])
        number = len(self.batches)
        found = await asyncio.to_thread(openai_rows.scan, self.world, path, asked["endpoint"], number)
        batch = Batch(self.files, asked, found)
        self.batches[batch.id] = batch
        call.remote_id, call.job_ids = batch.id, found.ids
        return self.reply(batch.body())

    def _check(self, asked: dict[str, Json]) -> None:
        for name in ("input_file_id", "endpoint", "completion_window"):
            if name not in asked:
                raise missing(name)
        if asked["endpoint"] not in ENDPOINTS:
            raise invalid("endpoint", f"supported values are: {', '.join(ENDPOINTS)}.")
        if asked["completion_window"] != "24h":
            raise invalid("completion_window", "supported values are: '24h'.")
        stored = self.files.stored.get(str(asked["input_file_id"]))
        if stored is None:
            raise invalid("input_file_id", f"no such file: {str(asked['input_file_id'])[:100]}.")
        if stored.purpose != "batch":
            raise invalid("input_file_id", f"the file's purpose is {stored.purpose}, not batch.")
        _check_metadata(asked.get("metadata"))
        lives = asked.get("output_expires_after")
        if lives is not None and not (isinstance(lives, dict) and isinstance(lives.get("seconds"), int)):
            raise invalid("output_expires_after", "expected an anchor and seconds.")

    async def list(self, call: Call) -> Response:
        newest_first = [batch.body() for batch in reversed(self.batches.values())]
        return self.reply(page(call.request, newest_first, default=20, most=100))

    async def poll(self, call: Call) -> Response:
        return self.reply(self._find(call).body())

    async def cancel(self, call: Call) -> Response:
        call.remote_id = call.params["id"]
        batch = self._find(call)
        call.token = _token(batch.asked)
        if not batch.run.cancel():
            raise ApiError(409, f"Cannot cancel a batch with status '{batch.run.status}'.")
        return self.reply(batch.body())

    def _find(self, call: Call) -> Batch:
        batch = self.batches.get(call.params["id"])
        if batch is None:
            raise ApiError(404, f"No batch found with id '{call.params['id'][:100]}'.", param="id")
        return batch


def _token(asked: dict[str, Json]) -> str | None:
    metadata = asked.get("metadata")
    token = metadata.get("batchtui_token") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else None


def _check_metadata(metadata: Json) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or len(metadata) > 16:
        raise invalid("metadata", "expected an object of at most 16 pairs.")
    for key, value in metadata.items():
        if len(key) > 64 or not isinstance(value, str) or len(value) > 512:
            raise invalid("metadata", f"'{key[:64]}' must be a string of at most 512 characters.")
