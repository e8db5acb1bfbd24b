"""Why jobs failed, told once a cause: errors that differ only in figures, ids and quoted words are one group."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from batchtui.model import JOB_STATES, UNSUCCESSFUL_JOB_STATES, JobState
from batchtui.store.fold.columns import Columns
from batchtui.store.folder import BatchFolder

QUOTED = "…"
_CHANGING = (
    (re.compile(r"https?://\S+"), "URL"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "ID"),
    (re.compile(r"\b(?=[A-Za-z_\-]*\d)[A-Za-z]+[_\-][A-Za-z0-9_\-]{6,}\b"), "ID"),  # req_01AbC…, org-9f3…
    (re.compile(r"\b0[xX][0-9a-fA-F]+\b"), "#"),
    # 5f-1c2ab, 3f2504e04f89: groups of hexadecimal digits, of which some are digits
    (re.compile(r"\b(?=[a-fA-F-]*\d)(?=[0-9a-fA-F-]{4})[0-9a-fA-F]+(?:-[0-9a-fA-F]+)*\b"), "#"),
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), QUOTED),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "#"),
    (re.compile(r"\s+"), " "),
)

_ONLY_QUOTED = re.compile(rf"(?:\w+: ?)?{QUOTED}")
_UNSUCCESSFUL = frozenset(JOB_STATES.index(state) for state in UNSUCCESSFUL_JOB_STATES)

Cause = tuple[str, str]
"""The kind of an error, and its pattern."""


class ErrorGroup(msgspec.Struct, kw_only=True):
    """Jobs that failed for one cause. `error` is the text of `example`, the first such job in source order."""

    error_kind: str
    pattern: str
    """The text with what changes from job to job replaced."""
    count: int
    states: dict[str, int]
    example: str
    error: str


def digest(folder: BatchFolder) -> list[ErrorGroup]:
    """Groups of the jobs that did not succeed, the largest first. Reads no results."""
    columns, ids = folder.columns(), folder.jobs.ids
    groups: dict[tuple[str, str], ErrorGroup] = {}
    for n, code in enumerate(columns.states):
        if code not in _UNSUCCESSFUL:
            continue
        state = JOB_STATES[code]
        kind, text, pattern = _cause(columns.errors.get(n), state)
        group = groups.get((kind, pattern))
        if group is None:
            group = groups[kind, pattern] = ErrorGroup(
                error_kind=kind, pattern=pattern, count=0, states={}, example=ids[n], error=text
            )
        group.count += 1
        group.states[state.value] = group.states.get(state.value, 0) + 1
    return sorted(groups.values(), key=lambda group: -group.count)


def members(columns: Columns, cause: Cause) -> list[int]:
    """Numbers of the jobs that failed for it, ascending."""
    return [
        n
        for n, code in enumerate(columns.states)
        if code in _UNSUCCESSFUL and _cause(columns.errors.get(n), JOB_STATES[code])[::2] == cause
    ]


@lru_cache(maxsize=4096)
def _cause(error: str | None, state: JobState) -> tuple[str, str, str]:
    """(kind, text, pattern)."""
    kind, _, text = (error or state.value).partition(": ")
    return kind, text, normalise(text)


def normalise(text: str) -> str:
    """The text with figures, ids, addresses and quoted words replaced."""
    found = _replaced(text, quoted=True)
    # KeyError: 'no such row 7' says nothing but what it quotes
    return _replaced(text, quoted=False) if _ONLY_QUOTED.fullmatch(found) else found


def _replaced(text: str, *, quoted: bool) -> str:
    for pattern, instead in _CHANGING:
        if quoted or instead is not QUOTED:
            text = pattern.sub(instead, text)
    return text.strip()
