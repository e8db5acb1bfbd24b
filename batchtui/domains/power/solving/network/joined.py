"""Buses that closed switches make one: solved as one, and each with its own demand and its own row in the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchtui.domains.power.grids import beyond as idx
from batchtui.domains.power.grids.beyond import Beyond
from batchtui.model import Json


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """The joined buses of a grid, and where each row of the bus table comes from."""

    number: NDArray[np.int64]
    at: NDArray[np.int64]  # the rows of the buses that they are joined to
    pd: NDArray[np.float64]
    qd: NDArray[np.float64]
    limits: dict[str, NDArray[np.float64]]
    place: dict[int, int]  # by number
    order: NDArray[np.int64]  # of the table: rows of bus, then joined ones

    def replace(
        self,
        whole: NDArray[np.float64],
        own: NDArray[np.float64],
        buses: Sequence[int],
        at: Sequence[int],
        wanted: NDArray[np.float64],
    ) -> None:
        """Let these buses, at the rows `at` of bus, take what is wanted; others at the same row keep theirs."""
        rest = whole.copy()  # what a bus with rows joined to it takes itself
        np.subtract.at(rest, self.at, own)
        for bus, row, value in zip(buses, at, wanted.tolist(), strict=True):
            if (place := self.place.get(bus)) is None:
                rest[row] = value
            else:
                own[place] = value
        np.add.at(rest, self.at, own)
        whole[:] = rest

    def table(self, columns: dict[str, Json], used: NDArray[np.float64], less: NDArray[np.float64]) -> None:
        """Give a bus table a row for each bus of the file, by number; joined ones take `used` MW and `less` Mvar."""
        for name, values in columns.items():
            own = np.asarray(values)
            more = own[self.at]
            if name == "bus_id":
                more = self.number
            elif name in self.limits:
                more = self.limits[name]
            elif name in ("p_mw", "q_mvar"):  # generators stand at the bus that the others are joined to
                more = -(used if name == "p_mw" else less)
                own = own.copy()
                np.subtract.at(own, self.at, more)
            columns[name] = np.concatenate((own, more))[self.order]


def joined_of(beyond: Beyond, numbers: NDArray[np.int64]) -> Joined | None:
    """`numbers`: of the rows of bus. None where every row of bus is a bus of the file and none is joined."""
    if not (beyond.joined or beyond.inside):
        return None
    rows = np.array(beyond.joined, dtype=float).reshape(-1, 6)
    number = rows[:, idx.NUMBER].astype(np.int64)
    every = np.concatenate((numbers, number))
    seen = np.setdiff1d(np.arange(len(every)), beyond.inside)
    return Joined(
        number=number,
        at=rows[:, idx.AT].astype(np.int64),
        pd=rows[:, idx.JOINED_PD],
        qd=rows[:, idx.JOINED_QD],
        limits={"vmax": rows[:, idx.JOINED_VMAX], "vmin": rows[:, idx.JOINED_VMIN]},
        place={int(one): place for place, one in enumerate(number)},
        order=seen[np.argsort(every[seen], kind="stable")],
    )
