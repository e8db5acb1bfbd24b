from __future__ import annotations

import datetime
import decimal
import sys
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import SourceSpec
from batchtui.sources import inflation
from batchtui.sources.readers import open_source
from tests.sources.source_help import rows_of


def test_without_pyarrow_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"pip install 'batchtui\[parquet\]'"):
        open_source(SourceSpec(file="a.parquet"), tmp_path)


@pytest.mark.parametrize("value", [7, "the same text in every row"])
def test_rows_without_end_in_a_small_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: int | str
) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    import pyarrow.parquet as pq

    monkeypatch.setattr(inflation, "TEXT_LIMIT", 1 << 20)
    pq.write_table(pa.table({"id": [value] * 2_000_000}), tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(BadInput, match="more than 1 MB of text at over 100 times the packed size"):
        open_source(SourceSpec(file="a.parquet"), tmp_path)


def test_parquet_rows_are_json(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
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


@pytest.mark.parametrize("zone", [None, "Europe/Oslo"])
def test_nanoseconds_need_no_pandas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str | None
) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    pq = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setitem(sys.modules, "pandas", None)
    counts = [1_700_000_000_123_456_789, 1_700_000_000_000_000_000, -1, None]
    table = pa.table({"id": [1, 2, 3, 4], "at": pa.array(counts, pa.timestamp("ns", zone))})
    pq.write_table(table, tmp_path / "a.parquet")
    found = [row.values["at"] for row in rows_of(open_source(SourceSpec(file="a.parquet"), tmp_path))]
    if zone is None:
        assert found == [
            "2023-11-14T22:13:20.123456789", "2023-11-14T22:13:20", "1969-12-31T23:59:59.999999999", None,
        ]  # fmt: skip
    else:
        assert found[:2] == ["2023-11-14T23:13:20.123456789+01:00", "2023-11-14T23:13:20+01:00"]
