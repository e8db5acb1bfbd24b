"""What the tests of kind `gat` share: the stand-in as a program, grids with quirks, and jobs."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

from batchtui.backends.base import Job, Setup
from batchtui.decode import convert
from batchtui.domains.power.gat.backend import GatBackend
from batchtui.domains.power.gat.settings import GatSettings, GatWork
from batchtui.model import Json

CASE14 = Path(__file__).parents[1] / "data" / "power" / "case14"
STAND_IN = Path(__file__).with_name("gat_stand_in.py")


def stand_in(folder: Path, version: str = "gat 0.5.7\n") -> Path:
    """The stand-in as an executable `gat`, with its version beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "gat"
    program.write_text(
        f'#!/bin/sh\nGAT_STAND_IN="{program}" exec "{sys.executable}" "{STAND_IN}" "$@"\n', "utf-8"
    )
    program.chmod(0o755)
    (folder / "version").write_text(version)
    return program


def calls(program: Path) -> list[dict[str, Json]]:
    """What the stand-in was called with, without the questions for its version."""
    log = program.parent / "calls.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [call for call in map(json.loads, lines) if call["argv"] != ["--version"]]


def grid(folder: Path, quirk: str = "") -> Path:
    """A copy of the sample grid of 14 buses, with a quirk that the stand-in obeys."""
    shutil.copytree(CASE14 / "gat" / "grid.arrow", folder)
    if quirk:
        (folder / "quirk").write_text(quirk)
    return folder


def backend_in(program: Path, folder: Path, **settings: Json) -> GatBackend:
    table = {"kind": "gat", "binary": str(program), **settings}
    backend = GatBackend(Setup("gat", convert(table, GatSettings, where="config", prefix="backends.gat")))
    backend.use_run_dir(folder / "run")
    backend.use_output(folder / "out")
    return backend


def job_of(number: int, grid: Path, *, timeout: float | None = 60.0, **work: Json) -> Job[GatWork]:
    table = {"task": "dc", "grid": str(grid), **work}
    rendered = convert(table, GatWork, where="jobs.toml", prefix="job")
    return Job(number, f"s/{number}:é", 1, "token", rendered, timeout=timeout)


def no_note(_: dict[str, Json]) -> None:
    return None


def reference_flows(scenario: str) -> dict[int, float]:
    """MW by branch row, from the reference results."""
    with (CASE14 / "ref_dc_branch.csv").open() as file:
        return {
            int(row["branch_row"]): float(row["p_from_mw"])
            for row in csv.DictReader(file)
            if row["scenario_id"] == scenario
        }
