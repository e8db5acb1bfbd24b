"""The file that a batch was made from, read back from a provider that keeps it: the jobs of a batch made elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from batchtui.backends.base import Forgotten, Refused, RemoteJob, Transient
from batchtui.backends.file_batches.result_files import NOT_OF_THE_FILE
from batchtui.backends.prompts.work import CHAT
from batchtui.backends.wire.replies import parse_json
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http

Read = Callable[[dict[str, Json]], RemoteJob | None]


async def input_jobs(http: Http, path: str, read: Read) -> AsyncGenerator[RemoteJob, None]:
    """The jobs of the lines at `path`; a line that holds none is passed over.

    Raises Forgotten where the file is gone, else as `Http.stream_lines`.
    """
    try:
        async with aclosing(http.stream_lines("GET", path)) as lines:
            async for line in lines:
                try:
                    row = parse_json(line)
                except ValueError:
                    continue
                job = read(row) if isinstance(row, dict) else None
                if job:
                    yield job
    except Refused as fault:
        if fault.kind in NOT_OF_THE_FILE:
            raise Transient(f"input file: {fault.message}", kind=fault.kind) from None
        raise Forgotten(f"the input file is gone: {fault.message}") from None


def openai_row(row: dict[str, Json]) -> RemoteJob | None:
    """A job from a line in OpenAI's form: `custom_id`, `url`, `body`."""
    custom_id, body = row.get("custom_id"), row.get("body")
    if not isinstance(body, dict) or custom_id is None:
        return None
    return RemoteJob(str(custom_id), {"body": body, "endpoint": str(row.get("url") or CHAT)})
