"""Sets of job numbers as text: `0-9,12,40-41`, so that an event about 100,000 jobs stays one short line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def encode(numbers: Iterable[int]) -> str:
    """Ascending numbers as ranges."""
    parts: list[str] = []
    start = end = -2
    for number in numbers:
        if number == end + 1:
            end = number
            continue
        if end >= 0:
            parts.append(f"{start}-{end}" if end > start else str(start))
        start = end = number
    if end >= 0:
        parts.append(f"{start}-{end}" if end > start else str(start))
    return ",".join(parts)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """(first, one past the last) of every range."""
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        yield int(first), int(last or first) + 1


def decode(text: str) -> Iterator[int]:
    for first, end in spans(text):
        yield from range(first, end)


def count(text: str) -> int:
    return sum(end - first for first, end in spans(text))
