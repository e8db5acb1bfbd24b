"""Ids across a source: none twice, and a word about those that only look different."""

from __future__ import annotations

import unicodedata

from batchtui.model import Problem, Row
from batchtui.text import cell


class SeenIds:
    """Remembers the ids of one batch."""

    def __init__(self, name: str) -> None:
        """`name` of the source, for messages."""
        self._name = name
        self._seen: dict[str, str] = {}
        self._folded: dict[str, str] = {}

    def check(self, job_id: str, row: Row) -> Problem | None:
        """A fatal problem for an id met before, a warning for one equal to another but for case or accents' form."""
        before = self._seen.get(job_id)
        if before is not None:
            message = f'id "{cell(job_id, 60)}" is taken by {before}'
            return Problem(file=self._name, line=row.line, row=row.number, key="id", message=message)
        self._seen[job_id] = f"row {row.number}" if row.line is None else f"line {row.line}"
        twin = self._folded.setdefault(unicodedata.normalize("NFC", job_id).casefold(), job_id)
        if twin == job_id:
            return None
        message = f'id "{cell(job_id, 60)}" looks like "{cell(twin, 60)}" of {self._seen[twin]}'
        return Problem(file=self._name, line=row.line, row=row.number, key="id", message=message, fatal=False)
