"""The answers of two batches over the same jobs, a row a job, the most different first."""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import count

from batchtui.amounts import dollars, spelled
from batchtui.errors import BadInput
from batchtui.model import JobState, Json, Result
from batchtui.results.reading.query import answer
from batchtui.results.views.sample import MOST, read_one
from batchtui.results.views.shapes import Cell, Column, Table, View
from batchtui.store.disk import clock
from batchtui.store.files import labels
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

NAME, TITLE = "answers", "Answers"
MOST_ROWS = 2000
_WORDS = 2000
"""Words of an answer that are looked at to tell how alike two are."""
_CELL = 400


def offered(first: BatchFolder, second: BatchFolder) -> bool:
    """Whether the two have answers in words; looks at the first job that both completed."""
    states, others = first.columns(), second.columns()
    for n, job_id in enumerate(first.jobs.ids):
        m = second.jobs.number(job_id)
        if m is not None and states.state(n) is others.state(m) is JobState.COMPLETED:
            one, other = read_one(first, n), read_one(second, m)
            return _in_words(one) and _in_words(other)
    return False


def _in_words(result: Result | None) -> bool:
    """Whether a language model or a program said it; what other kinds give back are figures, which `differences` compares."""
    return result is not None and result.raw_response is not None and result.output is None


def view(first: BatchFolder, second: BatchFolder, most: int = MOST) -> View:
    """Raises BadInput where no id is in both."""
    pairs = [(n, m) for n, job in enumerate(first.jobs.ids) if (m := second.jobs.number(job)) is not None]
    if not pairs:
        raise BadInput(
            f"batches {first.id} and {second.id} have no job id in common, so nothing can be compared"
        )
    read = [pairs[at * len(pairs) // most] for at in range(most)] if len(pairs) > most else pairs
    said = labels.read(second.path).verdicts.get(first.id, {})
    heap: list[tuple[float, int, str, tuple[Cell, ...]]] = []
    order, total, same = count(), 0.0, 0
    for n, m in read:
        one, other = read_one(first, n), read_one(second, m)
        if one is None or other is None:
            continue
        share = alike(one, other)
        total += share
        same += share == 100
        row = (
            one.job_id,
            share,
            words(one),
            words(other),
            said.get(one.job_id, "same" if share == 100 else ""),
        )
        entry = (-share, -next(order), one.job_id, row)
        (heapq.heappush if len(heap) < MOST_ROWS else heapq.heappushpop)(heap, entry)
    heap.sort(reverse=True)
    a, b = first.header.name or first.id, second.header.name or second.id
    if a == b:
        a, b = f"{a} ({first.id})", f"{b} ({second.id})"
    columns = (Column("job"), Column("alike", "%", 0), Column(a), Column(b), Column("verdict"))
    looked = len(read)
    facts: list[tuple[str, Json]] = [
        *labels.counts(said).items(),
        *totals(first, second),
        ("equal", f"{same:,} of {looked:,}"),
        ("alike", f"{total / looked:.0f}%"),
    ]
    notes = [f"{looked:,} of {len(pairs):,} jobs, taken evenly" if looked < len(pairs) else "",
             f"the {MOST_ROWS:,} most different of {looked:,}" if looked > len(heap) else ""]  # fmt: skip
    table = Table(columns, [row for *_, row in heap], "; ".join(filter(None, notes)), beside=5)
    return View(NAME, f"{b} beside {a}", table, None, tuple(job for *_, job, _ in heap), tuple(facts))


def alike(one: Result, other: Result) -> int:
    """How many of their words two answers have in common, of a hundred; 100 only where they are the same."""
    left, right = answer(one), answer(other)
    if left == right and one.status is other.status:
        return 100
    if not left or not right:
        return 0
    mine, others = Counter(left.split()[:_WORDS]), Counter(right.split()[:_WORDS])
    both = sum((mine & others).values())
    return min(99, round(200 * both / (mine.total() + others.total() or 1)))


def words(result: Result) -> str:
    """The beginning of the answer, or why there is none."""
    told = answer(result)
    if told is None:
        told = f"{result.status}: {result.error or ''}".removesuffix(": ")
    return cell(told.strip(), _CELL)


def totals(first: BatchFolder, second: BatchFolder) -> list[tuple[str, Json]]:
    """What each cost and took as a whole: `cost $0.0097, then $0.11`."""
    one, other = first.status(), second.status()
    found: list[tuple[str, Json]] = []
    if one.cost_usd is not None and other.cost_usd is not None:
        found.append(("cost", f"{dollars(one.cost_usd)}, then {dollars(other.cost_usd)}"))
    took = [_took(status.started, status.ended) for status in (one, other)]
    if took[0] is not None and took[1] is not None:
        found.append(("time", f"{spelled(took[0])}, then {spelled(took[1])}"))
    return found


def _took(started: str | None, ended: str | None) -> float | None:
    try:
        return clock.unix(ended) - clock.unix(started) if started and ended else None
    except ValueError:
        return None
