"""Tables of scenario results by name: Parquet where pyarrow is there, else JSON Lines with a CSV twin."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.results.scenarios.columns import Columns, arrow_table, csv_text, json_lines, parquet

FILES: Final = {"branch": "result"}
"""Under which name a job's table lies in its folder, where that is not the table's own."""
ENDINGS: Final = ("parquet", "jsonl")


def write_table(path: str | Path, columns: Columns) -> str:
    """Write the table to `path` plus an ending, at once; the file's name. Raises OSError."""
    folder, base = os.path.split(path)
    name, _ = _write(folder or ".", base, columns)
    return name


def write_tables(folder: str | Path, tables: Mapping[str, Columns]) -> dict[str, dict[str, Json]]:
    """Write a job's tables into its folder; by table: the file's `name`, `size` in bytes and `sha256`.

    The folder is made where it is missing. Raises OSError.
    """
    if not os.path.isdir(folder):
        os.makedirs(folder, exist_ok=True)
    written: dict[str, dict[str, Json]] = {}
    for table, columns in tables.items():
        name, data = _write(folder, FILES.get(table, table), columns)
        written[table] = {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return written


def read_table(folder: str | Path, name: str) -> dict[str, list[Json]] | None:
    """The table of this name in a folder, column by column; None where there is none.

    `name` is that of a job's table (branch, bus, …) or of a file without its ending. Raises BadInput where it
    cannot be read.
    """
    found = table_file(folder, name)
    if found is None:
        return None
    try:
        return _read_parquet(found) if found.suffix == ".parquet" else _read_json_lines(found)
    except (OSError, ValueError, NotImplementedError, RecursionError) as fault:  # also pyarrow's
        raise BadInput(f"{found}: cannot be read ({fault})") from None


def table_file(folder: str | Path, name: str) -> Path | None:
    """The file that holds the table."""
    base = FILES.get(name, name)
    there = (Path(folder, f"{base}.{ending}") for ending in ENDINGS)
    return next((path for path in there if path.is_file()), None)


def remove_other_form(folder: str | Path, base: str) -> None:
    """Remove what an earlier run wrote of this table when pyarrow was not there, or still was."""
    for ending in ("parquet",) if parquet() is None else ("jsonl", "csv"):
        with contextlib.suppress(OSError):
            os.unlink(f"{folder}/{base}.{ending}")


def _write(folder: str | Path, base: str, columns: Columns) -> tuple[str, memoryview | bytes]:
    """Name and content of the file that was written."""
    reader = parquet()
    if reader is None:
        data = json_lines(columns)
        put(f"{folder}/{base}.csv", csv_text(columns, head=True))
        put(f"{folder}/{base}.jsonl", data)
        return f"{base}.jsonl", data
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    # Snappy costs 0.04 ms for a table of case118 and halves what it takes; dictionaries and statistics gain nothing.
    plainly = {"compression": "snappy", "use_dictionary": False, "write_statistics": False}
    reader.write_table(arrow_table(columns), sink, store_schema=False, **plainly)
    content = memoryview(sink.getvalue())
    put(f"{folder}/{base}.parquet", content)
    return f"{base}.parquet", content


def put(path: str | Path, data: bytes | memoryview) -> None:
    """Write the file under a temporary name, then put it in place.

    It is not forced to the disk: whoever relies on it compares its size and hash.
    """
    folder, name = os.path.split(path)
    part = os.path.join(folder, f".{name}.part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
    finally:
        os.close(fd)
    os.replace(part, path)


def _read_parquet(path: Path) -> dict[str, list[Json]]:
    reader = parquet()
    if reader is None:
        raise BadInput(
            f"{path}: reading Parquet needs pyarrow; install it with `pip install 'batchtui[power]'`"
        )
    found: dict[str, list[Json]] = reader.read_table(path, use_threads=False).to_pydict()
    return found


def _read_json_lines(path: Path) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file):
            row = json.loads(line)
            if not isinstance(row, dict) or (number and row.keys() != found.keys()):
                raise ValueError(f"line {number + 1} has other columns than the first")
            for name, value in row.items():
                found.setdefault(name, []).append(value)
    return found
