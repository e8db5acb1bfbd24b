"""A filter that reads answers, kept true while answers come: only jobs with news are read again. No Textual here."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.results.reading.query import parse
from batchtui.results.reading.select import result_of
from batchtui.store.fold.columns import Columns
from batchtui.store.folder import BatchFolder
from batchtui.tui.models.job_filter import complete


class AnswerSearch:
    """`found` are the numbers that the query lets through, as of the last reading; None before the first."""

    def __init__(self, query: str) -> None:
        """Raises BadInput."""
        self.query = query
        self.found: frozenset[int] | None = None
        self.reading = False
        self.then: Callable[[], None] | None = None
        """What was asked for meanwhile, to be done with what is found."""
        self._test = parse(complete(query))
        self._seen: Columns | None = None

    def stale(self, columns: Columns) -> bool:
        """Whether some job has news since the last reading."""
        seen = self._seen
        return seen is None or (seen.states, seen.offsets) != (columns.states, columns.offsets)

    def read(
        self, folder: BatchFolder, cancelled: Callable[[], bool]
    ) -> tuple[Columns, frozenset[int]] | None:
        """In a thread: what to `take`; None where it was cancelled. Raises OSError."""
        columns = folder.columns()
        news = self._news(columns)
        found = set(self.found or ()).difference(news)
        for n in news:
            if cancelled():
                return None
            if self._test.matches(result_of(folder, n)):
                found.add(n)
        return columns, frozenset(found)

    def take(self, columns: Columns, found: frozenset[int]) -> None:
        self._seen, self.found = columns, found

    def _news(self, columns: Columns) -> list[int]:
        """Numbers of the jobs that stand otherwise than when they were read."""
        seen = self._seen
        if seen is None:
            return list(range(len(columns.states)))
        before = memoryview(seen.offsets).cast("q")
        now = memoryview(columns.offsets).cast("q")
        known = len(seen.states)
        changed = [n for n in range(known) if before[n] != now[n] or seen.states[n] != columns.states[n]]
        return [*changed, *range(known, len(columns.states))]
