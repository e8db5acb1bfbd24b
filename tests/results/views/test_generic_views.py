"""What any batch can be looked at as."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.errors import BadInput, NotFound
from batchtui.model import JobState, Outcome
from batchtui.results.views import registry, sample
from batchtui.results.views.figures import number, ticks
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars, Lines
from tests.results.views.view_samples import a_library, answers, completed, make, sweep


def test_every_batch_has_these(tmp_path: Path) -> None:
    folder = sweep(a_library(tmp_path))
    assert [name for name, _ in registry.names(folder)] == ["table", "plot", "histogram", "duration"]


def test_figures_are_columns_by_their_shortest_names(tmp_path: Path) -> None:
    view = registry.build(sweep(a_library(tmp_path)), "table")
    names = [column.name for column in view.table.columns]
    assert names[:3] == ["job", "summary.annual_mwh", "gcr"]
    assert view.table.rows[1][:3] == ("site-01", 4007, 0.31)
    assert len(view.table.rows) == 18  # two failed
    assert view.jobs[6] == "site-07"


def test_an_answer_that_is_json_has_figures_too(tmp_path: Path) -> None:
    view = registry.build(answers(a_library(tmp_path)), "plot", Options(y="score"))
    assert isinstance(view.picture, Lines)
    assert view.picture.series[0].ys == [0, 1, 4, 9]


def test_one_column_over_another(tmp_path: Path) -> None:
    view = registry.build(
        sweep(a_library(tmp_path)), "plot", Options(x="row.gcr", y="annual_mwh".join(("summary.", "")))
    )
    assert isinstance(view.picture, Lines)
    assert view.title == "summary.annual_mwh over gcr"
    assert view.axes == ("gcr", "summary.annual_mwh")
    assert "gcr" in view.choices
    assert view.picture.series[0].xs == sorted(view.picture.series[0].xs)
    assert not view.picture.points  # a sweep: a line says something


def test_values_in_no_order_are_points(tmp_path: Path) -> None:
    jobs = [(f"j{n}", {}, completed(a=n * 37 % 11, b=n)) for n in range(30)]
    view = registry.build(make(a_library(tmp_path), "random", jobs), "plot", Options(x="a", y="b"))
    assert isinstance(view.picture, Lines)
    assert view.picture.points


def test_a_histogram_counts_every_job_once(tmp_path: Path) -> None:
    view = registry.build(sweep(a_library(tmp_path)), "histogram")
    assert isinstance(view.picture, Bars)
    assert sum(view.picture.values) == 18
    assert len(view.picture.names) <= 21
    assert dict(view.facts)["jobs"] == 18
    lows = [row[0] for row in view.table.rows]
    assert lows == sorted(lows, key=float)


def test_few_whole_numbers_have_a_bar_each(tmp_path: Path) -> None:
    jobs = [(f"j{n}", {}, completed(overloads=n % 3)) for n in range(9)]
    view = registry.build(make(a_library(tmp_path), "n1", jobs), "histogram")
    assert view.table.rows == [(0, 3), (1, 3), (2, 3)]


def test_a_duration_curve_falls(tmp_path: Path) -> None:
    view = registry.build(sweep(a_library(tmp_path)), "duration", Options(y="summary.annual_mwh"))
    assert isinstance(view.picture, Lines)
    ys = view.picture.series[0].ys
    assert ys == sorted(ys, reverse=True)
    assert view.picture.series[0].xs[-1] == 100
    assert view.jobs[0] == "site-19"


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    folder = sweep(a_library(tmp_path))
    with pytest.raises(NotFound, match='did you mean "histogram"'):
        registry.build(folder, "histogramm")
    with pytest.raises(BadInput, match='did you mean "gcr"'):
        registry.build(folder, "plot", Options(x="gcrr"))
    with pytest.raises(BadInput, match="there is"):
        registry.build(folder, "plot", Options(y="\x1b[31mzzz"))


def test_nothing_to_draw_says_so(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    empty = make(library, "empty", [("a", {}, None)])
    for name, _ in registry.names(empty):
        view = registry.build(empty, name)
        assert view.table.rows == []
        assert "no " in view.table.note


def test_a_huge_batch_is_read_evenly_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(a_library(tmp_path), "many", [(f"j{n}", {}, completed(v=n)) for n in range(200)])
    monkeypatch.setattr(sample, "MOST", 50)
    chosen = sample.sample(folder, 50)
    assert list(chosen.numbers) == list(range(0, 200, 4))
    assert "50 of 200 results" in chosen.note
    monkeypatch.setattr(sample, "MOST_BYTES", 100)
    assert len(sample.sample(folder).numbers) < 50


def test_one_job_and_two(tmp_path: Path) -> None:
    folder = sweep(a_library(tmp_path))
    one = registry.build(folder, "table", Options(("site-01",)))
    assert ("output.summary.annual_mwh", 4007) in one.table.rows
    assert ("output.summary.site", "ridge 1") in one.table.rows
    two = registry.build(folder, "table", Options(("site-01", "site-03")))
    assert ("output.summary.annual_mwh", 4007, 4021, 14) in two.table.rows
    assert ("output.summary.site", "ridge 1", "ridge 3", None) in two.table.rows


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12), (1e-9, 2e-9), (5, 5), (-1e300, 1e300), (1, 9)])
@pytest.mark.parametrize("most", [2, 4, 20])
def test_ticks_are_few_and_inside(low: float, high: float, most: int) -> None:
    found = ticks(low, high, most)
    assert 1 <= len(found) <= max(most, 2)
    assert all(low - 1e-6 * abs(low) <= tick <= high + 1e-6 * abs(high) for tick in found)


def test_nothing_heavy_is_imported_before_a_picture_is_drawn() -> None:
    code = (
        "import sys; from batchtui.results.views import compare, export, generic, registry; "
        "from batchtui.results.views.drawings.picture import draw; "
        "print([name for name in ('numpy', 'pandas', 'pyarrow', 'plotext') if name in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_words_are_columns_and_kinds_are_counted(tmp_path: Path) -> None:
    jobs = [
        (
            f"j{n}",
            {"species": "Adelie" if n % 3 else "Gentoo", "grams": str(3000 + n)},
            completed(verdict="heavy"),
        )
        for n in range(7)
    ]
    jobs += [("lone", {"grams": "2"}, completed(note="said once " + "x" * 100))]
    folder = make(a_library(tmp_path), "birds", jobs)
    table = registry.build(folder, "table")
    names = [column.name for column in table.table.columns]
    assert names[:4] == ["job", "grams", "verdict", "note"]
    assert "species" in names
    assert dict(table.facts) == {"jobs": 8, "no species": 1, "no verdict": 1, "no note": 7}
    assert table.table.rows[0][names.index("species")] == "Gentoo"
    assert table.table.rows[7][names.index("species")] is None
    spread = registry.build(folder, "histogram", Options(y="species"))
    assert isinstance(spread.picture, Bars)
    assert (spread.picture.names, spread.picture.values) == (["Adelie", "Gentoo"], [4.0, 3.0])
    assert dict(spread.facts) == {"jobs": 7, "different": 2, "missing": 1}
    assert spread.choices[-2:] == ("verdict", "species")
    assert "note" not in spread.choices, "free text has no distribution"
    figures = registry.build(folder, "histogram", Options(y="grams"))
    assert dict(figures.facts)["jobs"] == 8
    assert "missing" not in dict(figures.facts)


def test_a_batch_of_words_alone_has_a_distribution(tmp_path: Path) -> None:
    jobs = [
        (f"j{n}", {}, Outcome(state=JobState.COMPLETED, raw_response="yes" if n else "no")) for n in range(4)
    ]
    view = registry.build(make(a_library(tmp_path), "labels", jobs), "histogram")
    assert view.table.rows == [("yes", 3, 75.0), ("no", 1, 25.0)]


def test_small_sums_are_written_as_sums() -> None:
    assert [number(value) for value in (3.48e-05, 1e-7, 0.00012, 4.2e-12)] == [
        "0.0000348",
        "0.0000001",
        "0.00012",
        "4.2e-12",
    ]
