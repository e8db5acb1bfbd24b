"""The files in which a provider gives results back, read line by line: every row that can be read is an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from batchtui.backends.base import Answer, Forgotten, Refused, Transient
from batchtui.backends.file_batches.files import is_torn

if TYPE_CHECKING:
    from batchtui.backends.http import Http

Keep = Callable[[str, bytes], None]
NOT_OF_THE_FILE = ("redirect", "bad_reply", "request")
"""Refusals that come from the way there, not from the server that would hold the file."""


class ResultFile(NamedTuple):
    """`name` is what it is kept under, without its ending; `path` its address under the base URL."""

    name: str
    path: str


async def read_files(
    http: Http,
    result_files: Sequence[ResultFile],
    keep: Keep | None,
    read: Callable[[bytes, str], Answer | None],
) -> AsyncGenerator[Answer, None]:
    """The answers of all files that are there; `read(line, place)` makes one of a line.

    Raises Forgotten at the end where a file is gone, Transient (`bad_reply`) for one without any readable line,
    else as `Http.stream_lines`.
    """
    gone: list[str] = []
    for one in result_files:
        try:
            async with aclosing(_read_file(http, one, keep, read)) as answers:
                async for answer in answers:
                    yield answer
        except Refused as fault:
            if fault.kind in NOT_OF_THE_FILE:
                raise Transient(f"{one.name} file: {fault.message}", kind=fault.kind) from None
            gone.append(f"the {one.name} file is gone: {fault.message}")
    if gone:
        raise Forgotten("; ".join(gone))


async def _read_file(
    http: Http, one: ResultFile, keep: Keep | None, read: Callable[[bytes, str], Answer | None]
) -> AsyncGenerator[Answer, None]:
    """A file cut short is read once more from where it broke."""
    done = good = bad = 0
    for attempt in (1, 2):
        file_name = f"{one.name}.jsonl" if attempt == 1 else f"{one.name}.{attempt}.jsonl"
        kept = None if keep is None else lambda chunk, kept_as=file_name: keep(kept_as, chunk)
        number, torn = 0, False
        async with aclosing(http.stream_lines("GET", one.path, keep=kept)) as lines:
            async for line in lines:
                number += 1
                torn = is_torn(line)
                if torn or number <= done:
                    continue
                done = number
                answer = read(line, f"{file_name} line {number}")
                if answer is None:
                    continue
                bad += not answer.job_id
                good += bool(answer.job_id)
                yield answer
        if not torn:
            break
    if bad and not good:
        raise Transient(f"the {one.name} file holds no result that can be read", kind="bad_reply")
