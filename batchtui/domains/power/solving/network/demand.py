"""Demand that follows the voltage: a share as constant power, one as constant current, one as constant impedance."""

from __future__ import annotations

from dataclasses import dataclass

from batchtui.domains.power.grids.beyond import P_CURRENT, P_IMPEDANCE, Q_CURRENT, Q_IMPEDANCE
from batchtui.domains.power.solving.network.grid import Floats, Voltages


def followed(shares: Floats, size: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """What demand of 1 is at these voltages, active and reactive, and how much more with each pu of voltage."""
    found = []
    for current, square in ((P_CURRENT, P_IMPEDANCE), (Q_CURRENT, Q_IMPEDANCE)):
        one, two = shares[..., current], shares[..., square]
        found += [1 - one - two + one * size + two * size**2, one + 2 * two * size]
    return found[0], found[2], found[1], found[3]


@dataclass(slots=True)
class Demand:
    """The power that buses take at a voltage of 1, pu, and how it follows the voltage."""

    power: Voltages
    shares: Floats

    def at(self, size: Floats) -> Voltages:
        active, reactive, _, _ = followed(self.shares, size)
        found: Voltages = self.power.real * active + 1j * self.power.imag * reactive
        return found

    def slope(self, size: Floats) -> Voltages:
        _, _, active, reactive = followed(self.shares, size)
        found: Voltages = self.power.real * active + 1j * self.power.imag * reactive
        return found
