"""Two batches over the same jobs, and two jobs of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.errors import BadInput, NotFound
from batchtui.model import JobState, Json, Outcome
from batchtui.results.views import compare, registry, side_by_side
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars
from tests.results.views.view_samples import a_library, answers, completed, failed, make, sweep


def test_numbers_differ_largest_first(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    found = compare.batches(sweep(library), sweep(library, "again", loss=3))
    assert (found.jobs, found.only_a, found.only_b, found.state_changes) == (20, 0, 0, 0)
    energy = found.fields["summary.annual_mwh"]
    assert (energy.jobs, energy.differ, energy.largest) == (18, 17, 57)
    rows = [(one.job_id, one.difference) for one in found.numbers()]
    assert rows[0] == ("site-19", -57)
    sizes = [abs(size or 0) for _, size in rows]
    assert sizes == sorted(sizes, reverse=True)


def test_fields_of_other_sizes_are_ranked_beside_their_own_values(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    one = make(library, "a", [(f"j{n}", {}, completed(flow=1000.0, vm=1.0)) for n in range(5)])
    two = make(library, "b", [(f"j{n}", {}, completed(flow=1010.0, vm=1.0 - n / 10)) for n in range(5)])
    found = compare.batches(one, two)
    assert (found.numbers()[0].job_id, found.numbers()[0].field) == ("j4", "vm")


def test_states_ids_and_answers(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    text = Outcome(state=JobState.COMPLETED, raw_response="red")
    one = make(library, "a", [("x", {}, completed(v=1)), ("y", {}, text), ("only a", {}, failed())])
    other = Outcome(state=JobState.COMPLETED, raw_response="blue\x1b[31m")
    two = make(library, "b", [("only b", {}, failed()), ("y", {}, other), ("x", {}, failed())])
    found = compare.batches(one, two)
    assert (found.jobs, found.only_a, found.only_b) == (2, 1, 1)
    assert [(s.job_id, s.a, s.b) for s in found.states] == [("x", "completed", "failed")]
    assert (found.equal_answers, found.different_answers) == (0, 1)
    view = compare.view(found)
    assert view.table.rows[0][:4] == ("x", "state", "completed", "failed")
    assert view.table.rows[-1][:4] == ("y", "answer", "red", "blue␛[31m")
    assert view.jobs == ("x", "y")


def test_one_field_alone(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    first, second = sweep(library), sweep(library, "again", loss=3)
    for wanted in ("summary.annual_mwh", "output.summary.annual_mwh"):
        view = registry.build_of_two(first, second, "differences", Options(y=wanted))
        assert {row[1] for row in view.table.rows} == {"summary.annual_mwh"}
        assert isinstance(view.picture, Bars)
        assert view.picture.values[0] == -57
    with pytest.raises(BadInput, match=r'did you mean "summary\.annual_mwh"'):
        compare.batches(first, second, wanted="summary.anual_mwh")


def test_equal_batches_say_that_nothing_differs(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    view = compare.view(compare.batches(answers(library), answers(library)))
    assert view.table.rows == []
    assert view.table.note == "nothing differs"
    assert view.picture is None
    assert dict(view.facts)["answers equal"] == 5


def test_batches_without_a_common_job_are_refused(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    with pytest.raises(BadInput, match="no job id in common"):
        compare.batches(sweep(library), answers(library))


def test_an_even_choice_of_huge_batches_says_so(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    found = compare.batches(sweep(library), sweep(library, "again", loss=1), most=6)
    assert found.fields["gcr"].jobs == 6
    assert "6 of 18" in found.note


def test_only_the_largest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "MOST_ROWS", 3)
    library = a_library(tmp_path)
    found = compare.batches(sweep(library), sweep(library, "again", loss=3))
    assert [one.job_id for one in found.numbers()] == ["site-19", "site-18", "site-17"]
    assert found.fields["summary.annual_mwh"].differ == 17


def test_two_jobs_side_by_side(tmp_path: Path) -> None:
    folder = sweep(a_library(tmp_path))
    rows: dict[Json, tuple[Json, ...]] = {
        row[0]: row[1:] for row in side_by_side.fields(folder, "site-05", "site-06").table.rows
    }
    assert rows["state"] == ("completed", "failed", None)
    assert rows["error"] == (None, "did not converge", None)
    assert rows["row.gcr"][2] == pytest.approx(0.01)
    assert rows["output.summary.annual_mwh"] == (4035, None, None)
    with pytest.raises(NotFound, match="no job"):
        side_by_side.fields(folder, "site-05", "nobody")


def test_two_jobs_by_the_largest_difference_and_what_is_the_same_is_counted(tmp_path: Path) -> None:
    """Of two completed jobs: no field that is the same on both sides is a row."""
    folder = sweep(a_library(tmp_path))
    found = side_by_side.fields(folder, "site-01", "site-04")
    changes = [row[3] for row in found.table.rows if isinstance(row[3], int | float)]
    assert [abs(change) for change in changes] == sorted(map(abs, changes), reverse=True)
    assert changes
    assert all(changes)
    assert all(row[1] != row[2] for row in found.table.rows)
    every = len(side_by_side.fields(folder, "site-01").table.rows) - 1  # without the state
    facts = dict(found.facts)
    assert (facts["fields that differ"], facts["the same"]) == (
        len(found.table.rows),
        every - len(found.table.rows),
    )
    alone = side_by_side.fields(folder, "site-01", "site-01")
    assert (alone.table.rows, alone.table.note) == ([], "nothing differs")
