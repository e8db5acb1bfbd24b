"""MATPOWER's tables, and what is beyond them, of a pandapower net that runpp has looked at.

Read are the tables that pandapower made for its own power flow (`net._ppc`), with the options that the net carries: so
whatever an element, a switch or a tap changer means is what pandapower takes it for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from batchtui.amounts import counted
from batchtui.domains.power.grids.case import (
    BASE_KV,
    BR_STATUS,
    BUS_I,
    BUS_TYPE,
    F_BUS,
    GEN_BUS,
    GEN_STATUS,
    ISOLATED,
    MBASE,
    PD,
    PMAX,
    PMIN,
    QD,
    QMAX,
    QMIN,
    RATE_A,
    REF,
    SHIFT,
    T_BUS,
    VA,
    VG,
    VM,
    VMAX,
    VMIN,
)
from batchtui.model import Json

_COLUMNS: Final = {"bus": 13, "gen": 10, "branch": 13}
_UNLIKE: Final = ("BR_R_ASYM", "BR_X_ASYM", "BR_G_ASYM", "BR_B_ASYM")
_SHARES: Final = ("CID_P", "CZD_P", "CID_Q", "CZD_Q")
_NO_LIMIT: Final = 1e9
_NO_RATING: Final = 0.0
_WIDEST, _LOWEST = 2.0, 0.0
"""Limits of a voltage that has none, pu: pandapower's own."""
_LEAST: Final = 1e-12


class Tables:
    """The tables of one net; buses are numbered by their index plus 1, joined ones by the least of theirs."""

    def __init__(self, net: Json) -> None:
        self._net, self._ppc = net, net._ppc
        lookup = net._pd2ppc_lookups["bus"]
        self._at = {int(index): int(lookup[index]) for index in sorted(map(int, net.bus.index))}
        self._members: dict[int, list[int]] = {}
        for index, row in self._at.items():
            self._members.setdefault(row, []).append(index)
        self._fed = self._generators_at()
        for members in self._members.values():  # a generator's bus stands for those that are joined to it
            members.sort(key=lambda index: (index not in self._fed, index))
        on = [row[BUS_TYPE] != ISOLATED for row in self._ppc["bus"]]
        last = max(self._at)
        inside = (row for row, is_on in enumerate(on) if is_on and row not in self._members)
        self._inside = {row: last + 2 + place for place, row in enumerate(inside)}
        numbers = {row: members[0] + 1 for row, members in self._members.items()} | self._inside
        self.number = dict(sorted(numbers.items(), key=lambda pair: pair[1]))
        self._row = {row: place for place, row in enumerate(self.number)}

    def _generators_at(self) -> set[int]:
        found: set[int] = set()
        for element, columns in (
            ("ext_grid", ("bus",)),
            ("gen", ("bus",)),
            ("dcline", ("from_bus", "to_bus")),
        ):
            table = self._net[element]
            for column in columns:
                found |= set(map(int, table[column][table.in_service.astype(bool)]))
        return found

    def all(self) -> dict[str, Json]:
        """The tables with their notes."""
        bus, branch = self._bus(), self._branch()
        gen = [_row(row, _COLUMNS["gen"]) for row in self._ppc["gen"]]
        base = float(self._ppc["baseMVA"])
        for row in gen:
            row[GEN_BUS], row[MBASE] = self.number[int(row[GEN_BUS])], _finite(row[MBASE], base)
            if row[QMIN] == row[QMAX] == 0:  # pandapower's filler for an external grid
                row[QMIN], row[QMAX] = -_NO_LIMIT, _NO_LIMIT
        if not self._net["converged"]:
            _start(bus, gen, branch)
        beyond = {
            "joined": [row for rows in self._joined() for row in rows],
            "inside": [self._row[row] for row in self._inside],
            "conductance": self._column("BR_G"),
            "unlike": self._branch_columns(_UNLIKE),
            "shares": self._shares(),
        }
        return {
            "baseMVA": base,
            "bus": bus,
            "gen": gen,
            "branch": branch,
            "beyond": beyond,
            "notes": self._notes(),
        }

    def _bus(self) -> list[list[float]]:
        found = []
        for place, number in self.number.items():
            row = _row(self._ppc["bus"][place], _COLUMNS["bus"])
            row[BUS_I] = number
            row[VM], row[VA] = _finite(row[VM], 1.0), _finite(row[VA], 0.0)
            row[BASE_KV] = _finite(row[BASE_KV], 0.0)
            row[VMAX], row[VMIN] = self._limits(self._members[place][0] if place in self._members else None)
            found.append(row)
        return found

    def _limits(self, index: int | None) -> tuple[float, float]:
        bus = self._net.bus
        if index is None:
            return _WIDEST, _LOWEST
        most = float(bus["max_vm_pu"].at[index]) if "max_vm_pu" in bus else math.nan
        least = float(bus["min_vm_pu"].at[index]) if "min_vm_pu" in bus else math.nan
        return _finite(most, _WIDEST), _finite(least, _LOWEST)

    def _branch(self) -> list[list[float]]:
        found = []
        bus = self._ppc["bus"]
        for given in self._ppc["branch"]:
            row = _row(given, _COLUMNS["branch"])
            ends = int(row[F_BUS]), int(row[T_BUS])
            on = row[BR_STATUS] > 0 and all(bus[end][BUS_TYPE] != ISOLATED for end in ends)
            row[BR_STATUS] = float(on)
            row[F_BUS], row[T_BUS] = (float(self.number.get(end, 0)) for end in ends)
            if not math.isfinite(row[RATE_A]) or row[RATE_A] < 0:
                row[RATE_A] = _NO_RATING
            found.append(row if on else [_finite(value, 0.0) for value in row])
        return found

    def _joined(self) -> Iterator[list[list[float]]]:
        groups = [(row, members) for row, members in self._members.items() if len(members) > 1]
        if not groups:
            return
        power = _demand(self._net)
        for row, members in groups:
            yield [[index + 1, self._row[row], *power[index], *self._limits(index)] for index in members[1:]]

    def _column(self, name: str) -> list[float]:
        values = [float(row[_index("brch", name)].real) for row in self._ppc["branch"]]
        values = [_finite(value, 0.0) for value in values]
        return values if any(abs(value) > _LEAST for value in values) else []

    def _branch_columns(self, names: tuple[str, ...]) -> list[list[float]]:
        columns = [self._column(name) for name in names]
        if not any(columns):
            return []
        none = [0.0] * len(self._ppc["branch"])
        return [list(row) for row in zip(*(column or none for column in columns), strict=True)]

    def _shares(self) -> list[list[float]]:
        if not self._net._options["voltage_depend_loads"]:
            return []
        columns = [_index("bus", name) for name in _SHARES]
        rows = [
            [_finite(float(self._ppc["bus"][row][column]), 0.0) for column in columns] for row in self.number
        ]
        taking = [row[PD] or row[QD] for row in self._ppc["bus"][list(self.number)]]
        shares = [row if takes else [0.0] * len(columns) for row, takes in zip(rows, taking, strict=True)]
        return shares if any(map(any, shares)) else []

    def _notes(self) -> list[str]:
        notes = ["bus numbers are pandapower's indices plus 1"]
        joined = [
            f"{', '.join(str(index + 1) for index in members[1:])} with {members[0] + 1}"
            for members in self._members.values()
            if len(members) > 1
        ]
        if joined:
            more = f" and {counted(len(joined) - 5, 'more group')}" if len(joined) > 5 else ""
            notes.append(f"closed switches make one bus of {'; '.join(joined[:5])}{more}")
        for members in self._members.values():
            if others := [str(index + 1) for index in members[1:] if index in self._fed]:
                notes.append(
                    f"what is generated at {', '.join(others)} stands in the row of bus {members[0] + 1}"
                )
        if self._inside:
            first, last = min(self._inside.values()), max(self._inside.values())
            which = f"bus {first} is" if first == last else f"buses {first} to {last} are"
            notes.append(f"{which} inside of elements (star points, wards, open ends) and in no bus table")
        return notes


def _demand(net: Json) -> dict[int, tuple[float, float]]:
    """What each bus takes, also those that are joined to others: pandapower's own sum over all elements."""
    import numpy
    from pandapower.build_bus import _calc_pq_elements_and_add_on_ppc
    from pandapower.pypower.idx_bus import bus_cols

    places = {int(index): place for place, index in enumerate(net.bus.index)}
    lookup = numpy.full(max(places) + 1, -1)
    lookup[list(places)] = list(places.values())
    kept = net._pd2ppc_lookups["bus"]
    table = {"bus": numpy.zeros((len(places), bus_cols)), "bus_dc": net._ppc.get("bus_dc")}
    try:
        net._pd2ppc_lookups["bus"] = lookup
        _calc_pq_elements_and_add_on_ppc(net, table)
    finally:
        net._pd2ppc_lookups["bus"] = kept
    return {
        index: (float(table["bus"][place, PD]), float(table["bus"][place, QD]))
        for index, place in places.items()
    }


def limits_of_optimum(tables: dict[str, Json], net: Json, ppc: dict[str, Json]) -> None:
    """Set the limits that pandapower's optimal power flow keeps. `ppc`: its tables, with the same generators."""
    for row, limited in zip(tables["gen"], ppc["gen"], strict=True):
        for column in (PMAX, PMIN, QMAX, QMIN):
            row[column] = float(limited[column])
    lookup = net._pd2ppc_lookups["bus"]
    at = {int(index) + 1: int(lookup[index]) for index in net.bus.index}
    for row in tables["bus"]:
        place = at.get(int(row[BUS_I]), -1)
        if 0 <= place < len(ppc["bus"]):
            row[VMAX], row[VMIN] = (float(ppc["bus"][place][column]) for column in (VMAX, VMIN))


def _start(bus: list[list[float]], gen: list[list[float]], branch: list[list[float]]) -> None:
    """Where pandapower found no state: turn each bus by the transformers between it and the reference."""
    place = {number[BUS_I]: n for n, number in enumerate(bus)}
    held = {row[GEN_BUS]: row[VG] for row in gen if row[GEN_STATUS] > 0}
    near: dict[int, list[tuple[int, float]]] = {}
    for row in branch:
        if row[BR_STATUS]:
            start, end = place[row[F_BUS]], place[row[T_BUS]]
            near.setdefault(start, []).append((end, -row[SHIFT]))
            near.setdefault(end, []).append((start, row[SHIFT]))
    front = [n for n, row in enumerate(bus) if row[BUS_TYPE] == REF]
    seen = set(front)
    for row in bus:
        row[VM] = held.get(row[BUS_I], 1.0)
    while front:
        here = front.pop()
        for other, turn in near.get(here, ()):
            if other not in seen:
                seen.add(other)
                front.append(other)
                bus[other][VA] = bus[here][VA] + turn


def _index(table: str, name: str) -> int:
    """A column of pandapower's tables by its name; they are not where MATPOWER has them."""
    from importlib import import_module

    return int(getattr(import_module(f"pandapower.pypower.idx_{table}"), name))


def _row(row: Json, width: int) -> list[float]:
    return [float(value.real) for value in row[:width]]


def _finite(value: float, absent: float) -> float:
    return value if math.isfinite(value) else absent
