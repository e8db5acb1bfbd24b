"""A table of all scenarios, written chunk by chunk, so that no more than a chunk is held at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from batchtui.model import Json
from batchtui.results.scenarios.columns import (
    Columns,
    arrow_schema,
    arrow_table,
    csv_text,
    json_lines,
    length_of,
    parquet,
)
from batchtui.results.scenarios.tables import FILES, read_table, remove_other_form


class TableWriter:
    """Written under a temporary name, in place when left without a fault. Every chunk is a row group.

    Columns that a chunk lacks are null there; those that are not in `names` are left out.
    """

    def __init__(self, path: str | Path, names: Sequence[str]) -> None:
        base = Path(path)
        self._names = tuple(names)
        endings = ("jsonl", "csv") if parquet() is None else ("parquet",)
        self._targets = [base.with_name(f"{base.name}.{ending}") for ending in endings]
        self._parts = [target.with_name(f".{target.name}.part") for target in self._targets]
        self._files: list[IO[bytes]] = [part.open("wb") for part in self._parts]
        self._writer: Json = None
        if reader := parquet():
            self._schema = arrow_schema(self._names, {})
            self._writer = reader.ParquetWriter(
                self._files[0], self._schema, use_dictionary=["scenario_id"], write_statistics=["scenario_id"]
            )
        else:
            self._files[1].write(csv_text(dict.fromkeys(self._names, ()), head=True))

    def append(self, columns: Columns) -> None:
        """Add a chunk of rows."""
        nothing = [None] * length_of(columns)
        whole = {name: columns.get(name, nothing) for name in self._names}
        if self._writer is not None:
            self._writer.write_table(arrow_table(whole, self._schema))
        else:
            self._files[0].write(json_lines(whole))
            self._files[1].write(csv_text(whole, head=False))

    def append_tables(self, table: str, scenarios: Sequence[tuple[str, Path]]) -> None:
        """Add a chunk: this table of every scenario (its id, its folder) that has one, the id before each row.

        Raises BadInput where a file cannot be read.
        """
        if self._writer is not None:
            chunk = _joined(table, scenarios, self._schema)
            if chunk is not None:
                self._writer.write_table(chunk)
            return
        for scenario, folder in scenarios:
            found = read_table(folder, table)
            if found:
                self.append({"scenario_id": [scenario] * length_of(found), **found})

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        for file in self._files:
            file.close()
        for part, target in zip(self._parts, self._targets, strict=True):
            if fault is None:
                part.replace(target)
            else:
                part.unlink(missing_ok=True)
        if fault is None:
            remove_other_form(self._targets[0].parent, self._targets[0].stem)


def _joined(table: str, scenarios: Sequence[tuple[str, Path]], schema: Json) -> Json:
    """The Parquet tables of these scenarios as one of this schema; None where there is none."""
    import pyarrow

    found, ids, lengths = [], [], []
    for scenario, folder in scenarios:
        one = _read(folder, table)
        if one is not None:
            found.append(one)
            ids.append(scenario.encode("utf-8", "backslashreplace").decode())
            lengths.append(one.num_rows)
    if not found:
        return None
    joined = pyarrow.concat_tables(found, promote_options="permissive")
    places = pyarrow.array([n for n, length in enumerate(lengths) for _ in range(length)], pyarrow.int32())
    columns = []
    for field in schema:
        if field.name == "scenario_id":
            columns.append(pyarrow.array(ids, field.type).take(places))
        elif field.name in joined.column_names:
            columns.append(joined.column(field.name).cast(field.type))
        else:
            columns.append(pyarrow.nulls(joined.num_rows, field.type))
    return pyarrow.table(columns, schema=schema)


def _read(folder: Path, table: str) -> Json:
    """A job's table as pyarrow holds it. Opened from memory: that takes a fifth of the time of a path."""
    import pyarrow

    reader = parquet()
    assert reader
    try:
        with open(f"{folder}/{FILES.get(table, table)}.parquet", "rb", buffering=0) as file:
            content = file.read()
        return reader.ParquetFile(pyarrow.BufferReader(content)).read(use_threads=False)
    except (OSError, ValueError):
        found = read_table(folder, table)  # of the other form, or says what is wrong with it
        return arrow_table(found) if found else None
