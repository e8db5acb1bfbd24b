"""Connections lent out one by one: a free list in place of the shared pool.

A fault closes the connection on which it came and no other, and what idles is bounded for each origin. Taking one is
O(1), and all share one TLS context, which is the dear part of making one.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    async def aclose(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Leases(Generic[C]):
    """Idle connections by origin. One that is not given back whole must be closed by who took it."""

    def __init__(self, make: Callable[[str], C], idle_max: int = 64, idle_seconds: float = 30.0) -> None:
        self._make, self._idle_max, self._idle_seconds = make, idle_max, idle_seconds
        self._idle: defaultdict[str, deque[tuple[float, C]]] = defaultdict(deque)
        self.closed = False

    @property
    def idle(self) -> int:
        return sum(map(len, self._idle.values()))

    def take(self, origin: str) -> C:
        waiting = self._idle[origin]
        return waiting.pop()[1] if waiting else self._make(origin)

    async def give_back(self, origin: str, connection: C) -> None:
        """Keep it for the next; the one that idled longest goes where there are too many or it is too old."""
        waiting, now = self._idle[origin], time.monotonic()
        if self.closed:
            await connection.aclose()
            return
        waiting.append((now, connection))
        if len(waiting) > self._idle_max or now - waiting[0][0] > self._idle_seconds:
            await waiting.popleft()[1].aclose()

    async def close(self) -> None:
        self.closed = True
        for waiting in self._idle.values():
            while waiting:
                await waiting.popleft()[1].aclose()


async def inflate(chunks: AsyncIterator[bytes], step: int) -> AsyncIterator[bytes]:
    """gzip or zlib data in pieces of at most `step` bytes, however small what came. Raises ValueError.

    What does not begin as such data was only called so on its way, and is handed on as it is.
    """
    import zlib

    unzip = zlib.decompressobj(wbits=47)
    head, packed = b"", None
    try:
        async for chunk in chunks:
            if packed is None:
                chunk = head = head + chunk
                if len(head) < 2:
                    continue
                packed = _is_packed(head)
            if not packed:
                yield chunk
                continue
            while chunk:
                if unzip.eof:  # gzip may be put together from several
                    unzip = zlib.decompressobj(wbits=47)
                yield unzip.decompress(chunk, step)
                chunk = unzip.unconsumed_tail or unzip.unused_data
    except zlib.error as fault:
        raise ValueError(f"not readable gzip: {fault}") from None
    if packed is None and head:
        yield head


def _is_packed(head: bytes) -> bool:
    """Whether data begins as gzip, or as zlib does with its method and its check."""
    return head[:2] == b"\x1f\x8b" or (head[0] & 0x8F == 8 and (head[0] << 8 | head[1]) % 31 == 0)
