"""Columns of scenario tables: their names, types by name, and how they become Parquet, JSON Lines and CSV.

A type goes by the column's name, so that a table whose column is all null has the type of one whose is not.
pyarrow is imported when the first table is written or read, and nothing here needs it.
"""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Final, Literal, TypeAlias

from batchtui.model import Json

Columns: TypeAlias = Mapping[str, Sequence[Json]]
"""Values by column, all equally long: lists, or numpy arrays. NaN is stored as null."""
Type: TypeAlias = Literal["int", "float", "text", "bool"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


AGGREGATED: Final = _words(
    "scenario_id task status error_kind error attempts duration_ms iterations converged load_mw gen_mw loss_mw "
    "slack_mw vm_min vm_min_bus vm_max vm_max_bus n_vm_violations loading_max_pct loading_max_branch n_overloads "
    "objective input_hash"
)
BRANCH: Final = _words("branch_id from_bus to_bus flow_mw q_from_mvar p_to_mw q_to_mvar loading_pct loss_mw")
BRANCH_OPF: Final = (*BRANCH, "shadow_price")
BUS: Final = _words("bus_id vm_pu va_deg p_mw q_mvar lmp vmin vmax")
CONTINGENCY: Final = _words(
    "outage_branch_id from_bus to_bus status worst_branch_id worst_loading_pct n_overloads islanded_mw vm_min "
    "vm_min_bus performance_index max_flow_change_mw loss_mw"
)
_INTS = _words(
    "branch_id from_bus to_bus bus_id gen_id outage_branch_id worst_branch_id n_overloads vm_min_bus vm_max_bus "
    "n_vm_violations loading_max_branch attempts iterations"
)
_TEXTS = _words("scenario_id task status error_kind error input_hash")
_KNOWN: dict[str, Type] = {
    **dict.fromkeys((*AGGREGATED, *BRANCH_OPF, *BUS, *CONTINGENCY), "float"),
    **dict.fromkeys(_INTS, "int"),
    **dict.fromkeys(_TEXTS, "text"),
    "converged": "bool",
}


def type_of(name: str, values: Sequence[Json]) -> Type:
    """The type of a column: by its name, else by the values, a number where all are null."""
    known = _KNOWN.get(name)
    if known is not None:
        return known
    kinds = {type(value) for value in plain(values) if value is not None}
    if kinds <= {int}:
        return "int" if kinds else "float"
    if kinds <= {int, float}:
        return "float"
    return "bool" if kinds == {bool} else "text"


def plain(values: Sequence[Json]) -> list[Json]:
    """The values as a list of plain ones, numpy's too; what JSON cannot hold (NaN, infinities) is null."""
    found = values.tolist() if hasattr(values, "tolist") else values
    return [None if isinstance(v, float) and v - v != 0 else v for v in found]


def length_of(columns: Columns) -> int:
    for values in columns.values():
        return len(values)
    return 0


# ---- Parquet


@functools.cache
def parquet() -> ModuleType | None:
    """pyarrow's Parquet, or None where it is not installed."""
    try:
        import pyarrow.parquet
    except ImportError:
        return None
    return pyarrow.parquet  # type: ignore[no-any-return]


def arrow_schema(names: Sequence[str], columns: Columns) -> Json:
    """A pyarrow schema of these columns."""
    return _schema(tuple((name, type_of(name, columns.get(name, ()))) for name in names))


@functools.lru_cache(maxsize=64)
def _schema(columns: tuple[tuple[str, Type], ...]) -> Json:
    import pyarrow

    types = {
        "int": pyarrow.int64(),
        "float": pyarrow.float64(),
        "text": pyarrow.string(),
        "bool": pyarrow.bool_(),
    }
    return pyarrow.schema([(name, types[kind]) for name, kind in columns])


def arrow_table(columns: Columns, schema: Json = None) -> Json:
    """The columns as a pyarrow table."""
    import pyarrow

    schema = arrow_schema(tuple(columns), columns) if schema is None else schema
    arrays = []
    for field in schema:
        values = columns[field.name]
        if field.type == pyarrow.string():
            values = [None if value is None else _storable(value) for value in plain(values)]
        arrays.append(pyarrow.array(values, type=field.type, from_pandas=True))
    return pyarrow.table(arrays, schema=schema)


def _storable(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "backslashreplace").decode()


# ---- JSON Lines and CSV


def json_lines(columns: Columns) -> bytes:
    """One object a row."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows(columns))


def csv_text(columns: Columns, *, head: bool) -> bytes:
    """The rows as CSV, their names before them with `head`; no cell is one that a spreadsheet runs."""
    from batchtui.results.export.file import safe_cell

    text = io.StringIO()
    writer = csv.writer(text)
    if head:
        writer.writerow(columns)
    for row in rows(columns):
        writer.writerow([safe_cell(value) for value in row.values()])
    return text.getvalue().encode("utf-8", "backslashreplace")


def rows(columns: Columns) -> Iterator[dict[str, Json]]:
    """Row by row."""
    names = tuple(columns)
    for values in zip(*(plain(columns[name]) for name in names), strict=True):
        yield dict(zip(names, values, strict=True))
