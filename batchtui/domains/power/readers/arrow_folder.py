"""Grids as folders of Arrow tables, in the layout that gat reads and writes: load with every check, change, save.

    manifest.json, system.arrow, buses.arrow, generators.arrow, loads.arrow, branches.arrow

Tables are plain rows here; pyarrow (extra `power`) is imported when a folder is read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from batchtui.domains.power.fault import Fault
from batchtui.model import Json
from batchtui.text import cell

MANIFEST: Final = "manifest.json"
TABLES: Final = ("system", "buses", "generators", "loads", "branches")
_MAJOR: Final = 2
_MOST_BYTES: Final = 1 << 30
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "system": ("base_mva",),
    "buses": ("id", "voltage_kv", "voltage_pu", "angle_rad", "bus_type"),
    "generators": ("id", "bus", "status", "active_power_mw", "pmin_mw", "pmax_mw"),
    "loads": ("id", "bus", "status", "active_power_mw", "reactive_power_mvar"),
    "branches": ("id", "from_bus", "to_bus", "status", "resistance_pu", "reactance_pu", "tap_ratio"),
}

Row: TypeAlias = dict[str, Json]


@dataclass(slots=True)
class ArrowGrid:
    """The rows of each table, in file order. `schemas` are pyarrow's, so that what is saved has the same types."""

    folder: Path
    tables: dict[str, list[Row]]
    schemas: dict[str, Json]
    manifest: dict[str, Json]

    def of(self, name: str) -> list[Row]:
        return self.tables[name]


def is_arrow_folder(path: str | Path) -> bool:
    """Whether it looks like one: a folder with its manifest."""
    return os.path.isfile(os.path.join(path, MANIFEST))


def load(path: str | Path) -> ArrowGrid:
    """Read a folder. Raises Fault: missing_file, missing_extra, bad_input (version, checksum, columns, ids)."""
    folder = Path(path)
    manifest = _manifest(folder)
    tables: dict[str, list[Row]] = {}
    schemas: dict[str, Json] = {}
    for name in TABLES:
        rows, schemas[name] = _table(folder / f"{name}.arrow", manifest["tables"].get(name))
        tables[name] = rows
    if len(tables["system"]) != 1:
        raise Fault("bad_input", f"expected one row, got {len(tables['system'])}", folder / "system.arrow")
    _check_ids(folder, tables)
    return ArrowGrid(folder, tables, schemas, manifest)


def save(grid: ArrowGrid, folder: Path) -> None:
    """Write the grid with fresh checksums; the folder is made. Raises OSError."""
    import pyarrow
    import pyarrow.ipc

    folder.mkdir(parents=True)
    listed: dict[str, Json] = {}
    for name in TABLES:
        table = pyarrow.Table.from_pylist(grid.tables[name], schema=grid.schemas[name])
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        data = sink.getvalue().to_pybytes()
        (folder / f"{name}.arrow").write_bytes(data)
        listed[name] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "row_count": table.num_rows,
            "file_size_bytes": len(data),
        }
    (folder / MANIFEST).write_text(json.dumps({**grid.manifest, "tables": listed}), "utf-8")


def _manifest(folder: Path) -> dict[str, Json]:
    path = folder / MANIFEST
    if not folder.is_dir():
        raise Fault("missing_file", "there is no such grid folder", folder)
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise Fault("missing_file", f"the grid folder has no {MANIFEST}", folder) from None
    except (OSError, ValueError, RecursionError) as fault:
        raise Fault("bad_input", f"cannot be read as JSON ({cell(str(fault), 80)})", path) from None
    tables = found.get("tables") if isinstance(found, dict) else None
    if not isinstance(tables, dict):
        raise Fault("bad_input", "lists no tables", path)
    version = str(found.get("schema_version"))
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) > _MAJOR:
        raise Fault("bad_input", f"schema version {cell(version, 20)}: up to {_MAJOR}.x can be read", path)
    return {**found, "tables": tables}


def _table(path: Path, listed: Json) -> tuple[list[Row], Json]:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError:
        raise Fault(
            "missing_extra", "Arrow grids need pyarrow: pip install 'batchtui[power]'", path.parent
        ) from None

    if not isinstance(listed, dict):
        raise Fault("bad_input", f"does not list the table {path.stem}", path.parent / MANIFEST)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Fault("bad_input", "is larger than 1 GiB", path)
        data = path.read_bytes()
    except FileNotFoundError:
        raise Fault("missing_file", "the grid folder lacks this table", path) from None
    except OSError as fault:
        raise Fault("bad_input", f"cannot be read ({fault.strerror})", path) from None
    if hashlib.sha256(data).hexdigest() != listed.get("sha256"):
        raise Fault("bad_input", f"does not match its SHA-256 in {MANIFEST}: it was changed or cut", path)
    try:
        table = pyarrow.ipc.open_file(data).read_all()
        rows: list[Row] = table.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as fault:
        raise Fault("bad_input", f"is no Arrow file ({cell(str(fault), 80)})", path) from None
    lacking = [name for name in _NEEDED[path.stem] if name not in table.column_names]
    if lacking:
        raise Fault("bad_input", f"has no column {lacking[0]}", path)
    return rows, table.schema


def _check_ids(folder: Path, tables: Mapping[str, list[Row]]) -> None:
    buses = {row["id"] for row in tables["buses"]}
    if len(buses) != len(tables["buses"]):
        raise Fault("bad_input", "a bus id stands twice", folder / "buses.arrow")
    for name, ends in (("generators", ("bus",)), ("loads", ("bus",)), ("branches", ("from_bus", "to_bus"))):
        for number, row in enumerate(tables[name], 1):
            for end in ends:
                if row[end] not in buses:
                    message = f"row {number}: {end} {cell(str(row[end]), 20)} is no bus of the grid"
                    raise Fault("bad_input", message, folder / f"{name}.arrow")


def in_service(rows: Iterable[Row]) -> Iterable[Row]:
    """The rows that are switched on."""
    return (row for row in rows if row.get("status") is not False)
