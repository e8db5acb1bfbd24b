"""Batches on kind `gat` from end to end, over the stand-in: a manifest run, one killed in the middle and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from batchtui.domains.power.gat.settings import LINEAR
from batchtui.model import Json
from batchtui.results.scenarios.tables import read_table
from tests import extras
from tests.backends.gat_help import CASE14, calls, grid, reference_flows, stand_in
from tests.backends.local_help import alive
from tests.cli.cli_help import Cli, until

pytestmark = extras.needs("power")


@pytest.fixture
def program(cli: Cli) -> Path:
    """A config whose only backend is the stand-in, in chunks of 4."""
    program = stand_in(cli.folder / "bin")
    (cli.folder / "config.toml").write_text(
        f'[backends.gat]\nkind = "gat"\nbinary = "{program}"\nchunk = 4\n'
    )
    return program


def manifest(cli: Cli, scenarios: list[dict[str, Json]], solver: str = "dc") -> str:
    path = cli.folder / "scenarios.json"
    path.write_text(json.dumps({"scenarios": scenarios, "solver": solver, "max_jobs": 2}))
    return str(path)


def loads(number: int) -> str:
    return str(CASE14 / "loads" / f"case14_s{number:03}.csv")


def test_a_manifest_goes_through_gat_and_faults_are_told(cli: Cli, program: Path) -> None:
    base = str(grid(cli.folder / "grid"))
    scenarios: list[dict[str, Json]] = [
        {"id": f"s{number}", "grid": base, "loads": loads(number)} for number in range(1, 11)
    ]
    scenarios += [
        {"id": "nowhere", "grid": str(cli.folder / "nope")},
        {"id": "island", "grid": base, "outages": [{"type": "branch", "id": "14"}]},
    ]
    ran = cli("run", manifest(cli, scenarios), "--backend", "gat", "--trust", "--out", "out.jsonl", "--yes")
    assert ran.code == 1, ran.err
    assert "licence" in ran.err
    assert "nope" in ran.err
    found = {result["job_id"]: result for result in cli("results", "scenarios").documents}
    assert [found[f"s{n}"]["status"] for n in range(1, 11)] == ["completed"] * 10
    assert (found["nowhere"]["error_kind"], found["nowhere"]["attempts"]) == ("missing_file", 1)
    assert (found["island"]["error_kind"], found["island"]["attempts"]) == ("islanded", 1)
    assert len(calls(program)) == 3
    output = cli.folder / "runs" / "batch" / "scenarios"
    table = read_table(output / "job_s4", "branch")
    assert table is not None
    flows = dict(zip(table["branch_id"], table["flow_mw"], strict=True))
    assert flows == pytest.approx(reference_flows("case14_s004"), abs=1e-4)
    rows = read_table(output / "summary", "aggregated_results")
    assert rows is not None
    kinds = dict(zip(rows["scenario_id"], rows["error_kind"], strict=True))
    assert (kinds["s1"], kinds["nowhere"], kinds["island"]) == (None, "missing_file", "islanded")
    assert json.loads((output / "batch_manifest.json").read_text())["success"] == 10


def test_ac_is_called_linear_in_the_summary(cli: Cli, program: Path) -> None:
    base = str(grid(cli.folder / "grid"))
    ran = cli("run", manifest(cli, [{"id": "a", "grid": base}], "ac"), "--backend", "gat", "--yes")
    assert ran.code == 0, ran.err
    assert LINEAR in ran.err
    (result,) = cli("results", "scenarios").documents
    assert result["raw_response"].startswith(LINEAR)
    rows = read_table(cli.folder / "runs" / "batch" / "scenarios" / "summary", "aggregated_results")
    assert rows is not None
    assert rows["task"] == [f"ac, {LINEAR}"]


def test_killed_in_a_chunk_and_resumed(cli: Cli, program: Path) -> None:
    base = grid(cli.folder / "grid")
    waiting = grid(cli.folder / "waiting", "wait")
    scenarios: list[dict[str, Json]] = [
        {"id": f"s{n}", "grid": str(waiting if n == 6 else base)} for n in range(8)
    ]
    app = cli.start("run", manifest(cli, scenarios), "--backend", "gat", "--yes")
    until(lambda: len(calls(program)) == 2)
    gat = calls(program)[1]["pid"]
    app.send_signal(signal.SIGKILL)
    app.communicate()
    assert alive(gat)
    (waiting / "quirk").unlink()
    (batch,) = cli("list", "--json").documents
    assert batch["completed"] == 4
    resumed = cli("resume", batch["id"])
    assert resumed.code == 0, resumed.err
    assert not alive(gat)
    assert len(calls(program)) == 3, "a finished chunk ran again"
    (status,) = cli("status", batch["id"], "--json").documents
    assert status["completed"] == 8
    assert not list(cli.folder.glob("data/batches/*/run/gat-*"))
    assert "changed since they were solved" not in resumed.err


def test_probe_and_a_config_without_the_program(cli: Cli, program: Path) -> None:
    probed = cli("backends", "probe", "gat")
    assert probed.code == 0, probed.err
    assert "gat 0.5.7" in probed.out + probed.err
    (cli.folder / "config.toml").write_text('[backends.gat]\nkind = "gat"\n')
    refused = cli("run", manifest(cli, [{"id": "a", "grid": "g"}]), "--backend", "gat")
    assert refused.code == 3
    assert "binary: is missing: name the gat program" in refused.err


def test_the_stand_in_has_the_quirks(tmp_path: Path) -> None:
    """What the tests rest on: exit 0 on failure, folders with a colon, grids from the working directory."""
    program = stand_in(tmp_path / "bin")
    grid(tmp_path / "here")
    artifact = {"scenario_id": "a", "grid_file": "here", "time_slices": []}
    artifact |= {"load_scale": 1, "renewable_scale": 1, "weight": 1}
    (tmp_path / "m.json").write_text(json.dumps([artifact]))
    call = [str(program), "batch", "pf", "--manifest", "m.json", "-o", "out"]
    assert subprocess.run(call, cwd=tmp_path, check=False, env=dict(os.environ)).returncode == 0
    assert (tmp_path / "out" / "pf-dc:a" / "result.parquet").is_file()
    (tmp_path / "m.json").write_text("{}")
    assert subprocess.run(call, cwd=tmp_path, check=False, stderr=subprocess.DEVNULL).returncode == 0
    assert subprocess.run([*call, "-d", "x"], check=False, stderr=subprocess.DEVNULL).returncode == 2
