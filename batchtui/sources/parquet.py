"""Parquet, through pyarrow where it is installed."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.errors import BadInput
from batchtui.model import Json, Row
from batchtui.sources.source import Rows
from batchtui.text import cell

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_ROWS_AT_ONCE = 1000


def parquet_file(path: Path, name: str) -> pq.ParquetFile:
    """Raises BadInput where pyarrow is missing or the file is no Parquet."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise BadInput(f"{cell(name)}: Parquet needs pyarrow: pip install 'batchtui[parquet]'") from None
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as fault:
        raise BadInput(f"{cell(name)}: not a readable Parquet file: {cell(fault)}") from None


def parquet_rows(path: Path, name: str) -> Rows:
    """Dates become ISO text, decimals text, bytes UTF-8 or base64 text, NaN null (how tables write a gap)."""
    number = 0
    with parquet_file(path, name) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            for values in batch.to_pylist():
                number += 1
                yield Row(number, None, _plain(values))


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
