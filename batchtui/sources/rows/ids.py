"""Ids across a source: none twice, and a word about those that only look different."""

from __future__ import annotations

import unicodedata

from batchtui.model import Problem, Row
from batchtui.text import cell


class SeenIds:
    """Remembers the ids of one batch: a table entry and a number for each, since there may be a million."""

    def __init__(self, name: str) -> None:
        """`name` of the source, for messages."""
        self._name = name
        self._seen: dict[str, int] = {}
        """Ids, and the line each stands on; a row of a source without lines counts below zero."""
        self._folded: dict[str, str] = {}
        """Of ids that differ from their folded form, the first with that form."""

    def check(self, job_id: str, row: Row) -> Problem | None:
        """A fatal problem for an id met before, a warning for one equal to another but for case or accents' form."""
        if job_id in self._seen:
            message = f'id "{cell(job_id, 60)}" is taken by {self._place(job_id)}'
            return Problem(file=self._name, line=row.line, row=row.number, key="id", message=message)
        folded = unicodedata.normalize("NFC", job_id).casefold()
        if folded == job_id:
            twin = self._folded.get(folded)
        else:
            twin = folded if folded in self._seen else self._folded.setdefault(folded, job_id)
        self._seen[job_id] = -row.number if row.line is None else row.line
        if twin is None or twin == job_id:
            return None
        message = f'id "{cell(job_id, 60)}" looks like "{cell(twin, 60)}" of {self._place(twin)}'
        return Problem(file=self._name, line=row.line, row=row.number, key="id", message=message, fatal=False)

    def _place(self, job_id: str) -> str:
        place = self._seen[job_id]
        return f"line {place}" if place > 0 else f"row {-place}"
