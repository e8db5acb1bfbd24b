"""Batches of scenarios as users run them, and what they left on the disk."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

from batchtui.model import Json
from batchtui.results.scenarios.tables import read_table
from tests.cli.cli_help import ROOT, Cli

POWER = ROOT / "tests/data/power"
TIMED = ("attempts", "duration_ms")
"""Columns in which two runs of the same scenarios may differ."""


def references(case: str, name: str) -> list[dict[str, str]]:
    with (POWER / case / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def table(place: Path, name: str) -> dict[str, list[Json]]:
    found = read_table(place, name)
    assert found is not None
    return found


def rows(columns: dict[str, list[Json]], *without: str) -> list[tuple[Json, ...]]:
    return list(zip(*(values for name, values in columns.items() if name not in without), strict=True))


def manifest(place: Path) -> dict[str, Json]:
    found: dict[str, Json] = json.loads((place / "batch_manifest.json").read_text())
    return found


def copied(case: str, folder: Path) -> Path:
    """A copy of a case that may be changed."""
    return Path(shutil.copytree(POWER / case, folder / case))


def the_batch(cli: Cli) -> Path:
    """The folder of the only batch."""
    (found,) = (path for path in (cli.folder / "data/batches").iterdir() if not path.name.startswith("."))
    return found


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def results(cli: Cli, batch: str) -> dict[str, dict[str, Json]]:
    """By id, as `results --format jsonl` gives them."""
    ran = cli("results", batch, "--format", "jsonl")
    return {one["job_id"]: one for one in ran.documents}


HIDE = """
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec


def hidden(name, path=None, target=None):
    return None if name.partition(".")[0] in {names!r} else find_spec(name, path, target)


PathFinder.find_spec = hidden
"""


def hiding(cli: Cli, *names: str) -> dict[str, str]:
    """The environment of processes in which these packages seem not to be installed."""
    folder = cli.folder / "hidden"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(HIDE.format(names=names))
    return {"PYTHONPATH": f"{folder}:{ROOT}"}
