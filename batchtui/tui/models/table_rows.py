"""Sorting and narrowing the rows of a view's table. No Textual here: made in a thread, then quick at every key."""

from __future__ import annotations

import re
from collections.abc import Callable

from batchtui.results.reading import terms
from batchtui.results.reading.query import TOKEN
from batchtui.results.views.drawings.columns import places
from batchtui.results.views.figures import shown
from batchtui.results.views.shapes import Cell, Table

_TERM = re.compile(r"(.+?)(:|!=|<=|>=|=|<|>)(.*)", re.DOTALL)
Test = Callable[[int], bool]


class TableRows:
    """Numbers of the rows of one table, chosen and ordered; `places` are its columns, measured."""

    def __init__(self, table: Table) -> None:
        self.table, self.places = table, places(table)
        self._lower = [
            "\n".join(
                shown(value, column) for value, column in zip(row, table.columns, strict=True)
            ).casefold()
            for row in table.rows
        ]
        self._columns = {column.name.casefold(): at for at, column in enumerate(table.columns)}

    def numbers(self, query: str, sort: int | None, backwards: bool) -> list[int]:
        """Rows that hold every word of the query, `!word` none of it; `column:text` and `column>5` look at one column,
        `/pattern/` and `column:/pattern/` by a regular expression.

        In the table's own order where `sort` is None; empty cells come last either way. Raises BadInput.
        """
        tests = [self._test(token) for token in TOKEN.findall(query)]
        found = [n for n in range(len(self.table.rows)) if all(test(n) for test in tests)]
        if sort is None:
            return found[::-1] if backwards else found
        rows = self.table.rows
        filled = [n for n in found if rows[n][sort] is not None]
        filled.sort(key=lambda n: _order(rows[n][sort]), reverse=backwards)
        return filled + [n for n in found if rows[n][sort] is None]

    def _test(self, token: str) -> Test:
        if token.startswith("!") and len(token) > 1:
            inner = self._test(token[1:])
            return lambda n: not inner(n)
        plain = token.replace('"', "").casefold()
        match = _TERM.fullmatch(plain)
        if match and match[1] in self._columns and not token.startswith('"'):
            return self._in_column(self._columns[match[1]], match[2], match[3])
        lower = self._lower
        if terms.is_pattern(token):
            has = terms.finder(token)
            return lambda n: has(lower[n])
        if not token.startswith('"'):
            terms.refuse_misspelt(token, self._columns)
        return lambda n: plain in lower[n]

    def _in_column(self, at: int, operator: str, wanted: str) -> Test:
        rows, column = self.table.rows, self.table.columns[at]
        if operator == ":":
            has = terms.finder(wanted)
            return lambda n: has(shown(rows[n][at], column))
        number = _number(wanted)

        def holds(n: int) -> bool:
            value = rows[n][at]
            left = _number(value)
            if left is not None and number is not None:
                return _compared(left, number, operator)
            if operator in ("=", "!="):
                return (shown(value, column).casefold() == wanted) is (operator == "=")
            return False

        return holds


def _compared(left: float, right: float, operator: str) -> bool:
    return {"=": left == right, "!=": left != right, "<": left < right, ">": left > right, "<=": left <= right,
            ">=": left >= right}[operator]  # fmt: skip


def _order(value: Cell) -> tuple[bool, float, str]:
    """Numbers before words."""
    if isinstance(value, str):
        return True, 0.0, value.casefold()
    return False, value if value is not None and value == value else float("-inf"), ""


def _number(value: Cell) -> float | None:
    try:
        return None if value is None else float(value)
    except (ValueError, OverflowError):
        return None
