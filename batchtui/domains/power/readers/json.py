"""The JSON twin of a MATPOWER case: an object of `version, baseMVA, bus, gen, branch, gencost`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case, checked, notes_of, shown
from batchtui.errors import nearest
from batchtui.model import Json

_TABLES: Final = ("bus", "gen", "branch")


def is_case(value: Json) -> bool:
    """Whether this is the JSON of a MATPOWER case, and not that of another program."""
    return isinstance(value, dict) and "baseMVA" in value and isinstance(value.get("bus"), list)


def read_json(path: str | Path, text: str) -> Case:
    """The case of the file's text. Raises Fault (bad_input) with file and, for JSON that is none, line."""
    return case_of(path, parsed(path, text))


def parsed(path: str | Path, text: str) -> Json:
    """The JSON of a file. Raises Fault (bad_input)."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise Fault("bad_input", f"is no JSON ({fault.msg}); is the file cut?", path, fault.lineno) from None
    except (ValueError, RecursionError) as fault:
        raise Fault("bad_input", f"cannot be read as JSON ({shown(str(fault))})", path) from None


def case_of(path: str | Path, value: Json) -> Case:
    """The case of JSON that was read from `path`. Raises Fault (bad_input)."""
    if not isinstance(value, dict):
        raise Fault("bad_input", "is no JSON object of a MATPOWER case", path)
    for name in (*_TABLES, "baseMVA"):
        if name not in value:
            near = nearest(name, [str(key) for key in value])
            raise Fault("bad_input", f'there is no "{name}"{near or "; is it a MATPOWER case?"}', path)
    if not _is_number(value["baseMVA"]):
        raise Fault("bad_input", "baseMVA is no number", path)
    tables = {name: value.get(name) or [] for name in (*_TABLES, "gencost")}
    faults = {name: _malformed(name, table, path) for name, table in tables.items()}
    for name in _TABLES:
        if fault := faults[name]:
            raise fault
    try:
        case = checked(tables, float(value["baseMVA"]), path, cost_fault=faults["gencost"])
    except OverflowError:
        raise Fault("bad_input", "has a number that is too large", path) from None
    case.notes += notes_of(str(name) for name, field in value.items() if field)
    return case


def _malformed(name: str, table: Json, path: str | Path) -> Fault | None:
    if not isinstance(table, list):
        return Fault("bad_input", f"{name} is no list of rows", path)
    for place, row in enumerate(table, 1):
        if not isinstance(row, list) or not all(map(_is_number, row)):
            return Fault("bad_input", f"{name} row {place} is no list of numbers", path)
    return None


def _is_number(value: Json) -> bool:
    return type(value) is float or type(value) is int
