"""Columns of a Parquet export keep the type that their values have."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import pytest

from batchtui.model import JobState, Json, Result
from batchtui.results.export.file import export

pytest.importorskip("pyarrow", reason="needs the extra `parquet`")


def exported(path: Path, values: list[Json]) -> tuple[str, list[Any]]:
    """The type and the values of a column of the rows that held these."""
    import pyarrow.parquet

    results = (Result(job_id=str(n), row={"x": value}) for n, value in enumerate(values))
    export(results, str(path / "o.parquet"), "parquet", columns=("job_id", "row.x"))
    column = pyarrow.parquet.read_table(path / "o.parquet").column("row.x")
    return str(column.type), column.to_pylist()


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([9007199254740993, 2, None], "int64"),
        ([-(2**63), 2**63 - 1], "int64"),
        ([1.5, None, 2], "double"),
        ([True, None, False], "bool"),
        (["a", None, "-3"], "string"),
        ([[1, 2], None, []], "list<element: int64>"),
        ([{"a": 1, "b": {"c": ["x"]}}, None], "struct<a: int64, b: struct<c: list<element: string>>>"),
        ([None, None], "string"),
    ],
)
def test_values_of_one_type_keep_it(tmp_path: Path, values: list[Json], type_: str) -> None:
    assert exported(tmp_path, values) == (type_, values)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, "a", None], ["1", "a", None]),
        ([True, 1], ["true", "1"]),
        ([18446744073709551615, 1], ["18446744073709551615", "1"]),
        ([9007199254740993, 0.5], ["9007199254740993", "0.5"]),
        ([0.5, 9007199254740993], ["0.5", "9007199254740993"]),
        ([{"a": 1}, [1]], ['{"a": 1}', "[1]"]),
        ([{f"k{n}": n for n in range(300)}], None),
    ],
)
def test_values_of_several_types_stand_as_text(tmp_path: Path, values: list[Json], texts: list[Json]) -> None:
    type_, found = exported(tmp_path, values)
    assert type_ == "string"
    assert texts is None or found == texts


def test_mixed_parts_of_a_table_are_text_and_missing_ones_null(tmp_path: Path) -> None:
    values: list[Json] = [{"a": 1, "b": 1}, {"a": "x"}, {"c": [1, "y"], "d": {}}]
    assert exported(tmp_path, values)[1] == [
        {"a": "1", "b": 1, "c": None, "d": None},
        {"a": "x", "b": None, "c": None, "d": None},
        {"a": None, "b": None, "c": ["1", "y"], "d": None},
    ]


def test_what_is_no_number_stays_so(tmp_path: Path) -> None:
    type_, (nan, endless) = exported(tmp_path, [math.nan, math.inf])
    assert (type_, math.isnan(nan), endless) == ("double", True, math.inf)


def test_half_an_emoji_is_spelt_out_wherever_it_stands(tmp_path: Path) -> None:
    assert exported(tmp_path, [{"\ud83d": ["\ud83d"]}])[1] == [{"\\ud83d": ["\\ud83d"]}]


def test_types_hold_over_more_rows_than_a_group(tmp_path: Path) -> None:
    values: list[Json] = [*range(10_500), None, "at the end"]
    type_, found = exported(tmp_path, values)
    assert (type_, found[0], found[-1], len(found)) == ("string", "0", "at the end", 10_502)


def test_times_and_figures_of_results_have_types_of_their_own(tmp_path: Path) -> None:
    import pyarrow.parquet

    path = tmp_path / "o.parquet"
    at = "2026-11-28T21:52:04.123Z"
    done = Result(job_id="a", status=JobState.COMPLETED, started=at, attempts=1, parsed_response={"n": 1})
    export([done, Result(job_id="b")], str(path), "parquet")
    table = pyarrow.parquet.read_table(path)
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert table.column("started").to_pylist()[0] == datetime.datetime.fromisoformat(at)
    assert (types["attempts"], types["cost_usd"], types["status"]) == ("int64", "double", "string")
    assert (types["parsed_response"], types["row"]) == ("struct<n: int64>", "string")


def test_no_results_leave_a_table_without_rows(tmp_path: Path) -> None:
    assert exported(tmp_path, [])[1] == []
