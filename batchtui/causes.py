"""Problems told once a cause: what is wrong in 344 rows for one reason is one line, with the true count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from batchtui.model import Problem

Key = tuple[bool, str | None, str]


def cause_of(problem: Problem) -> Key:
    """What problems of one cause have in common."""
    return problem.fatal, problem.key, problem.message


class Cause(NamedTuple):
    """The first problem of a cause, and how many there are of it."""

    first: Problem
    times: int

    def __str__(self) -> str:
        """`344 rows: job.prompt: no column "body_mas", first penguins.csv:2`; one problem in its own words."""
        problem = self.first
        if self.times == 1:
            return str(problem)
        what = f"{self.times:,} {'times' if problem.row is None else 'rows'}"
        place = ":".join(str(part) for part in (problem.file, problem.line) if part is not None)
        if problem.row is not None and problem.line is None:
            place = f"{place} row {problem.row}".strip()
        told = ": ".join(part for part in (what, problem.key, problem.message) if part)
        return f"{told}, first {place}" if place else told


def by_cause(problems: Iterable[Problem]) -> list[Cause]:
    """What stops a batch first, else in the order in which the causes were met."""
    found: dict[Key, Cause] = {}
    for problem in problems:
        before = found.get(cause_of(problem), Cause(problem, 0))
        found[cause_of(problem)] = Cause(before.first, before.times + 1 + problem.more)
    return sorted(found.values(), key=lambda cause: not cause.first.fatal)


def verdict(problems: Iterable[Problem]) -> str:
    """`1 problem in 344 rows`, `3 problems`; empty where nothing stops the batch."""
    fatal = [cause for cause in by_cause(problems) if cause.first.fatal]
    if not fatal:
        return ""
    told = f"{len(fatal):,} problem{'' if len(fatal) == 1 else 's'}"
    rows = max(cause.times for cause in fatal)
    return f"{told} in {rows:,} rows" if len(fatal) == 1 and rows > 1 else told
