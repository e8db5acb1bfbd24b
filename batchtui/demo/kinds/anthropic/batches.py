"""Anthropic's message batches."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import ClassVar

from starlette.responses import FileResponse, Response

from batchtui.demo.kinds.anthropic import rows as rows
from batchtui.demo.kinds.anthropic.shape import PREFIX, AnthropicShape, page, rfc3339, version_of
from batchtui.demo.kinds.base import ApiError, Call, Route
from batchtui.demo.run import Run
from batchtui.demo.world import World
from batchtui.model import Json

_PATH = f"{PREFIX}/v1/messages/batches"
_MARK = re.compile(r"([0-9a-f]{8})[-_]")


class Batch:
    """One batch: its requests, and how far it is."""

    def __init__(self, world: World, asked: rows.Rows) -> None:
        self.world, self.asked = world, asked
        self.id = world.new_id("msgbatch_")
        self.token = _token([request.custom_id for request in asked.requests[:1]])
        self.run = Run(world, asked.failing, self._write)

    @property
    def path(self) -> Path:
        return self.world.folder / f"{self.id}.jsonl"

    def _write(self, done: int, ended_as: str) -> None:
        """Leaves the results (in a thread)."""
        with self.path.open("wb") as out:
            rows.write(self.world, self.asked, done, ended_as, out)
        self.asked.requests = []

    def body(self, base: str) -> dict[str, Json]:
        run, times = self.run, self.run.times
        ended, cancelled = run.ended, "cancelling" in times
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "canceling" if cancelled else "in_progress",
            "request_counts": self._counts(),
            "created_at": rfc3339(times["created"]),
            "expires_at": rfc3339(run.expires),
            "ended_at": rfc3339(times[run.status]) if ended else None,
            "cancel_initiated_at": rfc3339(times["cancelling"]) if cancelled else None,
            "archived_at": None,
            "results_url": f"{base}{_PATH}/{self.id}/results" if ended else None,
        }

    def _counts(self) -> dict[str, int]:
        """Nothing moves before the whole batch has ended."""
        run, counts = (
            self.run,
            dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0),
        )
        if not run.ended:
            return counts | {"processing": run.total}
        done = run.counts
        rest = done.total - done.completed - done.failed
        counts["canceled" if run.status == "cancelled" else "expired"] = rest
        return counts | {"succeeded": done.completed, "errored": done.failed}


class AnthropicDemo(AnthropicShape):
    name: ClassVar[str] = "anthropic"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.batches: dict[str, Batch] = {}
        self._made = 0

    def routes(self) -> list[Route]:
        return [
            Route("POST", _PATH, "create", self.create),
            Route("GET", _PATH, "list", self.list),
            Route("GET", f"{_PATH}/{{id}}", "poll", self.poll),
            Route("DELETE", f"{_PATH}/{{id}}", "delete", self.delete),
            Route("POST", f"{_PATH}/{{id}}/cancel", "cancel", self.cancel),
            Route("GET", f"{_PATH}/{{id}}/results", "results", self.results),
        ]

    def reset(self) -> None:
        self.batches.clear()

    async def describe(self, call: Call) -> None:
        """A batch has no metadata: what marks it are the first 8 hex digits of its requests' ids, if they are such."""
        if call.op == "create":
            asked = await call.json()
            ids = [one.get("custom_id") for one in asked.get("requests") or () if isinstance(one, dict)]
            self._mark(call, [str(one) for one in ids])
        elif call.op == "cancel":
            call.remote_id = call.params["id"]

    def _mark(self, call: Call, ids: list[str]) -> None:
        call.token, call.job_ids = _token(ids), ids

    async def create(self, call: Call) -> Response:
        version, data = version_of(call), await call.request.body()
        self._made += 1
        asked = await asyncio.to_thread(rows.read, self.world, data, self._made, version)
        batch = Batch(self.world, asked)
        self._mark(call, [request.custom_id for request in asked.requests])
        self.batches[batch.id] = batch
        call.remote_id = batch.id
        return self._reply(call, batch)

    async def list(self, call: Call) -> Response:
        version_of(call)
        newest_first = [batch.body(_base(call)) for batch in reversed(self.batches.values())]
        return self.reply(page(call.request, newest_first))

    async def poll(self, call: Call) -> Response:
        return self._reply(call, self._find(call))

    async def cancel(self, call: Call) -> Response:
        call.remote_id = call.params["id"]
        batch = self._find(call)
        call.token = batch.token
        if not batch.run.cancel():
            raise ApiError(400, f"Batch {batch.id} has already ended and cannot be canceled.")
        return self._reply(call, batch)

    async def delete(self, call: Call) -> Response:
        batch = self._find(call)
        if not batch.run.ended:
            raise ApiError(
                400, f"Batch {batch.id} cannot be deleted while it is processing; cancel it first."
            )
        del self.batches[batch.id]
        return self.reply({"id": batch.id, "type": "message_batch_deleted"})

    async def results(self, call: Call) -> Response:
        batch = self._find(call)
        if not batch.run.ended:
            raise ApiError(404, f"Batch {batch.id} has no results yet.")
        return FileResponse(batch.path, headers=self.headers(), media_type="application/x-jsonl")

    def _reply(self, call: Call, batch: Batch) -> Response:
        return self.reply(batch.body(_base(call)))

    def _find(self, call: Call) -> Batch:
        version_of(call)
        batch = self.batches.get(call.params["id"])
        if batch is None:
            raise ApiError(404, f"No message batch found with id {call.params['id'][:100]}.")
        return batch


def _base(call: Call) -> str:
    return str(call.request.base_url).rstrip("/")


def _token(ids: list[str]) -> str | None:
    match = _MARK.match(ids[0]) if ids else None
    return match[1] if match else None
