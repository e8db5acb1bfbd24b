"""gat's Arrow grid folder as a case: what is in it, what is guessed, and what is refused."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import BS, BUS_TYPE, PQ, PV, REF, Case
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.readers.arrow_folder import ArrowGrid, load, save
from batchtui.domains.power.tasks import solve_many
from tests import extras

pytestmark = extras.needs("power")

CASE14 = Path(__file__).parents[2] / "data" / "power" / "case14"
SAMPLE = CASE14 / "gat" / "grid.arrow"


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "grid.arrow"))


def test_all_but_the_shunt_is_as_in_matpower() -> None:
    arrow, matpower = read_case(SAMPLE), copy.deepcopy(read_case(CASE14 / "case14.m"))
    for bus in matpower.bus:
        bus[BS] = 0.0
    for table in ("bus", "gen", "branch", "gencost"):
        for row, wanted in zip(getattr(arrow, table), getattr(matpower, table), strict=True):
            assert row[: len(wanted)] == pytest.approx(wanted, abs=1e-9), table


def test_bus_types_are_guessed_and_said() -> None:
    case = read_case(SAMPLE)
    assert [row[BUS_TYPE] for row in case.bus] == [REF, PV, PV, PQ, PQ, PV, PQ, PV, *[PQ] * 6]
    said = " ".join(case.notes)
    for words in ("no shunts", "5 buses with a generator were taken as PV", "bus 1 of the largest unit"):
        assert words in said


def changed(grid: Path, change: Callable[[ArrowGrid], None]) -> Case:
    found = load(grid)
    change(found)
    save(found, grid.with_name("changed"))
    return read_case(grid.with_name("changed"))


def test_the_largest_unit_in_service_is_the_reference(grid: Path) -> None:
    def switch_off(found: ArrowGrid) -> None:
        found.of("generators")[0]["status"] = False

    case = changed(grid, switch_off)
    assert [row[BUS_TYPE] for row in case.bus][:3] == [PQ, REF, PV]


def test_types_that_are_there_are_kept(grid: Path) -> None:
    def say(found: ArrowGrid) -> None:
        found.of("buses")[2]["bus_type"] = "Slack"

    case = changed(grid, say)
    assert [row[0] for row in case.bus if row[BUS_TYPE] == REF] == [3]


def test_a_scenario_is_solved_and_slack_names_another_reference() -> None:
    job = {"task": "dc", "grid": str(SAMPLE), "loads": str(CASE14 / "loads" / "case14_s004.csv")}
    plain, other = solve_many([job, {**job, "slack": 2}])
    assert isinstance(plain, dict), plain
    assert isinstance(other, dict), other
    assert "shunts" in plain["summary"]["notes"][0]
    assert plain["summary"]["slack_mw"] != other["summary"]["slack_mw"]


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (lambda grid: (grid / "manifest.json").unlink(), "missing_file", "no manifest.json"),
        (lambda grid: (grid / "loads.arrow").unlink(), "missing_file", "lacks this table"),
        (lambda grid: (grid / "loads.arrow").write_bytes(b"x"), "bad_input", "does not match its SHA-256"),
        (lambda grid: (grid / "manifest.json").write_text("[]"), "bad_input", "lists no tables"),
        (
            lambda grid: (grid / "manifest.json").write_text("[" * 100_000),
            "bad_input",
            "cannot be read as JSON",
        ),
        (lambda grid: edit(grid, schema_version="3.0.0"), "bad_input", "schema version 3.0.0"),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused(
    grid: Path, spoil: Callable[[Path], object], kind: str, words: str
) -> None:
    spoil(grid)
    with pytest.raises(Fault, match=words) as fault:
        read_case(grid)
    assert fault.value.kind == kind


def edit(grid: Path, **facts: object) -> None:
    path = grid / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_rows_that_make_no_grid_are_named(grid: Path) -> None:
    def lose_bus(found: ArrowGrid) -> None:
        found.of("branches")[4]["to_bus"] = 99

    with pytest.raises(Fault, match="row 5: to_bus 99 is no bus of the grid"):
        changed(grid, lose_bus)


def test_a_number_that_is_none_is_named(grid: Path) -> None:
    def lose_number(found: ArrowGrid) -> None:
        found.of("branches")[1]["reactance_pu"] = None

    with pytest.raises(Fault, match="row 2: reactance_pu is no number"):
        changed(grid, lose_number)
