"""A grid of three buses as JSON, made different by each test."""

from __future__ import annotations

from pathlib import Path

from batchtui.model import Json
from tests.domains.power.power_help import write_case

LINEAR = [2, 0, 0, 2, 10, 0]


def three(**tables: Json) -> dict[str, Json]:
    """Bus 1 is the reference, bus 2 a generator, bus 3 takes 90 MW; `tables` stand in for some of its own."""
    return {
        "baseMVA": 100,
        "bus": [
            [1, 3, 0, 0, 0, 0, 1, 1, 0, 135, 1, 1.1, 0.9],
            [2, 2, 20, 5, 0, 0, 1, 1, 0, 135, 1, 1.1, 0.9],
            [3, 1, 90, 30, 0, 0, 1, 1, 0, 135, 1, 1.1, 0.9],
        ],
        "gen": [
            [1, 0, 0, 300, -300, 1, 100, 1, 300, 0],
            [2, 50, 0, 300, -300, 1, 100, 1, 300, 0],
        ],
        "branch": [
            [1, 2, 0.01, 0.1, 0.02, 250, 250, 250, 0, 0, 1, -360, 360],
            [2, 3, 0.01, 0.1, 0.02, 250, 250, 250, 0, 0, 1, -360, 360],
            [1, 3, 0.01, 0.1, 0.02, 250, 250, 250, 0, 0, 1, -360, 360],
        ],
        **tables,
    }


def written(folder: Path, **tables: Json) -> str:
    return write_case(folder / "three.json", three(**tables))
