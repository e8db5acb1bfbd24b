from __future__ import annotations

import datetime
import decimal
import sys
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import SourceSpec
from batchtui.sources.readers import open_source
from tests.sources.source_help import rows_of


def test_without_pyarrow_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"pip install 'batchtui\[parquet\]'"):
        open_source(SourceSpec(file="a.parquet"), tmp_path)


def test_parquet_rows_are_json(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "id": [1, 2],
            "gap": [1.5, float("nan")],
            "day": [datetime.date(2026, 1, 2), None],
            "price": [decimal.Decimal("1.10"), None],
            "blob": [b"text", b"\xff"],
            "tags": [["a"], []],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    source = open_source(SourceSpec(file="a.parquet", limit=5), tmp_path)
    assert (source.columns[:2], source.id_column, source.count_hint) == (["id", "gap"], "id", 2)
    first, second = (row.values for row in rows_of(source))
    assert first == {"id": 1, "gap": 1.5, "day": "2026-01-02", "price": "1.10", "blob": "text", "tags": ["a"]}
    assert second == {"id": 2, "gap": None, "day": None, "price": None, "blob": "/w==", "tags": []}
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match="not a readable Parquet file"):
        open_source(SourceSpec(file="a.parquet"), tmp_path)
