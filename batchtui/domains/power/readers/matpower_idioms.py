"""The few calculations that published MATPOWER cases end with: units of whole columns, and numbers for them.

    [PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, …] = idx_bus;                 the names of columns, or define_constants
    Vbase = mpc.bus(1, BASE_KV) * 1e3;                                     a number
    mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;                     columns by a factor
    mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));
    if fixed … end                                                         left out where the number is 0

Nothing else is evaluated: what has another form is not known here.
"""

from __future__ import annotations

import re
from typing import Final

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.grids.case import Table
from batchtui.domains.power.readers.matlab_numbers import factor_of, number_of

_BUS: Final = [
    "PQ", "PV", "REF", "NONE", "BUS_I", "BUS_TYPE", "PD", "QD", "GS", "BS", "BUS_AREA", "VM", "VA",
    "BASE_KV", "ZONE", "VMAX", "VMIN", "LAM_P", "LAM_Q", "MU_VMAX", "MU_VMIN",
]  # fmt: skip
_BRANCH: Final = [
    "F_BUS", "T_BUS", "BR_R", "BR_X", "BR_B", "RATE_A", "RATE_B", "RATE_C", "TAP", "SHIFT", "BR_STATUS",
    "PF", "QF", "PT", "QT", "MU_SF", "MU_ST", "ANGMIN", "ANGMAX", "MU_ANGMIN", "MU_ANGMAX",
]  # fmt: skip
_GEN: Final = [
    "GEN_BUS", "PG", "QG", "QMAX", "QMIN", "VG", "MBASE", "GEN_STATUS", "PMAX", "PMIN", "MU_PMAX",
    "MU_PMIN", "MU_QMAX", "MU_QMIN", "PC1", "PC2", "QC1MIN", "QC1MAX", "QC2MIN", "QC2MAX", "RAMP_AGC",
    "RAMP_10", "RAMP_30", "RAMP_Q", "APF",
]  # fmt: skip
_LISTS: Final = {"idx_bus": _BUS, "idx_brch": _BRANCH, "idx_gen": _GEN}
"""What MATPOWER's functions of these names give, in their order."""
_COLUMNS: Final = {
    "bus": {name: getattr(idx, {"BUS_AREA": "AREA"}.get(name, name)) for name in _BUS[4:17]},
    "branch": {name: getattr(idx, name) for name in (*_BRANCH[:11], "ANGMIN", "ANGMAX")},
    "gen": {name: getattr(idx, name) for name in _GEN[:10]},
}
_NAMES: Final = re.compile(r"\[([\w\s,]+)\]\s*=\s*(\w+)$")
_NUMBER: Final = re.compile(r"([A-Za-z]\w*)\s*=(?!=)\s*(.+)$")
_COLUMN: Final = r"(\w+)\.(\w+)\s*\(\s*:\s*,\s*(\w+|\[[\w\s,]+\])\s*\)"
_SCALED: Final = re.compile(rf"{_COLUMN}\s*=\s*{_COLUMN}\s*\.?([*/])\s*(.+)$")
_IF: Final = re.compile(r"if\s*\(?\s*(\w+)\s*\)?\s*,?$")
_OPENS: Final = re.compile(r"(?:if|for|parfor|while|switch|try|do)\b")
_CLOSES: Final = re.compile(r"end(?:if|for|while|switch)?\s*[;,]?$")
_BRANCHES: Final = re.compile(r"(?:else|elseif|case|otherwise|catch)\b")


class Idioms:
    """What the statements of a file have set so far; the tables of its case are changed in their place."""

    def __init__(self, tables: dict[str, Table], values: dict[str, str]) -> None:
        self._tables = tables
        self._values = values
        self._known: set[str] = set()
        self._numbers: dict[str, float] = {}
        self._skipped = 0

    @property
    def skipping(self) -> bool:
        """Whether statements go by unread, in an `if` whose number is 0."""
        return self._skipped > 0

    def skip(self, statement: str) -> None:
        """A line within such an `if`. Raises ValueError for one with another branch."""
        if _CLOSES.match(statement):
            self._skipped -= 1
        elif _OPENS.match(statement) and not re.search(r"\bend\b[\s;,]*$", statement):
            self._skipped += 1
        elif self._skipped == 1 and _BRANCHES.match(statement):
            raise ValueError(statement)

    def take(self, statement: str, struct: str) -> None:
        """Do what the statement says. Raises ValueError for one that is none of the idioms."""
        if statement == "define_constants":
            self._known.update(_BUS, _BRANCH, _GEN)
        elif found := _NAMES.match(statement):
            self._constants(found.group(1).replace(",", " ").split(), found.group(2))
        elif found := _IF.match(statement):
            self._skipped = int(self._look(found.group(1), "") == 0)
        elif found := _SCALED.match(statement):
            to, table, columns, of, source, others, mark, factor = found.groups()
            if {to, of} != {struct} or table != source:
                raise ValueError(statement)
            self._scale(table, self._columns(table, columns), self._columns(table, others), mark, factor)
        elif found := _NUMBER.match(statement):
            self._numbers[found.group(1)] = number_of(found.group(2), self._look)
        else:
            raise ValueError(statement)

    def number(self, text: str) -> float:
        """A number that a field is set to. Raises ValueError."""
        return number_of(text, self._look)

    def _constants(self, names: list[str], function: str) -> None:
        if names != _LISTS.get(function, [])[: len(names)]:
            raise ValueError(function)
        self._known.update(names)

    def _look(self, name: str, index: str) -> float:
        if name in self._numbers and not index:
            return self._numbers[name]
        _, _, field = name.partition(".")
        if field == "baseMVA" and not index:
            return float(self._values[field]) if field in self._values else number_of(name)
        row, _, column = index.partition(",")
        table = self._tables.get(field, [])
        if not row.isdigit() or not 1 <= int(row) <= len(table):
            raise ValueError(name)
        (at,) = self._columns(field, column)
        return table[int(row) - 1][at]

    def _columns(self, table: str, text: str) -> list[int]:
        """The columns of `PD` or `[PD, QD]`, which the file must have named before."""
        names = text.strip("[]").replace(",", " ").split()
        columns = _COLUMNS.get(table, {})
        if not names or any(name not in self._known or name not in columns for name in names):
            raise ValueError(text)
        return [columns[name] for name in names]

    def _scale(self, table: str, to: list[int], of: list[int], mark: str, text: str) -> None:
        """Columns `to` become columns `of` by the factor."""
        rows = self._tables.get(table, [])
        factor = factor_of(text, self._look)
        if not rows or len(to) != len(of) or (mark == "/" and not factor):
            raise ValueError(text)
        if max(*to, *of) >= min(map(len, rows)):
            raise ValueError(text)
        for row in rows:
            values = [row[column] for column in of]
            for column, value in zip(to, values, strict=True):
                row[column] = value * factor if mark == "*" else value / factor
