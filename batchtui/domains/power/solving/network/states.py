"""What solving gives, and how near and how long: shared by the sweep and by what solves one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from batchtui.domains.power.solving.network.grid import Bools, Floats, Ints, Voltages

TOLERANCE: Final = 1e-8
"""Largest mismatch at a bus, pu: MATPOWER's own."""
MOST_ITERATIONS: Final = 20


@dataclass(slots=True)
class States:
    """The solved states of n injections, one row each; rows that did not converge hold nothing of use.

    Powers in MW and Mvar, angles in degrees as the case counts them, within 180 of the
    reference bus. A branch out of service has nan.
    """

    converged: Bools
    iterations: Ints
    flat: Bools  # solved from a flat start, after the case's own voltages had led nowhere
    vm: Floats
    va: Floats
    pf: Floats
    qf: Floats
    pt: Floats
    qt: Floats
    pg: Floats
    qg: Floats
    pd: Floats  # what the buses take, at their voltages
    qd: Floats
    voltages: Voltages  # the reference bus at angle 0
