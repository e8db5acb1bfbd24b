"""Every dispatch is an optimum, judged from the case's tables alone, and costs what was published for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.domains.power.grids.read import read_case
from batchtui.model import Json
from tests import extras
from tests.domains.power.power_help import DATA, rows, value, write_case
from tests.domains.power.three_buses import three, written

pytestmark = extras.needs("power")

PUBLISHED = {row["case"]: row for row in rows(DATA / "pglib" / "published.csv")}
SMALL = [name for name, row in PUBLISHED.items() if int(row["buses"]) <= 60]
MATPOWER = {row["case"]: row for row in rows(DATA / "objectives.csv")}
KNOWN = [
    "case6ww",
    "case9",
    "case9Q",
    "case24_ieee_rts",
    "case30",
    "case30Q",
    "case30pwl",
    "case39",
    "case57",
]


def check(found: dict[str, Json], grid: str, published: float | None = None, **model: bool) -> None:
    """The dispatch keeps every limit, nothing would make it cheaper, and its cost is the objective."""
    from tests.domains.power.opf_kkt import optimality

    told = found["summary"]["objective"]
    optimum = optimality(read_case(grid), found["tables"], dc=found["summary"]["task"] == "dcopf", **model)
    assert optimum.broken < 5e-5  # MATPOWER's tolerance is 5e-6 of the largest variable
    assert optimum.slope < 2e-3
    assert optimum.gap < 1e-5
    assert told == pytest.approx(optimum.cost, rel=1e-6)
    if published is not None:
        assert told == pytest.approx(published, rel=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_the_grids_of_pglib(name: str) -> None:
    grid, row = str(DATA / "pglib" / f"{name}.m"), PUBLISHED[name]
    check(value(task="dcopf", grid=grid, dc_model="powermodels"), grid, float(row["dc"]), powermodels=True)
    check(value(task="dcopf", grid=grid), grid)
    check(value(task="acopf", grid=grid), grid, float(row["ac"]))


@pytest.mark.parametrize("name", KNOWN)
def test_the_grids_of_matpower(name: str, tmp_path: Path) -> None:
    """As PYPOWER holds them; the objectives are MATPOWER's own."""
    from pypower import api

    grid = write_case(tmp_path / f"{name}.json", getattr(api, name)())
    for task in ("dcopf", "acopf"):
        check(value(task=task, grid=grid), grid, float(MATPOWER[name][task]))


PIECES = [1, 0, 0, 3, 0, 0, 60, 600, 300, 4200, 0, 0]
SQUARE = [2, 0, 0, 3, 0.02, 12, 3, 0, 0, 0, 0, 0]
QUARTIC = [2, 0, 0, 5, 1e-6, 0, 0.01, 11, 0, 0, 0, 0]
SQUARE_Q = [2, 0, 0, 3, 0.05, 0, 0, 0, 0, 0, 0, 0]


def odd() -> dict[str, Json]:
    """Taps, shifts, shunts, a negative reactance, a limited angle, a full line, and what is out of service."""
    case = three()
    case["bus"][1][5], case["bus"][2][4] = 15.0, 8.0
    case["branch"][0][8:10] = [0.97, 1.0]
    case["branch"][1][5] = 50.0
    case["branch"][2][11:13] = [-4.0, 4.0]
    case["branch"].append([1, 3, 0.0, -0.9, 0.0, 0, 0, 0, 1.02, -2.0, 1, 0, 0])
    case["branch"].append([2, 3, 0.01, 0.1, 0.02, 250, 250, 250, 0, 0, 0, -360, 360])
    case["bus"].append([9, 4, 50, 0, 0, 0, 1, 1, 0, 135, 1, 1.1, 0.9])
    case["gen"].append([9, 10, 0, 30, -30, 1, 100, 1, 30, 0])
    return case


@pytest.mark.parametrize(
    "costs",
    [[SQUARE] * 3, [PIECES, SQUARE, SQUARE], [QUARTIC, PIECES, PIECES], [SQUARE] * 3 + [SQUARE_Q] * 3],
    ids=["squares", "pieces", "degrees", "reactive"],
)
def test_grids_with_everything(tmp_path: Path, costs: Json) -> None:
    grid = written(tmp_path, **{**odd(), "gencost": costs})
    for task in ("dcopf", "acopf"):
        check(value(task=task, grid=grid), grid)
    check(value(task="dcopf", grid=grid, dc_model="powermodels"), grid, powermodels=True)


def test_the_judge_tells_a_dispatch_that_is_none(tmp_path: Path) -> None:
    """Of other costs, or with one figure changed by a little."""
    from tests.domains.power.opf_kkt import optimality

    other = written(tmp_path, **{**odd(), "gencost": [SQUARE, QUARTIC, SQUARE]})
    case = read_case(other)
    for task in ("dcopf", "acopf"):
        found = value(task=task, grid=other)
        swapped = value(task=task, grid=written(tmp_path, **{**odd(), "gencost": [QUARTIC, SQUARE, SQUARE]}))
        judged = optimality(case, swapped["tables"], dc=task == "dcopf")
        assert judged.slope > 1e-2 or judged.gap > 1e-3
        tables = found["tables"]
        tables["gen"] = {
            **tables["gen"],
            "p_mw": [tables["gen"]["p_mw"][0] + 0.1, *tables["gen"]["p_mw"][1:]],
        }
        assert optimality(case, tables, dc=task == "dcopf").broken > 9e-4
