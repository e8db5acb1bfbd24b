"""The filter of the job table: ids, errors and states are looked at in the columns, at every key; the rest is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

from batchtui.errors import BadInput
from batchtui.model import JOB_STATES, UNSUCCESSFUL_JOB_STATES, JobState
from batchtui.results.reading.query import TOKEN, Simple, parse
from batchtui.store.fold.columns import Columns

_PARTIAL_STATUS = re.compile(r"(!?stat(?:us|e):)([a-z,]*)")
UNSUCCESSFUL = frozenset(JOB_STATES.index(state) for state in UNSUCCESSFUL_JOB_STATES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter split into what columns can tell and what must be read. `problem` says why it makes no sense."""

    all_of: tuple[Simple, ...] = ()
    none_of: tuple[Simple, ...] = ()
    reads: bool = False
    problem: str | None = None

    @property
    def in_answers(self) -> bool:
        """Whether it has words that answers may hold, which columns know nothing of."""
        return any(simple.text_parts for simple in (*self.all_of, *self.none_of))


def understand(query: str) -> Wanted:
    """Never raises; words that are still being typed count as far as they go."""
    all_of: list[Simple] = []
    none_of: list[Simple] = []
    reads = False
    try:
        for token in TOKEN.findall(complete(query)):
            negated = token.startswith("!") and len(token) > 1
            simple = parse(token[1:] if negated else token).simple
            if simple is None:
                reads = True
            else:
                (none_of if negated else all_of).append(simple)
    except BadInput as fault:
        return Wanted(problem=str(fault))
    return Wanted(tuple(all_of), tuple(none_of), reads)


def complete(query: str) -> str:
    """The query with `status:fai` as `status:failed`."""
    return " ".join(_complete(token) for token in TOKEN.findall(query))


def _complete(token: str) -> str:
    match = _PARTIAL_STATUS.fullmatch(token.casefold())
    if not match:
        return token
    words = [
        state.value for part in match[2].split(",") for state in JOB_STATES if state.value.startswith(part)
    ]
    return match[1] + ",".join(dict.fromkeys(words)) if words else token


class JobFilter:
    """Chooses job numbers by columns. Lower-case ids are kept; lower-case errors once for each different text."""

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self._lower: list[str] | None = None
        self._folded: dict[str, str] = {}

    def warm(self) -> None:
        """Do what the first key would have to wait for."""
        self._ids_lower()

    def numbers(self, wanted: Wanted, columns: Columns, *, failed_only: bool = False) -> list[int] | range:
        """Numbers of the jobs that the columns let through, ascending."""
        found: list[int] | range = range(len(columns.states))
        if failed_only:
            found = _in_states(UNSUCCESSFUL_JOB_STATES, columns.states, found)
        for simple in wanted.all_of:
            found = self._matching(simple, columns, found)
        for simple in wanted.none_of:
            out = self._matching(simple, columns, found)
            if len(out) == len(found):
                return []
            gone = set(out)
            found = [n for n in found if n not in gone]
        return found

    def _matching(self, simple: Simple, columns: Columns, among: Sequence[int]) -> list[int]:
        found: Sequence[int] = among
        if simple.states is not None:
            found = _in_states(simple.states, columns.states, found)
        for part in simple.id_parts:
            found = self._ids_with(part, found)
        for part in simple.error_parts:
            hits = self._errors_with(part, columns)
            found = sorted(hits) if isinstance(found, range) else [n for n in found if n in hits]
        for part in simple.text_parts:
            hits = self._errors_with(part, columns)
            by_id = self._ids_with(part, found)
            if hits:
                by_id = sorted(hits.intersection(found).union(by_id))
            found = by_id
        return list(found)

    def _ids_with(self, part: str, among: Sequence[int]) -> list[int]:
        lower = self._ids_lower()
        if isinstance(among, range):
            return [n for n, job_id in enumerate(lower) if part in job_id]
        return [n for n in among if part in lower[n]]

    def _ids_lower(self) -> list[str]:
        if self._lower is None:
            self._lower = [job_id.casefold() for job_id in self._ids]
        return self._lower

    def _errors_with(self, part: str, columns: Columns) -> set[int]:
        folded = self._folded
        if len(folded) > 200_000:
            folded.clear()
        hits = set()
        for n, error in columns.errors.items():
            lower = folded.get(error)
            if lower is None:
                lower = folded[error] = error.casefold()
            if part in lower:
                hits.add(n)
        return hits


def _in_states(wanted: Iterable[JobState], codes: bytes, among: Sequence[int]) -> list[int]:
    """Those of `among` in one of the states, by a mask over all codes at once."""
    kept = bytes(JOB_STATES.index(state) for state in wanted)
    mask = codes.translate(bytes(code in kept for code in range(256)))
    if isinstance(among, range):
        return list(compress(among, mask))
    return [n for n in among if mask[n]]
