"""What is out of service in a scenario, and the buses that this cuts off.

Branches and generators are named by their row in the case, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import (
    BR_STATUS,
    BUS_I,
    BUS_TYPE,
    F_BUS,
    ISOLATED,
    REF,
    T_BUS,
    Case,
    bus_rows,
    named_rows,
    shown,
    whole,
)
from batchtui.errors import nearest
from batchtui.model import Json

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


def references(case: Case, slack: int | None = None) -> tuple[int, ...]:
    """The rows of the reference buses: `slack` where that is given, else the case's. Raises Fault (bad_input)."""
    if slack is not None:
        row = named_rows(case).get(slack)
        if row is None or case.bus[row][BUS_TYPE] == ISOLATED:
            raise Fault("bad_input", f"slack: there is no bus {slack} in the grid")
        return (row,)
    found = tuple(place for place, row in enumerate(case.bus) if row[BUS_TYPE] == REF)
    if not found:
        raise Fault("bad_input", "the grid has no reference bus (type 3); name one with `slack`")
    return found


def names_of(case: Case, rows: Sequence[int]) -> str:
    """The first of these buses by their numbers, for a message."""
    return ", ".join(whole(case.bus[row][BUS_I]) for row in rows[:5]) + (" …" if len(rows) > 5 else "")


def cut_off(case: Case, out: Sequence[int], roots: Sequence[int]) -> list[int]:
    """Rows of the buses without a path to one of the bus rows `roots`, with branch rows `out` out of service.

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
    seen = set(roots)
    front = list(roots)
    while front:
        for other in neighbours[front.pop()]:
            if other not in seen and other not in dead:
                seen.add(other)
                front.append(other)
    return [place for place in range(len(case.bus)) if place not in seen and place not in dead]


def islanded(case: Case, out: Sequence[int], roots: Sequence[int]) -> Fault | None:
    """The fault of a grid with a part that has no reference bus."""
    lost = cut_off(case, out, roots)
    if not lost:
        return None
    bus = "bus" if len(lost) == 1 else "buses"
    to = "the reference bus" if len(roots) == 1 else "any of the reference buses"
    return Fault("islanded", f"{bus} {names_of(case, lost)} without a path to {to} {names_of(case, roots)}")


def bridges(case: Case, out: Sequence[int], roots: Sequence[int]) -> dict[int, list[int]]:
    """Branch rows whose loss splits the grid, each with the bus rows that it cuts off from the bus rows `roots`.

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
    root = roots[0]
    for place, other in enumerate(roots[1:]):  # two ways to each, so that the loss of one cuts nothing off
        for way in (len(case.branch) + 2 * place, len(case.branch) + 2 * place + 1):
            links[root].append((other, way))
            links[other].append((root, way))
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
