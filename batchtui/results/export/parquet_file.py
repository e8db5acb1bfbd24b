"""Records to a Parquet file whose columns keep their types. Read twice: a file's types stand before its rows."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.results.export.typed_columns import Shape, is_stamp
from batchtui.results.reading.query import as_text

if TYPE_CHECKING:
    import pyarrow

GROUP = 10_000
_KINDS = {"input_tokens": "int", "output_tokens": "int", "attempts": "int", "cost_usd": "float"}
"""Of fields that have a type also where no result has a value."""
_TIMES = ("started", "ended")


def write_parquet(path: str, records: Iterable[dict[str, Json]], columns: Sequence[str]) -> None:
    """Each column gets the narrowest type that holds its values exactly: whole numbers, doubles, truths, texts,
    times, lists and tables; nulls go with any. What has several types is text. Raises BadInput without pyarrow.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadInput(
            "Parquet needs pyarrow; install it with `pip install 'batchtui[parquet]'`, or write .jsonl or .csv"
        ) from None
    with tempfile.TemporaryFile("w+", encoding="ascii") as spool:
        shapes = _spooled(records, columns, spool)
        spool.seek(0)
        types = {name: _arrow(pyarrow, shape) for name, shape in shapes.items()}
        schema = pyarrow.schema(list(types.items()))
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            for group in _groups(spool):
                arrays = [
                    pyarrow.array([_fit(values[at], shape) for values in group], type=types[name])
                    for at, (name, shape) in enumerate(shapes.items())
                ]
                writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _spooled(records: Iterable[dict[str, Json]], columns: Sequence[str], spool: IO[str]) -> dict[str, Shape]:
    """The types of the columns; their values are put down as lines meanwhile."""
    shapes = {name: Shape(_KINDS.get(name, "none")) for name in columns}
    times = {name: True for name in columns if name in _TIMES}
    for record in records:
        values = [record[name] for name in columns]
        json.dump(values, spool)
        spool.write("\n")
        for (name, shape), value in zip(shapes.items(), values, strict=True):
            shape.add(value)
            if name in times and value is not None:
                times[name] = times[name] and is_stamp(value)
    for name, shape in shapes.items():
        shape.settle()
        if shape.kind == "text" and times.get(name):
            shape.kind = "stamp"
    return shapes


def _groups(spool: IO[str]) -> Iterator[list[list[Json]]]:
    """At least one, so that a file without rows has its columns."""
    group: list[list[Json]] = []
    for line in spool:
        if len(group) == GROUP:
            yield group
            group = []
        group.append(json.loads(line))
    yield group


def _arrow(arrow: pyarrow, shape: Shape) -> pyarrow.DataType:
    if shape.kind == "list":
        return arrow.list_(_arrow(arrow, shape.items or Shape()))
    if shape.kind == "table":
        return arrow.struct([(_text(name), _arrow(arrow, inner)) for name, inner in shape.fields.items()])
    plain = {"bool": arrow.bool_, "int": arrow.int64, "float": arrow.float64}
    if shape.kind == "stamp":
        return arrow.timestamp("ms", tz="UTC")
    return plain.get(shape.kind, arrow.string)()


def _fit(value: Json, shape: Shape) -> Json:
    """The value as a column of this type takes it."""
    if value is None:
        return None
    if shape.kind == "list":
        items = shape.items or Shape()
        return [_fit(item, items) for item in value]
    if shape.kind == "table":
        return {_text(name): _fit(value.get(name), inner) for name, inner in shape.fields.items()}
    if shape.kind == "float":
        return float(value)
    if shape.kind == "stamp":
        return datetime.datetime.fromisoformat(value)
    return value if shape.kind in ("bool", "int") else None if value == {} else _text(as_text(value))


def _text(value: str) -> str:
    """A lone half of an emoji, which UTF-8 cannot hold, is spelt out."""
    return value.encode("utf-8", "backslashreplace").decode()
