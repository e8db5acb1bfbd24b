"""Inputs of energy models, and the demo's own view of what it was asked."""

from __future__ import annotations

import time

from batchtui.demo.server import DemoServer
from batchtui.domains.energy.demo.api import DalyDemo
from batchtui.model import Json


def block(**changes: Json) -> dict[str, Json]:
    months = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    return {
        "inverterId": 1,
        "moduleId": 1,
        "array": {"stringCount": 10, "stringLength": 28},
        "layout": {"arrayType": "fixed", "gcr": 0.4, "azimuth": 180, "axisTilt": 0, "tilt": 25},
        "shading": {"farShading": False, "nearShading": "unlimited", "electricalImpact": False},
        "losses": {"moduleQuality": 0, "mismatch": 0.02, "uC": 25, "uV": 1.2},
        "acSystem": {"numberOfInverters": 1, "losses": {"acohmicLoss": 0.01}},
        "albedo": dict.fromkeys(months, 0.2),
        **changes,
    }


def energy_model(**changes: Json) -> dict[str, Json]:
    return {"locationId": 1, "blocks": [block()], **changes}


def service(server: DemoServer) -> DalyDemo:
    assert server._gateway
    return next(kind for kind in server._gateway.kinds if isinstance(kind, DalyDemo))


SLOW = "duration=1000s"
"""Runs that stand still for as long as a test looks; `advance` moves them."""


def advance(server: DemoServer, share: float) -> None:
    """Every run of a server that is SLOW has now worked for this share of its time."""
    for run in service(server).runs:
        run.began = time.monotonic() - share * run.takes
