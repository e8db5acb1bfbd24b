"""What MATPOWER's tables have no place for, solved: against plain formulas, so without any other library."""

from __future__ import annotations

import cmath
import importlib
import math
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.beyond import Beyond, beyond_of
from batchtui.domains.power.grids.case import Case, checked
from batchtui.domains.power.scenarios.loads import Loads
from batchtui.domains.power.scenarios.outages import Outages
from batchtui.domains.power.scenarios.scenario import Options, Scenario, Task
from batchtui.model import Json
from tests import extras
from tests.domains.power.three_buses import LINEAR, three

pytestmark = extras.needs("power")

CONSTANT = [0.0, 0.0, 0.0, 0.0]
IMPEDANCE = [0.0, 1.0, 0.0, 1.0]
CURRENT = [1.0, 0.0, 1.0, 0.0]


def case_with(tables: dict[str, Json], **beyond: Json) -> Case:
    case = checked(tables, tables["baseMVA"], "a test")
    case.beyond = Beyond(**beyond)
    return case


def solve(
    case: Case,
    task: Task = "ac",
    loads: dict[int, tuple[float, float]] | None = None,
    out: tuple[int, ...] = (),
) -> dict[str, Json]:
    """The summary and, by name, the tables of one scenario."""
    solver = {"n1": "flow.contingencies.solve_contingencies", "acopf": "optimal.opf.solve_opf"}.get(
        task, "flow.flows.solve_flows"
    )
    module, _, name = solver.rpartition(".")
    function = getattr(importlib.import_module(f"batchtui.domains.power.solving.{module}"), name)
    given: Loads = {bus: (p, q, 2) for bus, (p, q) in (loads or {}).items()}
    roots = tuple(row for row, bus in enumerate(case.bus) if bus[1] == 3)
    scenario = Scenario("a test", case, roots, given, Outages(out), Options(task))
    (found,) = function([scenario])
    assert not isinstance(found, Fault), found
    return {"summary": found.summary, **found.tables}


def two(demand: complex = 50 + 20j) -> dict[str, Json]:
    """A line of 0.02 + j0.1 pu from the reference at 1 pu to a demand."""
    return {
        "baseMVA": 100,
        "bus": [
            [1, 3, 0, 0, 0, 0, 1, 1, 0, 20, 1, 1.1, 0.9],
            [2, 1, demand.real, demand.imag, 0, 0, 1, 1, 0, 20, 1, 1.1, 0.9],
        ],
        "gen": [[1, 0, 0, 300, -300, 1, 100, 1, 300, 0]],
        "branch": [[1, 2, 0.02, 0.1, 0, 0, 0, 0, 0, 0, 1, -360, 360]],
    }


def test_a_demand_of_constant_impedance_is_one() -> None:
    found = solve(case_with(two(), shares=[CONSTANT, IMPEDANCE]))
    voltage = 1 / (1 + (0.02 + 0.1j) * (0.5 - 0.2j))
    assert found["bus"]["vm_pu"][1] == pytest.approx(abs(voltage), abs=1e-9)
    assert found["bus"]["va_deg"][1] == pytest.approx(math.degrees(cmath.phase(voltage)), abs=1e-7)
    assert found["summary"]["load_mw"] == pytest.approx(50 * abs(voltage) ** 2, abs=1e-6)
    assert found["bus"]["q_mvar"][1] == pytest.approx(-20 * abs(voltage) ** 2, abs=1e-6)
    assert found["summary"]["slack_mw"] == pytest.approx(
        found["summary"]["load_mw"] + found["summary"]["loss_mw"], abs=1e-6
    )


@pytest.mark.parametrize("shares", [CURRENT, [0.2, 0.3, 0.6, 0.1], [1.0, 0.0, 0.0, 0.0]])
def test_demand_follows_the_voltage_by_its_shares(shares: list[float]) -> None:
    found = solve(case_with(two(), shares=[CONSTANT, shares]))
    size, angle = found["bus"]["vm_pu"][1], math.radians(found["bus"]["va_deg"][1])
    part = [1 - one - two_ + one * size + two_ * size**2 for one, two_ in (shares[:2], shares[2:])]
    current = (1 - cmath.rect(size, angle)) / (0.02 + 0.1j)
    served = cmath.rect(size, angle) * current.conjugate() * 100
    assert served == pytest.approx(50 * part[0] + 20j * part[1], abs=1e-5)


def test_demand_that_follows_the_voltage_is_constant_in_the_linear_equations() -> None:
    found = solve(case_with(two(), shares=[CONSTANT, IMPEDANCE]), "dc")
    assert found["summary"]["slack_mw"] == pytest.approx(50)


def test_it_follows_in_contingencies_and_beside_other_references() -> None:
    tables = three()
    shares = [CONSTANT, CONSTANT, IMPEDANCE]
    whole = case_with(tables, shares=shares)
    found = solve(whole, "n1")
    assert found["contingency"]["status"] == ["ok"] * 3
    for row in range(3):
        alone = solve(whole, out=(row,))
        assert found["contingency"]["vm_min"][row] == pytest.approx(alone["summary"]["vm_min"], abs=1e-7)
        assert alone["summary"]["load_mw"] == pytest.approx(20 + 90 * alone["bus"]["vm_pu"][2] ** 2, abs=1e-6)
    tables["bus"][1][1] = 3
    held = solve(case_with(tables, shares=shares))
    assert held["summary"]["load_mw"] == pytest.approx(20 + 90 * held["bus"]["vm_pu"][2] ** 2, abs=1e-6)


def test_joined_buses_have_a_row_each_and_take_loads_by_themselves() -> None:
    case = case_with(three(), joined=[[9, 2, 30, 10, 1.05, 0.95], [5, 2, 0, 0, 1.1, 0.9]])
    plain = solve(case_with(three()))
    found = solve(case)
    assert list(found["bus"]["bus_id"]) == [1, 2, 3, 5, 9]
    assert list(found["bus"]["vm_pu"]) == pytest.approx([plain["bus"]["vm_pu"][at] for at in (0, 1, 2, 2, 2)])
    assert list(found["bus"]["p_mw"])[2:] == pytest.approx([-60, 0, -30])
    assert list(found["bus"]["vmax"])[2:] == [1.1, 1.1, 1.05]
    assert list(solve(case, "dc")["bus"]["q_mvar"]) == [0] * 5
    more = solve(case, loads={9: (50, 10), 5: (5, 1)})
    assert more["summary"]["load_mw"] == pytest.approx(20 + 60 + 50 + 5)
    assert list(more["bus"]["p_mw"])[2:] == pytest.approx([-60, -5, -50])
    own = solve(case, loads={3: (10, 0)})
    assert own["summary"]["load_mw"] == pytest.approx(20 + 10 + 30)
    scaled = case_with(three(), joined=case.beyond.joined, shares=[CONSTANT, CONSTANT, IMPEDANCE])
    square = solve(scaled)["bus"]
    assert square["p_mw"][4] == pytest.approx(-30 * square["vm_pu"][4] ** 2, abs=1e-6)


def test_what_is_inside_of_elements_is_in_no_bus_table() -> None:
    case = case_with(three(), inside=[1])
    found = solve(case)
    assert list(found["bus"]["bus_id"]) == [1, 3]
    low = case_with(
        three(bus=[*three()["bus"][:2], [3, 1, 190, 90, 0, 0, 1, 1, 0, 135, 1, 1.1, 0.9]]), inside=[2]
    )
    assert solve(low)["summary"]["vm_min_bus"] != 3


def test_conductance_is_lost_in_its_branch_and_out_with_it() -> None:
    leaky = case_with(three(), conductance=[0.0, 0.02, 0.0])
    found, plain = solve(leaky), solve(case_with(three()))
    vm = found["bus"]["vm_pu"]
    leak = 0.01 * 100 * (vm[1] ** 2 + vm[2] ** 2)
    assert found["branch"]["loss_mw"][1] == pytest.approx(plain["branch"]["loss_mw"][1] + leak, abs=0.05)
    assert found["summary"]["slack_mw"] == pytest.approx(
        found["summary"]["load_mw"] - 50 + found["summary"]["loss_mw"], abs=1e-6
    )
    out, without = solve(leaky, out=(1,)), solve(case_with(three()), out=(1,))
    assert list(out["bus"]["vm_pu"]) == pytest.approx(list(without["bus"]["vm_pu"]), abs=1e-9)
    singly = case_with(three(), conductance=[0.0, 0.02, 0.0], unlike=[[0.0] * 4] * 3)
    assert list(solve(singly)["bus"]["va_deg"]) == pytest.approx(list(found["bus"]["va_deg"]), abs=1e-6)
    assert solve(leaky, "dc")["summary"]["slack_mw"] == pytest.approx(60)


def test_ends_that_differ() -> None:
    found = solve(case_with(two(), unlike=[[0.01, 0.03, 0.02, 0.04]]))
    v = cmath.rect(found["bus"]["vm_pu"][1], math.radians(found["bus"]["va_deg"][1]))
    near, far, shunt = 1 / (0.02 + 0.1j), 1 / (0.03 + 0.13j), (0.02 + 0.04j) / 2
    back = v * ((far + shunt) * v - far).conjugate() * 100
    assert -back == pytest.approx(50 + 20j, abs=1e-5)
    forth = (near - near * v).conjugate() * 100
    assert found["branch"]["flow_mw"][0] == pytest.approx(forth.real, abs=1e-5)
    assert found["branch"]["p_to_mw"][0] == pytest.approx(back.real, abs=1e-5)


def test_an_optimum_counts_conductance() -> None:
    tables = three(gencost=[LINEAR, [2, 0, 0, 2, 11, 0]])
    plain, leaky = (
        solve(case_with(tables, conductance=given), "acopf")["summary"]["objective"]
        for given in ([], [0, 0.02, 0])
    )
    assert leaky - plain == pytest.approx(10 * 2, rel=0.25)


def test_a_conversion_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    for given, words in (
        ({"shares": [CURRENT]}, "shares: 1 row where there are 2"),
        ({"conductance": [math.nan]}, "finite"),
        ({"joined": [[1, 2]]}, "finite"),
    ):
        with pytest.raises(Fault, match=words):
            beyond_of(given, 2, 1, tmp_path)
