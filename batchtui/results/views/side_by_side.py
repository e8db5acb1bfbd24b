"""Every field of one job, or of two with their differences."""

from __future__ import annotations

from batchtui.model import Result
from batchtui.results.reading.query import answer
from batchtui.results.views.fields import figures, texts
from batchtui.results.views.shapes import Cell, Column, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

Row = tuple[Cell, ...]


def fields(folder: BatchFolder, first: str, second: str | None = None) -> View:
    """One job by field and value; two side by side, the second less the first. Raises NotFound, StoreDamaged."""
    return _one(folder, first) if second is None else _two(folder, first, second)


def _two(folder: BatchFolder, a: str, b: str) -> View:
    """Two jobs of one batch: the fields that differ, numbers by the largest difference first; the others are counted.

    Raises NotFound for an id that is none, StoreDamaged.
    """
    one, other = folder.result(folder.number(a)), folder.result(folder.number(b))
    numbers, others, same = _differences(one, other)
    numbers.sort(key=lambda row: -abs(row[3]) if isinstance(row[3], int | float) else 0)
    rows = [*_ends(one, other), *numbers, *others]
    names = [_label(one), _label(other)]
    if names[0] == names[1]:
        names = [a, b]
    columns = (Column("field"), Column(names[0]), Column(names[1]), Column("difference"))
    answers = "equal" if answer(one) == answer(other) else "different"
    facts = (("answers", answers), ("fields that differ", len(numbers) + len(others)), ("the same", same))
    table = Table(columns, rows, "" if rows else "nothing differs")
    return View("compare", f"{names[1]} less {names[0]}", table, None, (), facts)


def _ends(one: Result, other: Result) -> list[Row]:
    """How the two ended, where that differs."""
    told = [("state", one.status.value, other.status.value), ("error", _line(one.error), _line(other.error))]
    return [(name, x, y, None) for name, x, y in told if x != y]


def _differences(one: Result, other: Result) -> tuple[list[Row], list[Row], int]:
    """Fields that are numbers on both sides and differ, all others that differ, and how many are the same."""
    left, right, words, others = figures(one), figures(other), texts(one), texts(other)
    numbers: list[Row] = []
    plain: list[Row] = []
    same = 0
    for path in dict.fromkeys([*left, *right, *words, *others]):
        x, y = left.get(path), right.get(path)
        if x is not None and y is not None and x != y:
            numbers.append((path, x, y, y - x))
            continue
        first, second = words.get(path) if x is None else x, others.get(path) if y is None else y
        if first == second:
            same += 1
        else:
            plain.append((path, _shown(first), _shown(second), None))
    return numbers, plain, same


def _one(folder: BatchFolder, job_id: str) -> View:
    """Every field of one job. Raises NotFound, StoreDamaged."""
    result = folder.result(folder.number(job_id))
    held: dict[str, Cell] = {"state": result.status.value}
    if result.error:
        held["error"] = _line(result.error)
    held |= figures(result)
    held |= {path: _line(words) for path, words in texts(result).items() if path not in held}
    table = Table((Column("field"), Column(_label(result))), list(held.items()))
    return View("table", f"Fields of {_label(result)}", table)


def _label(result: Result) -> str:
    return result.name or result.job_id


def _shown(value: float | str | None) -> Cell:
    return _line(value) if isinstance(value, str) else value


def _line(words: str | None) -> str | None:
    return cell(words.strip()) if words is not None else None
