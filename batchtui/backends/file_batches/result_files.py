"""The files in which a provider gives results back, read line by line: every row that can be read is an answer.

A file is whole when it ends where its size, or else the length that the reply announced, says that it does. What is
not whole, not there, empty, or a page in place of the file is Transient: its rows so far are good, the rest is asked
for again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from batchtui.backends.answers.said import told_instead
from batchtui.backends.base import Answer, Forgotten, Refused, Transient
from batchtui.backends.file_batches.files import is_torn
from batchtui.backends.wire.pieces import Body

if TYPE_CHECKING:
    from batchtui.backends.http import Http

Keep = Callable[[str, bytes], None]
NOT_OF_THE_FILE = ("redirect", "bad_reply", "request")
"""Refusals that come from the way there, not from the server that would hold the file."""
GONE = -1
"""In place of a size: the provider says that there is no such file."""


class ResultFile(NamedTuple):
    """`name` is what it is kept under, without its ending; `path` its address under the base URL.

    `size` asks the provider how many bytes it holds: None where it does not say, GONE where there is no such file.
    """

    name: str
    path: str
    size: Callable[[], Awaitable[int | None]]


async def read_files(
    http: Http,
    result_files: Sequence[ResultFile],
    keep: Keep | None,
    read: Callable[[bytes, str], Answer | None],
    *,
    doubt: bool = False,
) -> AsyncGenerator[Answer, None]:
    """The answers of all files that are there; `read(line, place)` makes one of a line.

    `doubt`: rows were missing before, so that every file's size is compared. Raises Forgotten at the end where a file
    is gone, Transient where one is not whole, else as `Http.stream_lines`.
    """
    gone: list[str] = []
    troubles: list[Transient] = []
    for one in result_files:
        try:
            async with aclosing(_read_file(http, one, keep, read, doubt)) as answers:
                async for answer in answers:
                    yield answer
        except Refused as fault:
            what = f"the {one.name} file: {fault.message}"
            if fault.kind not in NOT_OF_THE_FILE and await one.size() == GONE:
                gone.append(f"the {one.name} file is gone: {fault.message}")
            troubles.append(Transient(what, kind=fault.kind))
        except Transient as fault:
            troubles.append(
                Transient(f"the {one.name} file: {fault.message}", kind=fault.kind, after=fault.after)
            )
    if gone and len(gone) == len(troubles):
        raise Forgotten("; ".join(gone))
    if troubles:
        raise troubles[0]


async def _read_file(
    http: Http, one: ResultFile, keep: Keep | None, read: Callable[[bytes, str], Answer | None], doubt: bool
) -> AsyncGenerator[Answer, None]:
    """A file cut short is read once more from where it broke."""
    done = good = 0
    rest, instead = b"", ""
    for attempt in (1, 2):
        file_name = f"{one.name}.jsonl" if attempt == 1 else f"{one.name}.{attempt}.jsonl"
        kept = None if keep is None else lambda chunk, kept_as=file_name: keep(kept_as, chunk)
        number, torn, body = 0, False, Body()
        async with aclosing(http.stream_lines("GET", one.path, keep=kept, body=body)) as lines:
            async for line in lines:
                if not number and line.lstrip()[:1] == b"<":
                    raise Transient("a page of HTML or XML came in place of the results", kind="bad_reply")
                number += 1
                torn = is_torn(line)
                rest = line if torn else b""
                if torn or number <= done:
                    continue
                done = number
                answer = read(line, f"{file_name} line {number}")
                if answer is not None:
                    good += bool(answer.job_id)
                    if not (good or instead) and isinstance(answer.outcome.body, dict):
                        instead = told_instead(answer.outcome.body)
                    yield answer
        if not torn:
            break
    whole = await _check(one, body, torn, doubt)
    if torn and whole and (answer := read(rest, f"{file_name} line {number}")) is not None:
        yield answer
    elif done and not good:
        raise Transient(f"it holds {instead or 'no result that can be read'}", kind="bad_reply")


async def _check(one: ResultFile, body: Body, torn: bool, doubt: bool) -> bool:
    """Whether the file's size says that it was all. Raises Transient where it was not, or nothing says so."""
    size = await one.size() if doubt or torn or not body.size or not body.framed else None
    if size is not None and size > 0:
        if size != body.size:
            message = f"{body.size:,} bytes came, and it holds {size:,}"
            raise Transient(message, kind="not_whole")
        return True
    if not body.size:
        raise Transient("it came empty", kind="not_whole")
    if torn:
        raise Transient("it was cut in the middle of a line", kind="not_whole")
    if not body.framed:
        raise Transient("it ended without a word on whether that was all", kind="not_whole")
    return False
