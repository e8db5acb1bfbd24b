"""What the tests of the solvers share: the public cases in tests/data/power, and jobs out of their manifests."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from batchtui.domains.power.tasks import solve_many
from batchtui.model import Json

DATA = Path(__file__).parents[2] / "data" / "power"
CASES = ("case9", "case14", "case118")


def jobs_of(manifest: Path, **more: Json) -> dict[str, dict[str, Json]]:
    """The arguments of each scenario of a README-style manifest, by its id."""
    found = json.loads(manifest.read_text())
    folder = manifest.parent
    return {
        scenario["id"]: {
            "id": scenario["id"],
            "task": found["solver"],
            "grid": str(folder / scenario["grid"]),
            "loads": str(folder / scenario["loads"]) if "loads" in scenario else None,
            "outages": scenario.get("outages"),
            "folder": None,
            **more,
        }
        for scenario in found["scenarios"]
    }


def solved(jobs: dict[str, dict[str, Json]]) -> dict[str, Json]:
    """What each of them gave: a value or an exception."""
    return dict(zip(jobs, solve_many(list(jobs.values())), strict=True))


def value(**job: Json) -> dict[str, Json]:
    """The value of one job; the exception it gave is raised."""
    (found,) = solve_many([{"folder": None, **job}])
    if isinstance(found, Exception):
        raise found
    return found


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def write_case(path: Path, case: dict[str, Json]) -> str:
    """A case of lists or numpy arrays, as JSON; its path."""
    tables = {
        name: table.tolist() if hasattr(table, "tolist") else table
        for name, table in case.items()
        if name in ("bus", "gen", "branch", "gencost")
    }
    path.write_text(json.dumps({"version": "2", "baseMVA": float(case["baseMVA"]), **tables}))
    return str(path)
