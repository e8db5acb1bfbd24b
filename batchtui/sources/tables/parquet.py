"""Parquet, through pyarrow where it is installed."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.model import Json, Row
from batchtui.sources.faults import BadSource
from batchtui.sources.inflation import Inflating, refuse_inflating
from batchtui.sources.source import Rows
from batchtui.text import cell

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS_AT_ONCE = 1000
_ADVICE = "bring it as CSV or JSON Lines"


def parquet_file(path: Path, name: str) -> pq.ParquetFile:
    """Raises BadSource where pyarrow is missing or the file is no Parquet."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise BadSource("Parquet needs pyarrow: pip install 'batchtui[parquet]'", file=name) from None
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as fault:
        raise BadSource(f"not a readable Parquet file: {cell(fault)}", file=name) from None
    facts = file.metadata
    held = sum(facts.row_group(n).total_byte_size for n in range(facts.num_row_groups))
    try:  # a column of one value takes no bytes at all, however many rows there are
        refuse_inflating(max(held, facts.num_rows * facts.num_columns), path.stat().st_size, _ADVICE)
    except Inflating as fault:
        file.close()
        raise BadSource(str(fault), file=name) from None
    return file


def parquet_rows(path: Path, name: str) -> Rows:
    """Dates become ISO text, decimals text, bytes UTF-8 or base64 text, NaN null (how tables write a gap)."""
    number, size, packed = 0, 0, path.stat().st_size
    with parquet_file(path, name) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            size += batch.nbytes
            refuse_inflating(size, packed, _ADVICE)
            for values in _without_nanoseconds(batch).to_pylist():
                number += 1
                yield Row(number, None, _plain(values))


def _without_nanoseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Its columns of times to a nanosecond as text: Python has none so fine, and pyarrow needs pandas for them."""
    import pyarrow as pa

    for at, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            texts = pa.array(_stamps(batch.column(at), field.type.tz), pa.string())
            batch = batch.set_column(at, field.name, texts)
    return batch


def _stamps(column: pa.Array, zone: str | None) -> list[str | None]:
    import pyarrow as pa

    counts = column.cast(pa.int64()).to_pylist()
    micros = pa.array([None if count is None else count // 1000 for count in counts], pa.int64())
    stamps: list[str | None] = []
    for count, moment in zip(counts, micros.cast(pa.timestamp("us", zone)).to_pylist(), strict=True):
        if moment is None or count % 1000 == 0:
            stamps.append(moment and moment.isoformat())
        else:
            text = moment.isoformat(timespec="microseconds")
            stamps.append(f"{text[:26]}{count % 1000:03}{text[26:]}")
    return stamps


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value
