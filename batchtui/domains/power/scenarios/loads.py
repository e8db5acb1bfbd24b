"""Loads of a scenario: a CSV of buses and their new demand.

    bus_id,p_mw,q_mvar          or  bus · pd, active_power_mw · qd, reactive_power_mvar
    2,21.7,12.7                 optional: scale, a factor of both

A row replaces what the case has at the bus; buses that are not listed keep it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Container
from pathlib import Path
from typing import Final, TypeAlias

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import shown, whole
from batchtui.domains.power.grids.kept import Kept
from batchtui.domains.power.grids.read import read_text

Loads: TypeAlias = dict[int, tuple[float, float, int]]
"""By bus: active (MW) and reactive (Mvar) demand, and the line of the file."""

_NAMES: Final = {
    "bus_id": ("bus_id", "bus"),
    "p_mw": ("p_mw", "pd", "active_power_mw"),
    "q_mvar": ("q_mvar", "qd", "reactive_power_mvar"),
}
_kept: Final = Kept[Loads](64)


def read_loads(path: str | Path) -> Loads:
    """The loads of the file. Raises Fault: missing_file, or bad_input with file and line."""
    return _kept.get(path, lambda: _read(path))


def unknown_bus(loads: Loads, known: Container[int], path: str | Path) -> Fault | None:
    """The fault of the first bus that is not in the grid."""
    for bus in loads:
        if bus not in known:
            line = loads[bus][2]
            return Fault("bad_input", f"there is no bus {bus} in the grid", path, line)
    return None


def _read(path: str | Path) -> Loads:
    text = read_text(path)
    reader = csv.reader(text.split("\n"))
    try:
        heads = [head.strip().lower() for head in next(reader, [])]
        columns = [_column(heads, name, path) for name in _NAMES]
        scale = heads.index("scale") if "scale" in heads else None
        rows = [(row, reader.line_num) for row in reader if row]
    except csv.Error as fault:
        raise Fault("bad_input", f"cannot be read as CSV ({fault})", path, reader.line_num) from None
    if scale is None and "_" not in text.partition("\n")[2]:
        found = _plain(rows, columns)
        if found is not None:
            return found
    return _row_by_row(rows, columns, scale, path)


def _plain(rows: list[tuple[list[str], int]], columns: list[int]) -> Loads | None:
    """The loads of a sound file, in a third of the time; None where something has to be looked at."""
    bus, p, q = columns
    try:
        found = {int(row[bus]): (float(row[p]), float(row[q]), line) for row, line in rows}
        total = math.fsum(p + q for p, q, _ in found.values())
    except (ValueError, IndexError, OverflowError):
        return None
    return found if len(found) == len(rows) and math.isfinite(total) else None


def _row_by_row(
    rows: list[tuple[list[str], int]], columns: list[int], scale: int | None, path: str | Path
) -> Loads:
    found: Loads = {}
    for row, line in rows:
        bus, p, q = _row(row, columns, scale, path, line)
        if bus in found:
            raise Fault("bad_input", f"bus {bus} is there twice", path, line)
        found[bus] = (p, q, line)
    return found


def _column(heads: list[str], name: str, path: str | Path) -> int:
    there = [head for head in _NAMES[name] if head in heads]
    if len(there) == 1 and heads.count(there[0]) == 1:
        return heads.index(there[0])
    if there:
        raise Fault("bad_input", f"column {name} is there more than once", path, 1)
    also = "".join(f" or {other}" for other in _NAMES[name][1:])
    has = ", ".join(map(shown, heads[:6]))
    raise Fault(
        "bad_input", f"column {name} is missing (also taken: {also[4:]}); the file has {has}", path, 1
    )


def _row(
    row: list[str], columns: list[int], scale: int | None, path: str | Path, line: int
) -> tuple[int, float, float]:
    def number(column: int) -> float:
        text = row[column].strip() if column < len(row) else ""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            what = f"{shown(text)} is no number" if text else "is empty"
            raise Fault("bad_input", f"column {column + 1}: {what}", path, line)
        return value

    bus, p, q = map(number, columns)
    factor = 1.0 if scale is None else number(scale)
    if bus != int(bus):
        raise Fault("bad_input", f"{whole(bus)} is no bus number", path, line)
    return int(bus), p * factor, q * factor
