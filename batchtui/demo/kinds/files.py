"""The Files API: multipart uploads kept word for word on disk, listed in pages, read back byte for byte."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import FileResponse, Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route
from batchtui.demo.kinds.openai.bodies import invalid, missing
from batchtui.demo.kinds.openai.shape import page
from batchtui.model import Json

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_BATCH_INPUT_LIVES = 30 * 86_400


class StoredFile(msgspec.Struct):
    """A file object as it is answered; the bytes lie in the server's folder under its id."""

    id: str
    object: str
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: str = "processed"
    status_details: str | None = None


class Files:
    """The files of one kind, with their routes."""

    def __init__(self, owner: DemoKind) -> None:
        self.owner, self.world = owner, owner.world
        self.stored: dict[str, StoredFile] = {}

    def routes(self, prefix: str = "/v1/files") -> list[Route]:
        return [
            Route("POST", prefix, "upload", self.upload),
            Route("GET", prefix, "list", self.list),
            Route("GET", prefix + "/{id}", "read", self.read),
            Route("DELETE", prefix + "/{id}", "delete", self.delete),
            Route("GET", prefix + "/{id}/content", "results", self.content),
        ]

    def new_id(self) -> str:
        return self.world.new_id("file-")

    def shown(self, file: StoredFile) -> dict[str, Json]:
        """The file object as it is answered."""
        return dict(msgspec.to_builtins(file))

    def path(self, file_id: str) -> Path:
        return self.world.folder / file_id

    def find(self, file_id: str) -> StoredFile:
        found = self.stored.get(file_id)
        if found is None:
            raise ApiError(404, f"No such File object: {file_id[:100]}", param="id")
        return found

    @contextmanager
    def writing(
        self, filename: str, purpose: str, expires_at: int | None = None
    ) -> Iterator[tuple[str, IO[bytes]]]:
        """A new file (its id, and what to write to); it exists for clients once the block ends well."""
        file_id, stored = self.new_id(), self.stored
        with self.path(file_id).open("wb") as out:
            yield file_id, out
            size = out.tell()
        stored[file_id] = StoredFile(file_id, "file", size, int(time.time()), expires_at, filename, purpose)

    def add(self, file_id: str, filename: str, purpose: str, size: int) -> None:
        """A file whose bytes lie at its path already."""
        self.stored[file_id] = StoredFile(file_id, "file", size, int(time.time()), None, filename, purpose)

    def reset(self) -> None:
        self.stored = {}  # a new one: a thread that still writes must not bring its file back

    async def upload(self, call: Call) -> Response:
        try:
            async with call.request.form(max_files=1, max_fields=20) as form:
                stored = await self._keep(form)
        except MultiPartException as fault:
            raise ApiError(400, fault.message) from None
        call.remote_id = stored.id
        return self.owner.reply(self.shown(stored))

    async def _keep(self, form: FormData) -> StoredFile:
        upload, purpose = form.get("file"), form.get("purpose")
        if not isinstance(upload, UploadFile):
            raise missing("file")
        if purpose is None:
            raise missing("purpose")
        if purpose not in PURPOSES:
            raise invalid("purpose", f"supported values are: {', '.join(PURPOSES)}.")
        name = upload.filename or "upload"
        if purpose == "batch" and not name.endswith(".jsonl"):
            raise invalid("file", "a file for the Batch API must be named .jsonl.")
        expires_at = _expiry(form, purpose)

        def copy() -> str:
            with self.writing(name, str(purpose), expires_at) as (file_id, out):
                shutil.copyfileobj(upload.file, out, 1 << 20)
            return file_id

        return self.stored[await asyncio.to_thread(copy)]

    async def list(self, call: Call) -> Response:
        query = call.request.query_params
        order, purpose = query.get("order", "desc"), query.get("purpose")
        if order not in ("asc", "desc"):
            raise invalid("order", "supported values are: asc, desc.")
        files = [file for file in list(self.stored.values()) if purpose in (None, file.purpose)]
        if order == "desc":
            files.reverse()
        items: list[dict[str, Json]] = [self.shown(file) for file in files]
        return self.owner.reply(page(call.request, items, default=10_000, most=10_000))

    async def read(self, call: Call) -> Response:
        return self.owner.reply(self.shown(self.find(call.params["id"])))

    async def delete(self, call: Call) -> Response:
        stored = self.find(call.params["id"])
        del self.stored[stored.id]  # the bytes stay for a batch that still reads them
        return self.owner.reply({"id": stored.id, "object": "file", "deleted": True})

    async def content(self, call: Call) -> Response:
        stored = self.find(call.params["id"])
        return FileResponse(
            self.path(stored.id),
            headers=self.owner.headers(),
            media_type="application/octet-stream",
            filename=stored.filename,
        )


def _expiry(form: FormData, purpose: str) -> int | None:
    """When the file goes, from `expires_after[anchor]` and `expires_after[seconds]`."""
    anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return int(time.time()) + _BATCH_INPUT_LIVES if purpose == "batch" else None
    if anchor != "created_at":
        raise invalid("expires_after[anchor]", "supported values are: created_at.")
    if not str(seconds).isdecimal() or not 3600 <= int(str(seconds)) <= _BATCH_INPUT_LIVES:
        raise invalid("expires_after[seconds]", f"expected an integer from 3600 to {_BATCH_INPUT_LIVES}.")
    return int(time.time()) + int(str(seconds))
