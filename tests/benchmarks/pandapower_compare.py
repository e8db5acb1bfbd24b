"""How far a power flow of ours is from pandapower's own (`pandapower_nets`) of the same net."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from batchtui.model import Json

EXACT = {"vm_pu": 1e-7, "va_deg": 1e-5, "mw": 1e-4}
"""Largest differences of equal solutions: both stop where 1e-8 or 1e-9 pu are left at every bus."""


@dataclass
class Difference:
    """The largest difference of each quantity, and what was not to be compared, in words."""

    largest: dict[str, float] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def see(self, name: str, ours: float | None, theirs: float | None, where: str) -> None:
        values = [math.nan if value is None else value for value in (ours, theirs)]
        if name not in ("va_deg", "vm_pu"):  # what is out of service is 0 for one and none for the other
            values = [value if math.isfinite(value) else 0.0 for value in values]
        absent = [not math.isfinite(value) for value in values]
        if any(absent):
            if not all(absent):
                self.words.append(f"{where}: {name} {ours} where pandapower has {theirs}")
            return
        apart = abs(values[0] - values[1])
        if name == "va_deg":
            apart = abs((apart + 180) % 360 - 180)
        if apart >= self.largest.get(name, -1.0):
            self.largest[name], self.where[name] = apart, where

    def without(self, *names: str) -> Difference:
        rest = {name: apart for name, apart in self.largest.items() if name not in names}
        return Difference(rest, self.where, self.words)

    @property
    def is_equal(self) -> bool:
        return not self.words and all(
            apart <= EXACT.get(name, EXACT["mw"]) for name, apart in self.largest.items()
        )

    def __str__(self) -> str:
        told = "  ".join(f"{name} {apart:.0e}" for name, apart in self.largest.items())
        if self.is_equal:
            return told
        worst = [f"{name} at {self.where[name]}" for name, apart in self.largest.items() if apart > 1e-7]
        return "; ".join([told, *worst, *self.words[:3]])


def difference(found: dict[str, Json], reference: dict[str, Json], *, dc: bool) -> Difference:
    """Buses (with their rows), injections, flows, losses and the reference generators."""
    result = Difference()
    bus, summary = found["tables"]["bus"], found["summary"]
    ours = {int(number): place for place, number in enumerate(bus["bus_id"])}
    theirs = {int(index) + 1: values for index, values in reference["bus"].items()}
    for words, numbers in (
        ("no row of bus", theirs.keys() - ours),
        ("a row more, bus", ours.keys() - theirs),
    ):
        if numbers:
            result.words.append(f"{words} {', '.join(map(str, sorted(numbers)[:5]))}")
    for number in theirs.keys() & ours.keys():
        place, (vm, va, p, q) = ours[number], theirs[number]
        if not dc:
            result.see("vm_pu", bus["vm_pu"][place], vm, f"bus {number}")
            result.see("q_mvar", bus["q_mvar"][place], q, f"bus {number}")
        result.see("va_deg", bus["va_deg"][place], va, f"bus {number}")
        result.see("p_mw", bus["p_mw"][place], p, f"bus {number}")
    loss = 0.0
    for where, pairs in _branches(found["tables"]["branch"], reference["branch"]):
        for mine, other in pairs[:: 2 if dc else 1]:
            result.see("flow", mine, other, where)
        loss += sum(mine for mine, _ in pairs[::2] if mine is not None and math.isfinite(mine))
    result.see("loss", loss, reference["loss_mw"], "all branches")
    result.see("slack", float(summary["slack_mw"]), reference["slack_mw"], "reference")
    return result


Pairs = list[tuple[float | None, float | None]]


def _branches(table: dict[str, Json], reference: dict[str, Json]) -> Iterator[tuple[str, Pairs]]:
    """By element, powers of ours and of pandapower's at its ends, active and reactive in turn."""
    begin = 0
    names = (("flow_mw", "q_from_mvar"), ("p_to_mw", "q_to_mvar"))
    for element, rows in reference.items():
        count = len(rows)
        for place, (index, values) in enumerate(rows.items()):
            if element == "trafo3w":  # its sides follow each other, each for all of them
                at = [(begin + place, 0), (begin + count + place, 1), (begin + 2 * count + place, 1)]
            else:
                at = [(begin + place, 0), (begin + place, 1)]
            ours = [table[name][row] for row, end in at for name in names[end]]
            yield f"{element} {index}", list(zip(ours, values, strict=True))
        begin += count * (3 if element == "trafo3w" else 1)
