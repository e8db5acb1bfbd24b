"""Scenarios of a grid are solved in one call, whatever differs among them, and each as it would be alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.tasks import solve_many
from batchtui.model import Json
from tests import extras
from tests.domains.power.power_help import DATA, value

pytestmark = extras.needs("power")
GRID = str(DATA / "case14" / "case14.m")
PLAIN = {"task": "ac", "grid": GRID, "folder": None}


def sweep(folder: Path) -> list[dict[str, Json]]:
    """What a manifest may say of each scenario: its scales, its loads, its outages."""
    loads = folder / "loads.csv"
    loads.write_text("bus_id,p_mw,q_mvar\n9,32.5,18.0\n14,16.0,5.5\n")
    return [
        {**PLAIN, "load_scale": 0.5},
        {**PLAIN, "load_scale": 0.8, "generation_scale": 1.2},
        {**PLAIN, "load_scale": 99.0},
        {**PLAIN, "loads": str(loads)},
        {**PLAIN, "generation_scale": 0.9, "outages": [{"type": "branch", "id": 3}]},
        {**PLAIN, "load_scale": 1.1, "loads": str(loads), "outages": [{"type": "gen", "id": 2}]},
    ]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many scenarios each call of the solver of power flows was given."""
    from batchtui.domains.power.solving.flow import flows

    given: list[int] = []
    really = flows.solve_flows

    def solve_flows(scenarios: Sequence[Json]) -> Json:
        given.append(len(scenarios))
        return really(scenarios)

    monkeypatch.setattr(flows, "solve_flows", solve_flows)
    return given


@pytest.mark.parametrize("task", ["ac", "dc"])
def test_scales_loads_and_outages_go_together(tmp_path: Path, calls: list[int], task: str) -> None:
    jobs = [{**job, "task": task} for job in sweep(tmp_path)]
    together = list(solve_many(jobs))
    assert calls == [len(jobs)]
    for job, found in zip(jobs, together, strict=True):
        if task == "ac" and job.get("load_scale") == 99.0:
            assert isinstance(found, Fault)
            assert found.kind == "not_converged"
            continue
        assert isinstance(found, dict), found
        alone = value(**job)
        for name, columns in alone["tables"].items():
            for column, values in columns.items():
                assert found["tables"][name][column] == pytest.approx(values, abs=1e-8, nan_ok=True), column
        told, wanted = found["summary"], alone["summary"]
        assert told.keys() == wanted.keys()
        for name in told.keys() - {"duration_ms"}:
            assert told[name] == pytest.approx(wanted[name], abs=1e-8), name


def test_what_is_solved_otherwise_goes_apart(calls: list[int]) -> None:
    jobs: list[dict[str, Json]] = [
        {**PLAIN, "load_scale": 0.5},
        {**PLAIN, "load_scale": 0.5, "task": "dc"},
        {**PLAIN, "load_scale": 0.6, "task": "dc", "dc_model": "powermodels"},
        {**PLAIN, "load_scale": 0.7, "slack": 2},
    ]
    assert all(isinstance(found, dict) for found in solve_many(jobs))
    assert calls == [1, 1, 1, 1]


@pytest.mark.parametrize("task", ["n1", "dcopf"])
def test_a_scale_of_its_own_holds_for_tasks_that_go_one_by_one(task: str) -> None:
    jobs = [{**PLAIN, "task": task, "load_scale": scale} for scale in (0.7, 1.0)]
    for job, found in zip(jobs, solve_many(jobs), strict=True):
        assert isinstance(found, dict)
        assert found["summary"]["load_mw"] == pytest.approx(259 * float(job["load_scale"]), rel=1e-6)
