"""Whether a solved power flow holds: by plain formulas from the case's tables, and against PYPOWER's own runpf."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np

from batchtui.domains.power.grids.case import ISOLATED, Case, bus_rows
from batchtui.model import Json


def mismatch(case: Case, tables: dict[str, Json], *, dc: bool) -> float:
    """The largest power (pu) that is left over at any bus, from the voltages and injections in the bus table."""
    bus = np.array(case.bus)
    rows = bus_rows(case)
    on = bus[:, 1] != ISOLATED
    live = [row for row in case.branch if row[10] > 0 and on[rows[int(row[0])]] and on[rows[int(row[1])]]]
    branch = np.array(live).reshape(-1, 13)
    one = np.array([rows[int(row[0])] for row in live], dtype=int)
    other = np.array([rows[int(row[1])] for row in live], dtype=int)
    found = {
        name: np.array(tables["bus"][name], dtype=float) for name in ("vm_pu", "va_deg", "p_mw", "q_mvar")
    }
    ratio = np.where(branch[:, 8] == 0, 1.0, branch[:, 8])
    shift = np.radians(branch[:, 9])
    va = np.radians(np.where(on, found["va_deg"], 0.0))
    if dc:
        forth = (va[one] - va[other] - shift) / (branch[:, 3] * ratio)
        left = found["p_mw"] / case.baseMVA - bus[:, 4] / case.baseMVA + 0j
        np.add.at(left, one, -forth)
        np.add.at(left, other, forth)
        turns = np.abs(np.round(left.real / 1e-9)) * 1e-9
        return float(turns[on].max())
    v = np.where(on, found["vm_pu"], 1.0) * np.exp(1j * va)
    series = 1 / (branch[:, 2] + 1j * branch[:, 3])
    charging = 0.5j * branch[:, 4]
    tap = ratio * np.exp(1j * shift)
    forth = v[one] * np.conj((series + charging) / ratio**2 * v[one] - series / np.conj(tap) * v[other])
    back = v[other] * np.conj((series + charging) * v[other] - series / tap * v[one])
    shunt = np.abs(v) ** 2 * (bus[:, 4] - 1j * bus[:, 5]) / case.baseMVA
    left = (found["p_mw"] + 1j * found["q_mvar"]) / case.baseMVA - shunt
    np.add.at(left, one, -forth)
    np.add.at(left, other, -back)
    return float(np.abs(left[on]).max())


def pypower_difference(case: Case, tables: dict[str, Json], *, dc: bool) -> float | None:
    """The largest difference of voltages (pu, and angles in radians) to PYPOWER; None where it finds no state."""
    from pypower.api import ppoption, runpf

    bus, gen, branch = np.array(case.bus), np.array(case.gen), np.array(case.branch).reshape(-1, 13)
    options = ppoption(VERBOSE=0, OUT_ALL=0, PF_DC=dc, PF_MAX_IT=30)
    given = {"version": "2", "baseMVA": case.baseMVA, "bus": bus, "gen": gen, "branch": branch}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            solved, success = runpf(given, options)
        except Exception:
            return None
    if not success:
        return None
    on = bus[:, 1] != ISOLATED
    ours = {name: np.array(tables["bus"][name], dtype=float)[on] for name in ("vm_pu", "va_deg")}
    turn = np.radians(ours["va_deg"] - solved["bus"][on, 8])
    apart = np.abs((turn + np.pi) % (2 * np.pi) - np.pi).max()
    return float(max(apart, 0.0 if dc else np.abs(ours["vm_pu"] - solved["bus"][on, 7]).max()))
