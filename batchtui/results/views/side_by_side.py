"""Every field of one job, or of two with their differences."""

from __future__ import annotations

from batchtui.model import Result
from batchtui.results.query import answer
from batchtui.results.views.fields import figures, texts
from batchtui.results.views.shapes import Cell, Column, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.text import cell


def fields(folder: BatchFolder, first: str, second: str | None = None) -> View:
    """One job by field and value; two side by side, the second less the first. Raises NotFound, StoreDamaged."""
    return _one(folder, first) if second is None else _two(folder, first, second)


def _two(folder: BatchFolder, a: str, b: str) -> View:
    """Two jobs of one batch: every field that either has, numbers with their difference.

    Raises NotFound for an id that is none, StoreDamaged.
    """
    one, other = folder.result(folder.number(a)), folder.result(folder.number(b))
    left, right = figures(one), figures(other)
    rows: list[tuple[Cell, ...]] = [("state", one.status.value, other.status.value, None)]
    if one.error or other.error:
        rows.append(("error", _first_line(one.error), _first_line(other.error), None))
    words, others = texts(one), texts(other)
    for path in dict.fromkeys([*left, *right]):
        x, y = left.get(path), right.get(path)
        change = y - x if x is not None and y is not None else None
        sides = (
            _first_line(words.get(path)) if x is None else x,
            _first_line(others.get(path)) if y is None else y,
        )
        rows.append((path, *sides, change))
    for path in dict.fromkeys([*words, *others]):
        if path not in left and path not in right:
            rows.append((path, _first_line(words.get(path)), _first_line(others.get(path)), None))
    same = answer(one) == answer(other)
    names = [_label(one), _label(other)]
    if names[0] == names[1]:
        names = [a, b]
    table = Table((Column("field"), Column(names[0]), Column(names[1]), Column("difference")), rows)
    return View(
        "compare",
        f"{names[1]} less {names[0]}",
        table,
        None,
        (),
        (("answers", "equal" if same else "different"),),
    )


def _one(folder: BatchFolder, job_id: str) -> View:
    """Every field of one job. Raises NotFound, StoreDamaged."""
    result = folder.result(folder.number(job_id))
    held: dict[str, Cell] = {"state": result.status.value}
    if result.error:
        held["error"] = _first_line(result.error)
    held |= figures(result)
    held |= {path: _first_line(words) for path, words in texts(result).items() if path not in held}
    table = Table((Column("field"), Column(_label(result))), list(held.items()))
    return View("table", f"Fields of {_label(result)}", table)


def _label(result: Result) -> str:
    return result.name or result.job_id


def _first_line(words: str | None) -> str | None:
    return cell(words.strip()) if words is not None else None
