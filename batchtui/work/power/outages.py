"""What is out of service in a scenario, and the buses that this cuts off.

Branches and generators are named by their row in the case, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchtui.errors import nearest
from batchtui.model import Json
from batchtui.work.power.case import (
    BR_STATUS,
    BUS_I,
    BUS_TYPE,
    F_BUS,
    ISOLATED,
    REF,
    T_BUS,
    Case,
    bus_rows,
    shown,
)
from batchtui.work.power.fault import Fault

TYPES: Final = {"branch": "branch", "generator": "generator", "gen": "generator"}


@dataclass(frozen=True, slots=True)
class Outages:
    """Rows from 0 of the case's tables, each in order."""

    branches: tuple[int, ...] = ()
    generators: tuple[int, ...] = ()


def outages_of(given: Sequence[Mapping[str, Json]] | None, case: Case | None) -> Outages:
    """The rows that are out. Without a case only the form is checked. Raises Fault (bad_input)."""
    rows: dict[str, set[int]] = {"branch": set(), "generator": set()}
    if isinstance(given, str) or not isinstance(given, Sequence | None):
        raise Fault("bad_input", "outages are no list of {type, id}")
    for outage in given or ():
        if not isinstance(outage, Mapping):
            raise Fault("bad_input", f"outage {shown(str(outage))} is no table of type and id")
        named = str(outage.get("type", "branch"))
        kind = TYPES.get(named.lower())
        if kind is None:
            hint = nearest(named, TYPES) or "; it is branch or generator"
            raise Fault("bad_input", f"outage of type {shown(named)}{hint}")
        row = _row(outage.get("id"))
        most = row if case is None else len(case.branch if kind == "branch" else case.gen)
        if not 1 <= row <= most:
            raise Fault("bad_input", f"outage names {kind} {row}; the grid has {kind} rows 1 to {most}")
        rows[kind].add(row - 1)
    return Outages(tuple(sorted(rows["branch"])), tuple(sorted(rows["generator"])))


def _row(value: Json) -> int:
    try:
        if isinstance(value, bool):
            raise ValueError(value)
        row = int(value)
        if row != float(value):
            raise ValueError(value)
    except (TypeError, ValueError, OverflowError):
        raise Fault("bad_input", f"outage id {shown(str(value))} is no row number") from None
    return row


def reference(case: Case, slack: int | None = None) -> int:
    """The row of the reference bus: `slack` where that is given, else the case's. Raises Fault (bad_input)."""
    if slack is not None:
        row = bus_rows(case).get(slack)
        if row is None or case.bus[row][BUS_TYPE] == ISOLATED:
            raise Fault("bad_input", f"slack: there is no bus {slack} in the grid")
        return row
    found = [place for place, row in enumerate(case.bus) if row[BUS_TYPE] == REF]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{case.bus[place][BUS_I]:g}" for place in found[:5])
    what = f"several reference buses ({names})" if found else "no reference bus (type 3)"
    raise Fault("bad_input", f"the grid has {what}; name one with `slack`")


def cut_off(case: Case, out: Sequence[int], root: int) -> list[int]:
    """Rows of the buses without a path to bus row `root`, with branch rows `out` out of service.

    Buses of type 4 (isolated) are no part of the grid and are left out.
    """
    places = bus_rows(case)
    gone = set(out)
    neighbours: list[list[int]] = [[] for _ in case.bus]
    for place, row in enumerate(case.branch):
        if row[BR_STATUS] > 0 and place not in gone:
            one, other = places[int(row[F_BUS])], places[int(row[T_BUS])]
            neighbours[one].append(other)
            neighbours[other].append(one)
    dead = {place for place, row in enumerate(case.bus) if row[BUS_TYPE] == ISOLATED}
    seen = {root}
    front = [root]
    while front:
        for other in neighbours[front.pop()]:
            if other not in seen and other not in dead:
                seen.add(other)
                front.append(other)
    return [place for place in range(len(case.bus)) if place not in seen and place not in dead]


def islanded(case: Case, out: Sequence[int], root: int) -> Fault | None:
    """The fault of a grid that falls apart."""
    lost = cut_off(case, out, root)
    if not lost:
        return None
    names = ", ".join(f"{case.bus[place][BUS_I]:g}" for place in lost[:5]) + (" …" if len(lost) > 5 else "")
    bus = "bus" if len(lost) == 1 else "buses"
    return Fault("islanded", f"{bus} {names} without a path to the reference bus {case.bus[root][BUS_I]:g}")


def bridges(case: Case, out: Sequence[int], root: int) -> dict[int, list[int]]:
    """Branch rows whose loss splits the grid, each with the bus rows that it cuts off from bus row `root`.

    One depth-first search (Tarjan, Information Processing Letters 2, 1974); what hangs on a bridge is what was
    found after it and before the search came back.
    """
    places = bus_rows(case)
    gone = set(out)
    links: list[list[tuple[int, int]]] = [[] for _ in case.bus]
    for branch, row in enumerate(case.branch):
        if row[BR_STATUS] > 0 and branch not in gone:
            one, other = places[int(row[F_BUS])], places[int(row[T_BUS])]
            if ISOLATED not in (case.bus[one][BUS_TYPE], case.bus[other][BUS_TYPE]):
                links[one].append((other, branch))
                links[other].append((one, branch))
    order = [root]
    found_at = {root: 0}
    low = {root: 0}
    cut: dict[int, list[int]] = {}
    stack = [(root, -1, iter(links[root]))]
    while stack:
        bus, came_by, rest = stack[-1]
        step = next(rest, None)
        if step is None:
            stack.pop()
            if stack:
                above = stack[-1][0]
                low[above] = min(low[above], low[bus])
                if low[bus] > found_at[above]:
                    cut[came_by] = order[found_at[bus] :]
            continue
        other, branch = step
        if branch == came_by:
            continue
        if other in found_at:
            low[bus] = min(low[bus], found_at[other])
        else:
            found_at[other] = low[other] = len(order)
            order.append(other)
            stack.append((other, branch, iter(links[other])))
    return cut
