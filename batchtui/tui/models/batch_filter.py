"""The filter of the list of batches, in the language of all filters: words, `/pattern/`, `column:value`, `cost>1`, `!`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batchtui import outcome
from batchtui.errors import BadInput, nearest
from batchtui.model import BatchStatus
from batchtui.results.reading import terms
from batchtui.results.reading.query import OPERATOR, TOKEN, comparison

Test = Callable[[BatchStatus], bool]
_WORDS: Mapping[str, Callable[[BatchStatus], str]] = {
    "backend": lambda status: f"{status.backend} {status.kind}",
    "kind": lambda status: status.kind,
    "id": lambda status: status.id,
    "name": lambda status: status.name,
    "tag": lambda status: "\n".join(status.tags),
}
_NUMBERS: Mapping[str, Callable[[BatchStatus], float | None]] = {
    "cost": lambda status: status.cost_usd,
    "limit": lambda status: status.cost_limit_usd,
    "jobs": lambda status: status.total,
    "done": lambda status: status.finished,
    "failed": outcome.unsuccessful,
    "percent": lambda status: 100 * status.finished / status.total if status.total else None,
}
_STATES = ("state", "status")
_KNOWN = (*_STATES, *_WORDS, *_NUMBERS)


def parse(query: str) -> Test:
    """A test for a status. Raises BadInput for a column that there is none of, and for a pattern that is none."""
    tests = [_term(token) for token in TOKEN.findall(query)]
    return lambda status: all(test(status) for test in tests)


def _term(token: str) -> Test:
    if token.startswith("!") and len(token) > 1:
        inner = _term(token[1:])
        return lambda status: not inner(status)
    column, colon, value = token.partition(":")
    column = column.casefold()
    if colon and column in _STATES:
        wanted = tuple(part for part in value.casefold().split(",") if part)
        return lambda status: not wanted or any(_state(status, part) for part in wanted)
    if colon and column in _WORDS:
        return _has(_WORDS[column], value)
    if not token.startswith(('"', "/")):
        if (operator := OPERATOR.search(token)) and operator.start():
            return _compared(token[: operator.start()], operator[0], token[operator.end() :])
        terms.refuse_misspelt(token, _KNOWN)
    return _has(
        lambda status: f"{status.id} {status.name} {status.backend} {' '.join(status.tags)}",
        token,
    )


def _has(text: Callable[[BatchStatus], str], value: str) -> Test:
    has = terms.finder(value)
    return lambda status: has(text(status))


def _compared(column: str, operator: str, value: str) -> Test:
    """What is still being typed lets everything through."""
    name = column.casefold()
    if not value:
        return lambda status: True
    if name in _NUMBERS:
        return comparison(_NUMBERS[name], operator, value)
    if name == "backend":
        return comparison(lambda status: status.backend, operator, value)
    if name in _WORDS:
        return comparison(_WORDS[name], operator, value)
    known = nearest(name, _KNOWN) or f"; there are {', '.join(_KNOWN)}"
    raise BadInput(f'there is no column "{column}"{known}')


def _state(status: BatchStatus, word: str) -> bool:
    """Batches in this state, with such jobs, paused or in need of a person."""
    if word in ("paused", "pause"):
        return status.paused
    if word in ("attention", "needs"):
        return bool(status.attention)
    if status.status.value.startswith(word):
        return True
    return word in ("failed", "invalid", "expired") and getattr(status, word) > 0
