"""Two batches over the same jobs: the second less the first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from batchtui.errors import BadInput, nearest
from batchtui.model import JobState, Result
from batchtui.results.views.fields import figures, short_names
from batchtui.results.views.sample import read_one
from batchtui.results.views.shapes import Bars, Cell, Column, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

MOST_ROWS = 2000
"""Differences of one kind that are kept: the largest of each field, the first changes of state and answers."""
BARS = 20
_BESIDE = ("seconds", "attempts")
"""What differs between any two runs: counted, and listed only when asked for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one job. `difference` is None where it is no number, or is not there on both sides."""

    job_id: str
    field: str
    a: Cell
    b: Cell
    difference: float | None = None


@dataclass(slots=True)
class FieldDifferences:
    """One field over all jobs that have it on both sides; `scale` is the mean size of its values."""

    jobs: int = 0
    differ: int = 0
    largest: float = 0.0
    total: float = 0.0
    heap: list[tuple[float, int, Difference]] = field(default_factory=list)

    @property
    def scale(self) -> float:
        return self.total / (2 * self.jobs) or 1.0


@dataclass(slots=True)
class Comparison:
    """What differs. `states` and `answers` are the first MOST_ROWS of `state_changes` and `different_answers`."""

    a: str
    b: str
    jobs: int = 0
    only_a: int = 0
    only_b: int = 0
    state_changes: int = 0
    equal_answers: int = 0
    different_answers: int = 0
    states: list[Difference] = field(default_factory=list)
    answers: list[Difference] = field(default_factory=list)
    fields: dict[str, FieldDifferences] = field(default_factory=dict)
    wanted: str | None = None
    note: str = ""

    def numbers(self) -> list[Difference]:
        """Differences of numbers, largest first: of one field by size, of several by size beside the field's values."""
        shown = [self.wanted] if self.wanted else [name for name in self.fields if name not in _BESIDE]
        ranked = [
            (size / self.fields[name].scale, order, one)
            for name in shown
            for size, order, one in self.fields[name].heap
        ]
        return [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2], reverse=True)]


def batches(
    first: BatchFolder, second: BatchFolder, *, wanted: str | None = None, most: int | None = None
) -> Comparison:
    """Compare jobs of the same id; results are read of at most `most` of them, evenly over the source.

    `wanted` is the one field to list. Raises BadInput where no id is in both, or no result has that field.
    """
    found = Comparison(_name(first), _name(second), wanted=None)
    if found.a == found.b:
        found.a, found.b = f"{found.a} ({first.id})", f"{found.b} ({second.id})"
    pairs = [(n, m) for n, id_ in enumerate(first.jobs.ids) if (m := second.jobs.number(id_)) is not None]
    found.jobs, found.only_a = len(pairs), len(first.jobs) - len(pairs)
    found.only_b = len(second.jobs) - len(pairs)
    if not pairs:
        raise BadInput(
            f"batches {first.id} and {second.id} have no job id in common, so nothing can be compared"
        )
    both = _states(found, first, second, pairs)
    if most is not None and len(both) > most:
        found.note = f"results of {most:,} of {len(both):,} jobs were compared, taken evenly; `batchtui diff` compares all"
        both = [both[at * len(both) // most] for at in range(most)]
    order = count()
    for n, m in both:
        one, other = read_one(first, n), read_one(second, m)
        if one is not None and other is not None:
            _results(found, one, other, order)
    names = short_names(list(found.fields))
    if wanted is not None:
        path = next((path for path, name in names.items() if wanted in (path, name)), None)
        if path is None:
            hint = (
                nearest(wanted, [*names.values(), *names])
                or f"; there is {', '.join(list(names.values())[:12]) or 'none'}"
            )
            raise BadInput(f'no field "{cell(wanted, 60)}" in both batches{cell(hint, 400)}')
        wanted = names[path]
    for path, held in found.fields.items():
        held.heap = [(size, at, replace(one, field=names[path])) for size, at, one in held.heap]
    found.fields = {names[path]: held for path, held in found.fields.items()}
    found.wanted = wanted
    return found


def _name(folder: BatchFolder) -> str:
    return folder.header.name or folder.id


def _states(
    found: Comparison, first: BatchFolder, second: BatchFolder, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Note what state each pair is in; the pairs that are completed on both sides."""
    states, others, ids = first.columns(), second.columns(), first.jobs.ids
    both = []
    for n, m in pairs:
        a, b = states.state(n), others.state(m)
        if a is not b:
            found.state_changes += 1
            if len(found.states) < MOST_ROWS:
                found.states.append(Difference(ids[n], "state", a.value, b.value))
        elif a is JobState.COMPLETED:
            both.append((n, m))
    return both


def _results(found: Comparison, one: Result, other: Result, order: count[int]) -> None:
    left, right = figures(one), figures(other)
    for path in left.keys() & right.keys():
        held = found.fields.setdefault(path, FieldDifferences())
        a, b = left[path], right[path]
        held.jobs += 1
        held.total += abs(a) + abs(b)
        if a != b:
            held.differ += 1
            size = abs(b - a)
            held.largest = max(held.largest, size)
            entry = (size, -next(order), Difference(one.job_id, path, a, b, b - a))
            (heapq.heappush if len(held.heap) < MOST_ROWS else heapq.heappushpop)(held.heap, entry)
    words, others = one.raw_response, other.raw_response
    if words is not None and others is not None:
        if words == others:
            found.equal_answers += 1
        else:
            found.different_answers += 1
            if len(found.answers) < MOST_ROWS:
                found.answers.append(Difference(one.job_id, "answer", cell(words), cell(others)))


def view(found: Comparison) -> View:
    """The comparison as a table, states that changed first, and what differs most as bars."""
    numbers = found.numbers()
    rows: list[tuple[Cell, ...]] = []
    jobs: list[str] = []
    listed = numbers if found.wanted else [*found.states, *numbers, *found.answers]
    for one in listed[:MOST_ROWS]:
        scale = (
            max(abs(one.a), abs(one.b))
            if isinstance(one.a, int | float) and isinstance(one.b, int | float)
            else 0
        )
        share = 100 * one.difference / scale if one.difference is not None and scale else None
        rows.append((one.job_id, one.field, one.a, one.b, one.difference, share))
        jobs.append(one.job_id)
    columns = (Column("job"), Column("field"), Column(found.a), Column(found.b), Column("difference"),
               Column("of the larger", "%", 1))  # fmt: skip
    notes = [found.note, f"the largest {MOST_ROWS:,} of {len(listed):,}" if len(listed) > MOST_ROWS else "",
             "" if listed else "nothing differs"]  # fmt: skip
    facts = [("jobs in both", found.jobs), ("only in the first", found.only_a), ("only in the second", found.only_b),
             ("states changed", found.state_changes)]  # fmt: skip
    if found.equal_answers or found.different_answers:
        facts += [("answers equal", found.equal_answers), ("different", found.different_answers)]
    table = Table(columns, rows, "; ".join(note for note in notes if note), beside=5)
    title = f"{found.b} less {found.a}" + (f": {found.wanted}" if found.wanted else "")
    return View("compare", title, table, _bars(found, numbers), tuple(jobs), tuple(facts),
                tuple(found.fields), (None, found.wanted))  # fmt: skip


def _bars(found: Comparison, numbers: list[Difference]) -> Bars | None:
    if found.wanted:
        top = numbers[:BARS]
        return (
            Bars([one.job_id for one in top], [one.difference or 0.0 for one in top], found.wanted)
            if top
            else None
        )
    differing = {name: held for name, held in found.fields.items() if held.differ and name not in _BESIDE}
    if not differing:
        return None
    ranked = sorted(
        differing, key=lambda name: differing[name].largest / differing[name].scale, reverse=True
    )[:BARS]
    shares = [100 * differing[name].largest / differing[name].scale for name in ranked]
    return Bars(ranked, shares, "largest difference in % of the field's mean size")
