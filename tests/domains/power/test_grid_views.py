"""Views of scenarios: real batches of power flow, contingencies and optimal power flow, looked at in every way."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.errors import BadInput, NotFound
from batchtui.model import Json
from batchtui.results.views import registry
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars, Heat, Lines, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests import extras

DATA = Path(__file__).parents[2] / "data" / "power"
Open = Callable[[str], BatchFolder]

BATCHES = {
    "flow": [str(DATA / "case14" / "manifest_ac.json")],
    "loaded": [str(DATA / "case14" / "manifest_ac.json"), "--set", "job.load_scale=1.4"],
    "faulty": [str(DATA / "case14" / "manifest_faults.json")],
    "outages": [str(DATA / "case14" / "manifest_ac.json"), "--set", "job.task=n1", "--set", "source.limit=2"],
    "rated": ["rated.toml", "--trust"],
    "optimal": ["optimal.toml", "--trust"],
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Open:
    """A batch by name, run to its end when a test first asks for it."""
    extras.require("power")
    place = tmp_path_factory.mktemp("views")
    grid = DATA / "pglib" / "pglib_opf_case14_ieee.m"
    for name, task in (("rated", "n1"), ("optimal", "acopf")):
        text = f'backend = "local"\n[job]\ntask = "{task}"\ngrid = "{grid}"\n'
        (place / f"{name}.toml").write_text(text)
    library = Library(place / "data")
    done: dict[str, BatchFolder] = {}

    def get(name: str) -> BatchFolder:
        if name not in done:
            command = [
                sys.executable,
                "-m",
                "batchtui",
                "--data-dir",
                str(place / "data"),
                "run",
                *BATCHES[name],
            ]
            command += ["-q", "--set", f"name={name}", "--set", f"output.dir={place / name}"]
            subprocess.run(command, cwd=place, env=os.environ | {"NO_COLOR": "1"}, check=False, timeout=110)
            done[name] = library.find(name)
        return done[name]

    return get


def heads(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def column(view: View, name: str) -> list[Json]:
    return [row[heads(view.table).index(name)] for row in view.table.rows]


def reference(path: str) -> list[dict[str, str]]:
    with (DATA / path).open() as file:
        return list(csv.DictReader(file))


def test_what_there_is_goes_by_the_task(opened: Open) -> None:
    flow = [name for name, _ in registry.names(opened("flow"))]
    assert flow[:3] == ["scenarios", "loading", "voltages"]
    assert not {"contingencies", "opf"} & set(flow)
    assert [name for name, _ in registry.names(opened("outages"))][:2] == ["contingencies", "flows"]
    assert {"opf", "prices", "binding"} <= {name for name, _ in registry.names(opened("optimal"))}


def test_scenarios_are_told_with_the_worst_first(opened: Open) -> None:
    view = registry.build(opened("flow"), "scenarios")
    losses = column(view, "loss_mw")
    assert losses == sorted(losses, reverse=True)
    expected = {row["scenario_id"]: float(row["ac_loss_mw"]) for row in reference("case14/ref_summary.csv")}
    assert dict(zip(column(view, "scenario_id"), losses, strict=True)) == pytest.approx(expected, abs=1e-3)
    assert view.jobs == tuple(column(view, "scenario_id"))
    assert dict(view.facts)["ok"] == 24
    assert "task" not in heads(view.table)
    assert isinstance(view.picture, Lines)


@pytest.mark.parametrize("name", ["scenarios", "loading"])
def test_a_view_among_some_scenarios_holds_no_other(opened: Open, name: str) -> None:
    whole = registry.build(opened("flow"), name)
    some = frozenset(list(whole.jobs)[:3]) if whole.jobs else frozenset(column(whole, "scenario_id")[:3])
    found = registry.build(opened("flow"), name, Options(among=some))
    assert set(found.jobs or column(found, "scenario_id")) <= some
    assert found.table.rows


def test_failures_come_first_and_have_a_view_of_their_own(opened: Open) -> None:
    view = registry.build(opened("faulty"), "scenarios")
    assert column(view, "status") == ["error"] * 8 + ["ok"] * 3
    failures = registry.build(opened("faulty"), "failures")
    assert dict(failures.facts) == {"bad_input": 4, "islanded": 1, "missing_file": 2, "not_converged": 1}
    assert set(column(failures, "attempts")) == {1}


def test_voltages_by_the_limits_of_the_case_or_a_band(opened: Open) -> None:
    view = registry.build(opened("flow"), "voltages")
    assert set(column(view, "limit")) == {1.06}  # the case holds 0.94 to 1.06
    assert all(excess > 0 for excess in column(view, "excess"))
    buses = [row for row in reference("case14/ref_ac_bus.csv") if float(row["vm_pu"]) > 1.06 + 1e-6]
    assert len(view.table.rows) == len(buses)
    assert isinstance(view.picture, Heat)
    assert len(view.picture.values) == len(set(column(view, "bus_id")))
    wide = registry.build(opened("flow"), "voltages", Options(y="0.90-1.10"))
    assert wide.table.rows == []
    assert wide.table.note == "every voltage is inside its band"
    with pytest.raises(BadInput, match="no band of voltages"):
        registry.build(opened("flow"), "voltages", Options(y="low"))


def test_flows_are_ranked_by_change_where_nothing_has_a_rating(opened: Open) -> None:
    view = registry.build(opened("flow"), "loading")
    assert "no branch has a rating" in view.table.note
    assert len(view.table.rows) == 20
    changes = column(view, "change_mw")
    assert changes == sorted(changes, reverse=True)
    assert isinstance(view.picture, Heat)
    assert len(view.picture.columns) == 24


def test_loading_is_a_share_of_the_rating(opened: Open) -> None:
    view = registry.build(opened("rated"), "loading")
    loads = column(view, "loading_max_pct")
    assert loads == sorted(loads, reverse=True)
    assert loads[0] > 0
    assert isinstance(view.picture, Heat)
    assert view.picture.steps == (50, 80, 90, 100)


def test_contingencies_lead_to_the_flows_after_them(opened: Open) -> None:
    view = registry.build(opened("rated"), "contingencies")
    assert heads(view.table)[:3] == ["outage", "worst_loading_pct", "status"]
    loads = [value for value in column(view, "worst_loading_pct") if value is not None]
    assert loads == sorted(loads, reverse=True)
    islanded = [row for row in reference("case14/ref_n1.csv") if row["ac_status"] == "islanding"]
    assert dict(view.facts)["islanded"] == len(islanded)
    name, row = view.opens[0]
    after = registry.build(opened("rated"), name, Options(row=row))
    assert column(after, "loading_pct")[0] == pytest.approx(loads[0])
    assert (
        after.table.rows == registry.build(opened("rated"), "flows").table.rows
    )  # of the worst, unless one is named
    with pytest.raises(NotFound, match="branch 999"):
        registry.build(opened("rated"), "flows", Options(row="999"))
    with pytest.raises(BadInput, match="no outage"):
        registry.build(opened("rated"), "flows", Options(row="first"))


def test_contingencies_of_several_scenarios(opened: Open) -> None:
    view = registry.build(opened("outages"), "contingencies")
    assert len(view.table.rows) == 2 * 20
    assert set(column(view, "scenario_id")) == {"case14_s001", "case14_s002"}
    assert "largest change of a flow" in view.table.note
    assert isinstance(view.picture, Bars)


def test_prices_and_objective_of_an_optimal_power_flow(opened: Open) -> None:
    folder = opened("optimal")
    view = registry.build(folder, "opf")
    published = next(row for row in reference("pglib/ref_objectives.csv") if "case14" in row["case"])
    assert column(view, "objective") == pytest.approx([float(published["acopf"])], rel=1e-4)
    prices = registry.build(folder, "prices")
    assert len(prices.table.rows) == 14
    assert min(column(prices, "min_lmp")) == pytest.approx(column(view, "min_lmp")[0])
    binding = registry.build(folder, "binding")
    assert len(binding.table.rows) == column(view, "n_binding")[0]


def test_a_duration_curve_of_any_figure(opened: Open) -> None:
    view = registry.build(opened("flow"), "duration", Options(y="vm_max"))
    values = column(view, "vm_max")
    assert values == sorted(values, reverse=True)
    assert column(view, "share_pct")[-1] == 100
    with pytest.raises(BadInput, match="did you mean"):
        registry.build(opened("flow"), "duration", Options(y="los_mw"))


def test_two_batches_bus_by_bus(opened: Open) -> None:
    flow, loaded = opened("flow"), opened("loaded")
    assert [name for name, _ in registry.names_of_two(flow, loaded)] == ["differences", "buses", "branches"]
    view = registry.build_of_two(flow, loaded, "branches")
    sizes = [abs(value) for value in column(view, "difference flow_mw")]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 10
    assert registry.build_of_two(flow, flow, "buses").table.note == "nothing differs"
    with pytest.raises(BadInput, match="did you mean"):
        registry.build_of_two(flow, loaded, "buses", Options(y="vm_p"))
