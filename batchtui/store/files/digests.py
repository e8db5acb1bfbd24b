"""digests.txt: of every job of a batch what would be paid for, as a hash, so that the same work is known again.

One line a job, in their order: 16 hexadecimal digits, or `-` for work that costs nothing. It says what was planned, not
what was sent: that is the journal's. A batch without the file gets it when somebody asks; it can always be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

from batchtui.store.disk.lines import StoreFull, replace_file

NAME = "digests.txt"
FREE = b"-"
_FIRST = b'{"schema":1,"file":"digests"}'


def digest(*parts: str) -> bytes:
    """The line that stands for this work."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode()


def read(folder: Path, jobs: int | None = None) -> list[bytes] | None:
    """A line for each job; None where there is no file, or not one for as many `jobs`."""
    try:
        first, *lines = (folder / NAME).read_bytes().removesuffix(b"\n").split(b"\n")
    except OSError:
        return None
    return lines if first == _FIRST and (jobs is None or len(lines) == jobs) else None


def write(folder: Path, lines: Sequence[bytes]) -> None:
    """Best effort: what cannot be written is made again when it is asked for."""
    with contextlib.suppress(OSError, StoreFull):
        replace_file(folder / NAME, b"\n".join([_FIRST, *lines]) + b"\n", durable=False)


def hits(lines: Sequence[bytes], wanted: Collection[bytes]) -> list[int]:
    """Numbers of the jobs whose work is among the wanted."""
    if not wanted or set(wanted).isdisjoint(lines):
        return []
    known = set(wanted) - {FREE}
    return [n for n, line in enumerate(lines) if line in known]
