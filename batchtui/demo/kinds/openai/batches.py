"""OpenAI's Batches over its Files."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, Route
from batchtui.demo.kinds.file_batch import FileBatch, FileBatches, metadata_token
from batchtui.demo.kinds.files import Files
from batchtui.demo.kinds.openai import rows as openai_rows
from batchtui.demo.kinds.openai.bodies import ENDPOINTS, invalid, missing, usage_summary
from batchtui.demo.kinds.openai.shape import BASES, OpenAIShape, page
from batchtui.demo.world import World
from batchtui.model import Json

_STAMPS = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


class Batch(FileBatch):
    """One batch."""

    def results_expire(self) -> int | None:
        lives = (self.asked.get("output_expires_after") or {}).get("seconds")
        return int(time.time()) + lives if lives else None

    def body(self) -> dict[str, Json]:
        run, counts, times = self.run, self.run.counts, self.run.times
        failed, results = run.status == "failed", self.results
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.found.endpoint,
            "model": self.found.model,
            "errors": {"object": "list", "data": self.found.problems} if failed else None,
            "input_file_id": self.asked["input_file_id"],
            "completion_window": self.asked["completion_window"],
            "status": run.status,
            "output_file_id": results["output"],
            "error_file_id": results["error"],
            "created_at": int(times["created"]),
            "expires_at": int(run.expires),
            **{f"{name}_at": int(times[name]) if name in times else None for name in _STAMPS},
            "request_counts": counts._asdict(),
            "usage": usage_summary(*self.spent),
            "metadata": self.asked.get("metadata"),
        }


class OpenAIDemo(FileBatches[Batch], OpenAIShape):
    name: ClassVar[str] = "openai"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.files = Files(self)
        self.batches: dict[str, Batch] = {}

    def routes(self) -> list[Route]:
        return [
            route
            for base in BASES
            for route in (*self.files.routes(f"{base}/files"), *self.batch_routes(f"{base}/batches"))
        ]

    def backend(self, url: str) -> dict[str, Json]:
        return {"kind": "openai", "base_url": f"{url}/v1", "settle": self.settle, "poll_interval": 0.2}

    def token(self, asked: dict[str, Json]) -> str | None:
        return metadata_token(asked)

    def unknown(self, batch_id: str) -> ApiError:
        return ApiError(404, f"No batch found with id '{batch_id}'.", param="id")

    def over(self, batch: Batch) -> ApiError:
        return ApiError(409, f"Cannot cancel a batch with status '{batch.run.status}'.")

    async def create(self, call: Call) -> Response:
        asked = await call.json()
        call.token = self.token(asked)
        self._check(asked, own=call.request.scope["path"].startswith("/v1"))
        path = self.files.path(asked["input_file_id"])
        number = len(self.batches)
        found = await asyncio.to_thread(openai_rows.scan, self.world, path, asked["endpoint"], number)
        self._queue(found)
        batch = self.keep(call, Batch(self.files, asked, found, self.world.new_id("batch_")))
        return self.reply(batch.body())

    def _queue(self, found: openai_rows.Input) -> None:
        """A batch that finds the queue of its model full is made, and fails."""
        most = self.world.faults.enqueued
        if most is None:
            return
        live = (batch.found for batch in self.batches.values() if not batch.run.ended)
        if sum(one.tokens for one in live if one.model == found.model) + found.tokens > most:
            text = (
                f"Enqueued token limit reached for {found.model} in organization org-demo. Limit: {most:,} enqueued "
                "tokens. Please try again once some in_progress batches have been completed."
            )
            found.problems.append(openai_rows.Unfit("token_limit_exceeded", text).at(None))

    def _check(self, asked: dict[str, Json], own: bool) -> None:
        """`own`: by OpenAI's rules; others let a batch take longer than a day."""
        for name in ("input_file_id", "endpoint", "completion_window"):
            if name not in asked:
                raise missing(name)
        if asked["endpoint"] not in ENDPOINTS:
            raise invalid("endpoint", f"supported values are: {', '.join(ENDPOINTS)}.")
        if own and asked["completion_window"] != "24h":
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


def _check_metadata(metadata: Json) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or len(metadata) > 16:
        raise invalid("metadata", "expected an object of at most 16 pairs.")
    for key, value in metadata.items():
        if len(key) > 64 or not isinstance(value, str) or len(value) > 512:
            raise invalid("metadata", f"'{key[:64]}' must be a string of at most 512 characters.")
