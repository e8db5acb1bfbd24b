"""Batches that read one file and leave one or two, whatever their protocols show of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import Generic, TypeVar

from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route
from batchtui.demo.kinds.files import Files
from batchtui.demo.kinds.openai import rows as openai_rows
from batchtui.demo.run import Run
from batchtui.model import Json


class FileBatch(ABC):
    """What was asked for, what was found in its input, how far it is, where its results are."""

    result_purpose = "batch_output"

    def __init__(self, files: Files, asked: dict[str, Json], found: openai_rows.Input, batch_id: str) -> None:
        self.files, self.asked, self.found, self.id = files, asked, found, batch_id
        self.output_file: str | None = None
        self.error_file: str | None = None
        self.spent = (0, 0)
        """Tokens in and out of all answers."""
        self.run = Run(files.world, found.failing, self._write, valid=not found.problems)

    @property
    def results(self) -> dict[str, str | None]:
        """Ids of the files that an ended batch leaves."""
        ended = self.run.ended
        return {"output": self.output_file if ended else None, "error": self.error_file if ended else None}

    @abstractmethod
    def body(self) -> dict[str, Json]:
        """The batch as it is answered."""

    def results_expire(self) -> int | None:
        """When the files go that are written now."""
        return None

    def _write(self, done: int, ended_as: str) -> None:
        """Leaves the result files (in a thread); a file that would be empty is not made."""
        expires_at = self.results_expire()
        with ExitStack() as stack:
            made = [
                stack.enter_context(
                    self.files.writing(f"{self.id}_{name}.jsonl", self.result_purpose, expires_at)
                )
                for name in ("output", "error")
            ]
            (output_id, output), (error_id, errors) = made
            self.spent = openai_rows.write(self.files.world, self.found, done, ended_as, output, errors)
        self.output_file, self.error_file = self._unless_empty(output_id), self._unless_empty(error_id)

    def _unless_empty(self, file_id: str) -> str | None:
        if self.files.stored[file_id].bytes:
            return file_id
        del self.files.stored[file_id]
        return None


B = TypeVar("B", bound=FileBatch)


class FileBatches(DemoKind, Generic[B]):
    """A kind whose batches read a file and leave files: its store, and the calls that differ in their words alone."""

    files: Files
    batches: dict[str, B]

    @abstractmethod
    def token(self, asked: dict[str, Json]) -> str | None:
        """What a create says of itself for the ledger."""

    @abstractmethod
    def unknown(self, batch_id: str) -> ApiError: ...

    @abstractmethod
    def over(self, batch: B) -> ApiError:
        """A cancel that comes too late."""

    def batch_routes(self, path: str) -> list[Route]:
        return [
            Route("POST", path, "create", self.create),
            Route("GET", path, "list", self.list),
            Route("GET", path + "/{id}", "poll", self.poll),
            Route("POST", path + "/{id}/cancel", "cancel", self.cancel),
        ]

    def reset(self) -> None:
        self.batches.clear()
        self.files.reset()

    async def describe(self, call: Call) -> None:
        if call.op == "create":
            call.token = self.token(await call.json())
        elif call.op == "cancel":
            call.remote_id = call.params["id"]

    @abstractmethod
    async def create(self, call: Call) -> Response: ...

    def keep(self, call: Call, batch: B) -> B:
        """A batch that was just made."""
        self.batches[batch.id] = batch
        call.remote_id, call.job_ids = batch.id, batch.found.ids
        return batch

    @abstractmethod
    async def list(self, call: Call) -> Response: ...

    async def poll(self, call: Call) -> Response:
        return self.reply(self.find(call).body())

    async def cancel(self, call: Call) -> Response:
        call.remote_id = call.params["id"]
        batch = self.find(call)
        call.token = self.token(batch.asked)
        if not batch.run.cancel():
            raise self.over(batch)
        return self.reply(batch.body())

    def find(self, call: Call) -> B:
        batch = self.batches.get(call.params["id"])
        if batch is None:
            raise self.unknown(call.params["id"][:100])
        return batch


def metadata_token(asked: dict[str, Json]) -> str | None:
    """The token that a create has in its metadata."""
    metadata = asked.get("metadata")
    token = metadata.get("batchtui_token") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else None
