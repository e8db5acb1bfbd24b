"""The benchmark of MATPOWER's grids: what counts as equal, and what as wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import extras

extras.require("power")
np = pytest.importorskip("numpy")

from batchtui.domains.power.grids.read import read_case  # noqa: E402
from tests.benchmarks.grids.peers import Found  # noqa: E402
from tests.benchmarks.matpower_grids import TASKS, Line, line_of  # noqa: E402
from tests.domains.power.power_help import value  # noqa: E402
from tests.domains.power.three_buses import three, written  # noqa: E402

NONE = Found(False, "no solution")


def as_we_do(grid: str, task: str, *, turned: float = 0.0) -> Found:
    """A peer that finds what we find, the angle of the last bus turned a little."""
    tables = value(task=task, grid=grid)["tables"]
    bus = np.array([tables["bus"][name] for name in ("bus_id", "vm_pu", "va_deg")], dtype=float).T
    flows = [tables["branch"][name] for name in ("flow_mw", "q_from_mvar", "p_to_mw", "q_to_mvar")]
    bus[-1, 2] += turned
    return Found(True, bus=bus, branch=np.array(flows, dtype=float).T)


def judged(grid: str, **peer: Found) -> Line:
    return line_of(Path(grid), read_case(grid), {"dc": NONE, "ac": NONE, **peer})


def test_what_is_apart_is_wrong(tmp_path: Path) -> None:
    grid = written(tmp_path)
    line = judged(grid, **{task: as_we_do(grid, task) for task in TASKS})
    assert (line.ends, line.apart) == ({"dc": "equal", "ac": "equal"}, 0.0)
    line = judged(grid, dc=as_we_do(grid, "dc"), ac=as_we_do(grid, "ac", turned=2e-6))
    assert line.ends == {"dc": "equal", "ac": "differs"}
    assert line.apart == pytest.approx(2e-6)
    assert judged(grid, ac=as_we_do(grid, "ac", turned=360.0)).ends["ac"] == "equal"


def test_a_refusal_counts_only_where_the_peer_has_nothing_either(tmp_path: Path) -> None:
    grid = written(tmp_path)
    assert judged(grid).ends == {"dc": "alone", "ac": "alone"}
    peer = as_we_do(grid, "ac")
    bus = three()["bus"]
    bus[2][2] = 5000
    heavy = written(tmp_path, bus=bus)
    assert judged(heavy).ends["ac"] == "neither"
    line = judged(heavy, ac=peer)
    assert line.ends["ac"] == "refused"
    assert "did not converge" in line.shown()
