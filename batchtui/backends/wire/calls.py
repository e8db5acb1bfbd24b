"""Calls that may be repeated, and what a list of batches answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from batchtui.backends.faults import Refused, Transient
from batchtui.backends.shapes import Progress, Submission
from batchtui.backends.wire.replies import Reply, object_of
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http

CALL_TIMEOUT = 60.0
"""Seconds for a call that moves little: a status, a list, a create."""
NO_LIST = (404, 405, 501)
"""A server that cannot list its batches: nothing can be said, which is not the same as none."""


@dataclass(slots=True)
class Page:
    """Batches as the server lists them, its clock (Unix seconds), and whether nothing follows."""

    batches: list[dict[str, Json]]
    server_time: float
    last: bool


@contextmanager
def repeatable() -> Iterator[None]:
    """Around a call that may be repeated: what cannot be read there is a bad moment, Transient, never Refused."""
    try:
        yield
    except Refused as fault:
        raise Transient(fault.message, kind=fault.kind) from None


async def ask(http: Http, method: str, path: str, params: dict[str, str | int] | None = None) -> Reply:
    """A call that may be repeated. Raises Transient, TryLater, NeedsPerson."""
    with repeatable():
        return await http.request_json(method, path, params=params, timeout=CALL_TIMEOUT)


def understood(reply: Reply) -> dict[str, Json]:
    """The object of a good reply. Raises Transient, TryLater, NeedsPerson."""
    with repeatable():
        return object_of(reply)


async def ask_each(
    submissions: Iterable[Submission],
    progress: Callable[[Submission], Awaitable[Progress]],
    known: dict[int, Progress | Transient],
) -> None:
    """Ask for each by itself, into `known`, by id, or why it cannot be told. Raises as `insist`."""
    for one in submissions:
        try:
            known[one.id] = await progress(one)
        except Transient as fault:  # the others are worth asking for
            known[one.id] = fault
    insist(known)


def insist(known: Mapping[int, Progress | Transient]) -> None:
    """Raises the first Transient where there is nothing else, and the backend did not even answer."""
    faults = [told for told in known.values() if isinstance(told, Transient) and not told.answered]
    if faults and len(faults) == len(known):
        raise faults[0]


def server_time(reply: Reply) -> float:
    """The Unix time by the clock of who answered; our own where it does not say."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()
