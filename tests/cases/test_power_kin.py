"""Kin of the reported grids: other loads that follow the voltage, other joined buses, other costs, each by a second way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.domains.power.grids.read import read_case
from batchtui.model import Json
from tests import extras
from tests.cases.case_help import CASES
from tests.cases.test_power import only
from tests.domains.power.power_help import value
from tests.domains.power.three_buses import written

pytestmark = extras.needs("power")

Change = Callable[[Json, Json], None]
"""Of pandapower itself, and a net."""


def as_runpp(name: str, change: Change, folder: Path, loads: str | None = None) -> dict[str, Json]:
    """That net, changed, as we solve it; what pandapower makes of it is checked bus by bus first."""
    import pandapower

    (grid,) = (CASES / name).glob("*_.json" if "zip" in name else "bb*.json")
    net = pandapower.from_json(str(grid))
    change(pandapower, net)
    pandapower.runpp(net, numba=False, tolerance_mva=1e-10)
    pandapower.to_json(net, str(folder / "net.json"))
    table = folder / "loads.csv"
    table.write_text(f"bus_id,p_mw,q_mvar\n{loads}\n")
    found = value(task="ac", grid=str(folder / "net.json"), loads=str(table) if loads else None)
    if loads is None:
        bus = found["tables"]["bus"]
        ours = dict(zip(bus["bus_id"], bus["vm_pu"], strict=True))
        wanted = {int(index) + 1: float(row.vm_pu) for index, row in net.res_bus.iterrows()}
        assert ours.keys() == wanted.keys()
        for number, size in wanted.items():
            assert size != size or ours[number] == pytest.approx(size, abs=1e-8), number
    return found


@extras.needs("pandapower")
@pytest.mark.parametrize(
    "shares",
    [(0, 100, 0, 100), (30, 20, 0, 50), (0, 0, 100, 0)],
    ids=["current", "mixed", "reactive alone"],
)
def test_loads_that_follow_the_voltage_otherwise(tmp_path: Path, shares: tuple[float, ...]) -> None:
    def change(_: Json, net: Json) -> None:
        names = ("const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent")
        for name, share in zip(names, shares, strict=True):
            net.load.loc[0, name] = float(share)

    found = as_runpp("power-zip-loads", change, tmp_path)
    assert abs(found["tables"]["bus"]["vm_pu"][1] - 0.951321) > 1e-4, "as if its power were constant"
    assert any("loads follow the voltage" in note for note in found["summary"]["notes"])


@extras.needs("pandapower")
def test_a_load_that_follows_beside_one_that_does_not_and_one_that_is_off(tmp_path: Path) -> None:
    def change(pandapower: Json, net: Json) -> None:
        net.load.loc[0, "scaling"] = 0.5
        pandapower.create_load(net, 1, 1.0, 0.3, in_service=False, const_z_p_percent=100)
        pandapower.create_bus(net, 20.0)
        pandapower.create_line_from_parameters(net, 1, 2, 5.0, 0.3, 0.35, 10.0, 0.4)
        pandapower.create_load(net, 2, 1.0, 0.2)

    as_runpp("power-zip-loads", change, tmp_path)


@extras.needs("pandapower")
def test_buses_joined_one_after_the_other_are_one_and_take_loads(tmp_path: Path) -> None:
    def change(pandapower: Json, net: Json) -> None:
        far = pandapower.create_bus(net, float(net.bus.vn_kv[4]))
        pandapower.create_switch(net, 4, far, et="b", closed=True)
        pandapower.create_load(net, far, 0.2, 0.1)

    whole = as_runpp("power-joined-buses", change, tmp_path)["tables"]["bus"]
    last = max(whole["bus_id"])
    size = dict(zip(whole["bus_id"], whole["vm_pu"], strict=True))
    assert size[4] == size[5] == size[last]
    more = as_runpp("power-joined-buses", change, tmp_path, loads=f"{last},0.9,0.3")["tables"]["bus"]
    asked = dict(zip(more["bus_id"], more["p_mw"], strict=True))
    assert asked[last] == pytest.approx(-0.9)
    assert dict(zip(more["bus_id"], more["vm_pu"], strict=True))[4] < size[4]


@extras.needs("pandapower")
def test_a_switch_that_is_open_joins_nothing(tmp_path: Path) -> None:
    def change(pandapower: Json, net: Json) -> None:
        net.switch["closed"] = False
        pandapower.create_line_from_parameters(net, 3, 4, 3.0, 0.3, 0.35, 10.0, 0.4)
        pandapower.create_load(net, 4, 0.4, 0.1)

    bus = as_runpp("power-joined-buses", change, tmp_path)["tables"]["bus"]
    size = dict(zip(bus["bus_id"], bus["vm_pu"], strict=True))
    assert size[5] < size[4] - 1e-5


PIECES = [1, 0, 0, 3, 0, 0, 60, 600, 300, 4200]
SQUARE = [2, 0, 0, 3, 0.02, 8.5, 0, 0, 0, 0]
CUBIC = [2, 0, 0, 4, 1e-4, 0.01, 10, 0, 0, 0]
QUARTIC = [2, 0, 0, 5, 1e-6, 0, 0.01, 11, 0, 0]
DEEP_Q = [2, 0, 0, 4, 1e-5, 0.02, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "costs"),
    [
        ("power-opf-piecewise", [PIECES, SQUARE]),
        ("power-opf-piecewise", [PIECES, [1, 0, 0, 2, 0, 0, 300, 2700, 0, 0], SQUARE, SQUARE]),
        ("power-opf-cubic-costs", [CUBIC, QUARTIC]),
        ("power-opf-cubic-costs", [CUBIC, PIECES]),
        ("power-opf-cubic-costs", [CUBIC, CUBIC, DEEP_Q, DEEP_Q]),
    ],
    ids=["pieces and a square", "reactive", "degrees", "cubic and pieces", "reactive cubic"],
)
def test_other_costs_have_the_least_sum_by_a_second_way(
    tmp_path: Path, name: str, costs: list[list[float]]
) -> None:
    from tests.domains.power.opf_second_way import least_cost

    case = read_case(only(name)["grid"])
    tables = {"bus": case.bus, "gen": case.gen, "branch": case.branch}
    grid = written(tmp_path, **tables, gencost=costs)
    for task in ("dcopf", "acopf"):
        found = value(task=task, grid=grid)["summary"]
        assert found["objective"] > 100
        assert found["objective"] == pytest.approx(least_cost(read_case(grid), dc=task == "dcopf"), rel=1e-5)
