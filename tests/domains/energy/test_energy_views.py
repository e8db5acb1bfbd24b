"""Views over energy models: a batch's runs, one of them, and two side by side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from batchtui.domains.energy import views as energy
from batchtui.domains.energy.demo.results import sections
from batchtui.domains.energy.views.sections import as_columns, sections_of, summary_figures
from batchtui.errors import BadInput, NotFound
from batchtui.model import JobState, Json
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars, Lines, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.daly_help import block, energy_model
from tests.tui.samples import Sample


def model(gcr: float, kind: str = "fixed") -> dict[str, Json]:
    layout = {"arrayType": kind, "gcr": gcr, "tilt": 25}
    return sections(energy_model(blocks=[block(layout=layout)]))


def batch(tmp_path: Path, outputs: Iterable[Json], kind: str = "daly", failed: int = 0) -> BatchFolder:
    given = list(outputs)
    ids = [f"s{n}" for n in range(len(given) + failed)]
    sample = Sample(Library(tmp_path / "data"), "k7fq2m", "sites", ids, backend=kind)
    for n, output in enumerate(given):
        sample.finish(n, output=output)
    for n in range(len(given), len(ids)):
        sample.finish(n, JobState.FAILED, error="no weather", error_kind="WeatherDataError")
    return sample.close()


@pytest.fixture
def three(tmp_path: Path) -> BatchFolder:
    return batch(tmp_path, [model(0.3), model(0.5), model(0.3, "tracker")], failed=2)


def view(folder: BatchFolder, name: str, *jobs: str, y: str | None = None) -> View:
    return energy.build(folder, name, Options(jobs=jobs, y=y))


def heads(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def column(table: Table, name: str) -> list[Json]:
    return [row[heads(table).index(name)] for row in table.rows]


def test_the_views_that_there_are(three: BatchFolder, tmp_path: Path) -> None:
    assert [name for name, _ in energy.names(three)] == ["summary", "monthly", "hourly", "losses", "blocks"]
    assert energy.names(batch(tmp_path / "a", [{"annual_mwh": 1}])) == []
    assert energy.names(batch(tmp_path / "b", [model(0.4)], kind="openai")) == []
    assert [
        name for name, _ in energy.names(batch(tmp_path / "c", [{"summary": {"a": 1}}], kind="rest"))
    ] == ["summary"]
    assert len(energy.names(batch(tmp_path / "d", [], failed=1))) == 5


def test_a_batch_has_a_row_a_run(three: BatchFolder) -> None:
    found = view(three, "summary")
    assert column(found.table, "job") == ["s0", "s1", "s2"]
    assert column(found.table, "arrayType") == ["fixed", "fixed", "tracker"]
    yields = column(found.table, "specificYield")
    assert yields[2] > yields[0] > yields[1]
    assert found.jobs == ("s0", "s1", "s2")
    assert found.table.note == "without a result: 2 failed"
    assert isinstance(found.picture, Bars)
    assert (found.picture.names, found.picture.values) == (["s0", "s1", "s2"], yields)
    assert dict(found.facts)["drawn"] == "specificYield"
    other = view(three, "summary", y="gcr").picture
    assert isinstance(other, Bars)
    assert other.values == [0.3, 0.5, 0.3]


def test_a_batch_among_some_of_its_jobs(three: BatchFolder) -> None:
    found = energy.build(three, "summary", Options(among=frozenset({"s2", "s0", "nowhere"})))
    assert column(found.table, "job") == ["s0", "s2"]


def test_two_runs_stand_side_by_side(three: BatchFolder) -> None:
    found = view(three, "summary", "s0", "s2")
    assert heads(found.table) == ["figure", "s0", "s2", "difference", "in percent"]
    rows = {row[0]: row[1:] for row in found.table.rows}
    first, second, change, share = rows["specificYield"]
    assert change == pytest.approx(second - first)
    assert share == pytest.approx(100 * change / first)
    assert rows["arrayType"] == ("fixed", "tracker", None, None)
    assert isinstance(found.picture, Bars)
    assert found.picture.unit == "%"
    assert not {"latitude", "locationId"} & set(found.picture.names)
    alone = view(three, "summary", "s0")
    assert heads(alone.table) == ["figure", "s0"]
    assert alone.picture is None


def test_ids_are_figures_that_are_not_drawn(tmp_path: Path) -> None:
    outputs = [{"summary": {"locationId": n, "grid": 2.0 + n}} for n in (1, 2)]
    folder = batch(tmp_path, outputs)
    assert view(folder, "summary").axes == (None, "grid")
    both = view(folder, "summary", "s0", "s1")
    assert isinstance(both.picture, Bars)
    assert (both.picture.names, both.picture.values) == (["grid"], [33.33])
    assert both.table.rows[0] == ("locationId", 1, 2, 1, 100.0)


def test_months_of_the_batch_of_one_run_and_of_two(three: BatchFolder) -> None:
    found = view(three, "monthly")
    assert heads(found.table)[:4] == ["job", "Jan", "Feb", "Mar"]
    assert column(found.table, "sum")[0] == pytest.approx(sum(found.table.rows[0][1:13]))
    assert isinstance(found.picture, Lines)
    assert [series.name for series in found.picture.series] == ["s0", "s1", "s2"]
    assert found.picture.x_names[:2] == ("Jan", "Feb")
    one = view(three, "monthly", "s1")
    assert heads(one.table) == ["month", "energyMWh", "irradiation"]
    assert column(one.table, "month")[11] == "Dec"
    assert (one.choices, one.axes) == (("energyMWh", "irradiation"), (None, "energyMWh"))
    two = view(three, "monthly", "s0", "s2", y="irradiation")
    assert heads(two.table) == ["month", "s0", "s2", "difference"]
    assert isinstance(two.picture, Lines)
    assert (len(two.picture.series), two.picture.y) == (2, "irradiation")
    with pytest.raises(BadInput, match='did you mean "irradiation"'):
        view(three, "monthly", y="irradation")


def test_hours_of_the_batch_of_one_run_and_of_two(three: BatchFolder) -> None:
    found = view(three, "hourly")
    assert heads(found.table) == ["job", "values", "mean", "peak"]
    assert column(found.table, "values") == [168, 168, 168]
    one = view(three, "hourly", "s0")
    assert heads(one.table)[0] == "date"
    assert one.table.rows[12][0] == "2026-01-01T12:00"
    assert isinstance(one.picture, Lines)
    assert one.picture.y == "gridACPower"
    assert len(one.picture.series[0].ys) == 168
    two = view(three, "hourly", "s0", "s1")
    assert all(row[3] == pytest.approx(row[2] - row[1]) for row in two.table.rows)


def test_losses_as_bars(three: BatchFolder) -> None:
    means = view(three, "losses").picture
    assert isinstance(means, Bars)
    assert "nearShading" in means.names
    one = view(three, "losses", "s1")
    assert heads(one.table) == ["loss", "s1"]
    assert isinstance(one.picture, Bars)
    assert one.picture.values == column(one.table, "s1")
    two = view(three, "losses", "s0", "s1").picture
    assert isinstance(two, Bars)
    assert two.names[:2] == ["moduleQuality s0", "moduleQuality s1"]


def test_blocks_have_a_row_each(tmp_path: Path) -> None:
    asked = energy_model(blocks=[block(), block(layout={"arrayType": "fixed", "gcr": 0.5})])
    found = view(batch(tmp_path, [sections(asked), model(0.3)]), "blocks")
    assert column(found.table, "gcr") == [0.4, 0.5, 0.3]
    assert found.jobs == ("s0", "s0", "s1")


def test_what_is_asked_for_must_be_there(three: BatchFolder) -> None:
    with pytest.raises(NotFound, match='did you mean "monthly"'):
        view(three, "montly")
    with pytest.raises(NotFound, match='no job "s9"'):
        view(three, "summary", "s9")
    with pytest.raises(NotFound, match="no result"):
        view(three, "losses", "s4")


def test_a_long_series_is_cut_in_the_table_and_thinned_in_the_picture(tmp_path: Path) -> None:
    peak = 12_345
    hours = {"gridACPower": [0.5] * 50_000}
    hours["gridACPower"][peak] = 99.0
    found = view(batch(tmp_path, [{"timeSeries": hours}]), "hourly", "s0")
    assert len(found.table.rows) == 20_000
    assert found.table.note == "the first 20,000 of 50,000 rows"
    assert isinstance(found.picture, Lines)
    (series,) = found.picture.series
    assert len(series.xs) <= 2000
    assert (float(peak), 99.0) in set(zip(series.xs, series.ys, strict=True))


def test_sections_are_found_in_every_form() -> None:
    assert sections_of({"results": {"losses": {"a": 1}}}) == {"losses": {"a": 1}}
    assert sections_of({"answer": 4}) == sections_of("text") == sections_of(None) == {}
    assert summary_figures({"summary": {"a": {"b": 1}, "c": [1]}, "plantSummary": {"d": 2}}) == {"a.b": 1}
    two = {"plantSummary": {"name": "P", "x": 1}, "locationSummary": {"name": "L"}}
    assert summary_figures(two) == {"plant.name": "P", "x": 1, "location.name": "L"}
    rows = [{"month": 1, "e": 2.0}, {"month": 2}]
    assert as_columns(rows) == {"month": [1, 2], "e": [2.0, None]}
    assert as_columns({"month": [1], "e": [2.0]}) == {"month": [1], "e": [2.0]}
    assert as_columns({"jan": {"e": 2.0}}) == {"month": ["jan"], "e": [2.0]}
    assert as_columns("nothing") == as_columns(None) == {}


@pytest.mark.parametrize(
    "output", [{"losses": None}, {"timeSeries": {"date": []}}, {"monthlySummary": [1, 2]}]
)
def test_empty_sections_are_no_fault(tmp_path: Path, output: Json) -> None:
    folder = batch(tmp_path, [output, output | {"losses": {"a": 10**400, "b": True}}])
    for name in energy.TITLES:
        for jobs in ((), ("s0",), ("s0", "s1")):
            view(folder, name, *jobs)
