"""The filter of the list of batches: words and `column:value` terms that must all hold; `!` turns one round."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.model import BatchStatus

Test = Callable[[BatchStatus], bool]


def parse(query: str) -> Test:
    """A test for a status. Never fails: an unknown column is looked for as text."""
    tests = [_term(word) for word in query.casefold().split()]
    return lambda status: all(test(status) for test in tests)


def _term(word: str) -> Test:
    if word.startswith("!") and len(word) > 1:
        inner = _term(word[1:])
        return lambda status: not inner(status)
    column, colon, value = word.partition(":")
    if colon and column in ("state", "status"):
        wanted = tuple(part for part in value.split(",") if part)
        return lambda status: not wanted or any(_state(status, part) for part in wanted)
    if colon and column == "backend":
        return lambda status: value in f"{status.backend} {status.kind}".casefold()
    if colon and column == "id":
        return lambda status: value in status.id
    if colon and column == "tag":
        return lambda status: any(value in tag.casefold() for tag in status.tags)
    return lambda status: (
        word in f"{status.id} {status.name} {status.backend} {' '.join(status.tags)}".casefold()
    )


def _state(status: BatchStatus, word: str) -> bool:
    """Batches in this state, with such jobs, paused or in need of a person."""
    if word in ("paused", "pause"):
        return status.paused
    if word in ("attention", "needs"):
        return bool(status.attention)
    if status.status.value.startswith(word):
        return True
    return word in ("failed", "invalid", "expired") and getattr(status, word) > 0
