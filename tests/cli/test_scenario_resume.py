"""Batches of scenarios that were cut off, and output folders that cannot be written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from batchtui.model import Json
from tests import extras
from tests.cli.cli_help import Cli
from tests.cli.scenario_help import POWER, TIMED, copied, lines, manifest, results, rows, table, the_batch

pytestmark = extras.needs("power")

SCENARIOS = 1500


def scaled(folder: Path, count: int) -> Path:
    """A manifest of many scenarios of one grid that differ by their load."""
    grid = str(POWER / "case118/case118.m")
    scenarios = [{"id": f"s{n:04}", "grid": grid, "load_scale": 0.8 + 0.3 * n / count} for n in range(count)]
    path = folder / "many.json"
    path.write_text(json.dumps({"scenarios": scenarios, "solver": "ac", "max_jobs": 2}))
    return path


def killed_at_half(cli: Cli, running: subprocess.Popen[str]) -> Path:
    """Kill -9 as soon as half of the results are stored; the batch's folder."""
    end = time.monotonic() + 60
    while True:
        found = [*(cli.folder / "data/batches").glob("[!.]*/results.jsonl")]
        if found and found[0].read_bytes().count(b"\n") > SCENARIOS // 2:
            os.kill(running.pid, signal.SIGKILL)
            running.communicate()
            return found[0].parent
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)


def test_killed_at_half_and_resumed(cli: Cli) -> None:
    file = scaled(cli.folder, SCENARIOS)
    batch = killed_at_half(cli, cli.start("run", "--trust", str(file)))
    before = lines(batch / "results.jsonl")[1:]
    finished = {line["job_id"] for line in before if line["state"] == "completed"}
    assert SCENARIOS // 2 <= len(finished) < SCENARIOS
    journaled = len(lines(batch / "events.jsonl"))
    place = cli.folder / "runs/batch/many"
    told = [one for one in lines(place / "jobs.jsonl") if one.get("status") == "ok"]
    assert len(finished) - 1 <= len(told) <= len(finished)
    so_far = manifest(place)
    assert 0 < so_far["num_jobs"] == len(so_far["jobs"]) == so_far["success"] <= len(finished)

    ran = cli("resume", batch.name)
    assert ran.code == 0, ran.err
    stored = [line["job_id"] for line in lines(batch / "results.jsonl")[1:]]
    assert sorted(stored) == [f"s{n:04}" for n in range(SCENARIOS)]  # each once
    started = [event["n"] for event in lines(batch / "events.jsonl")[journaled:] if event["event"] == "start"]
    assert not finished.intersection(f"s{n:04}" for n in started)

    assert manifest(place)["success"] == SCENARIOS
    whole = cli("run", "--trust", str(file), "--set", "output.dir=" + str(cli.folder / "whole"))
    assert whole.code == 0, whole.err
    for name in ("aggregated_results", "branches", "buses"):
        cut_off = table(place / "summary", name)
        at_once = table(cli.folder / "whole/summary", name)
        assert rows(cut_off, *TIMED) == rows(at_once, *TIMED)


def ended_no_more(batch: Path) -> None:
    """Put the batch back to where its jobs are done and the output is not."""
    events = lines(batch / "events.jsonl")
    assert events[-1]["event"] == "ended"
    whole = (batch / "events.jsonl").read_bytes().splitlines(keepends=True)
    (batch / "events.jsonl").write_bytes(b"".join(whole[:-1]))
    (batch / "checkpoint.json").unlink(missing_ok=True)


def test_cut_off_while_the_tables_were_written(cli: Cli) -> None:
    assert cli("run", str(POWER / "case9/manifest_ac.json"), "--set", "limits.concurrency=1").code == 0
    place, batch = cli.folder / "runs/batch/manifest_ac", the_batch(cli)
    expected = rows(table(place / "summary", "aggregated_results"))
    (place / "summary/aggregated_results.parquet").unlink()
    ended_no_more(batch)
    ran = cli("resume")
    assert ran.code == 0, ran.err
    assert rows(table(place / "summary", "aggregated_results")) == expected
    assert lines(batch / "events.jsonl")[-1]["event"] == "ended"


def test_resume_runs_what_no_longer_stands(cli: Cli) -> None:
    case = copied("case9", cli.folder)
    manifest_file = json.loads((case / "manifest_ac.json").read_text())
    ids = [one["id"] for one in manifest_file["scenarios"]]
    faulty = {"id": "never", "grid": "case9.m", "loads": "never.csv"}
    manifest_file["scenarios"].append(faulty)
    (case / "manifest_ac.json").write_text(json.dumps(manifest_file))
    assert cli("run", str(case / "manifest_ac.json"), "--set", "limits.concurrency=1").code == 1
    batch, place = the_batch(cli), cli.folder / "runs/batch/manifest_ac"
    (place / f"job_{ids[0]}" / "result.parquet").unlink()
    loads = case / manifest_file["scenarios"][1]["loads"]
    loads.write_text(loads.read_text().replace("\n5,", "\n5,1"))

    (case / "never.csv").write_text((case / manifest_file["scenarios"][2]["loads"]).read_text())
    assert cli("retry", batch.name, "--status", "failed").code == 0
    ran = cli("resume", batch.name)
    assert ran.code == 0, ran.err
    assert f"the inputs of 1 scenario ({ids[1]}) changed" in ran.err
    assert f"the result files of 1 scenario ({ids[0]}) are gone" in ran.err
    found = results(cli, batch.name)
    attempts = {job: one["attempts"] for job, one in found.items()}
    assert attempts == {ids[0]: 2, ids[1]: 2, ids[2]: 1, "never": 2}
    assert (place / f"job_{ids[0]}" / "result.parquet").exists()


@pytest.fixture
def in_the_way(cli: Cli) -> Path:
    """A file where the output's folder would be made; not even root can write under it."""
    path = cli.folder / "file"
    path.write_text("in the way")
    return path


def status(cli: Cli) -> dict[str, Json]:
    found: dict[str, Json] = cli("status", the_batch(cli).name, "--json").documents[0]
    return found


def test_an_output_folder_that_cannot_be_written(cli: Cli, in_the_way: Path) -> None:
    target = in_the_way / "out"
    options = ("--set", f"output.dir={target}", "--set", "limits.concurrency=1")
    ran = cli("run", str(POWER / "case9/manifest_ac.json"), *options)
    assert ran.code == 1
    assert f"could not be written to {target}" in ran.err
    assert "Not a directory" in ran.err
    (attention,) = status(cli)["attention"]
    assert (attention["kind"], attention["actions"]) == ("output", ["resume"])
    assert status(cli)["completed"] == 3
    expected = rows(table(the_batch(cli) / "tables/summary", "aggregated_results"))
    assert len(expected) == 3

    in_the_way.unlink()
    ran = cli("resume", the_batch(cli).name)
    assert ran.code == 0, ran.err
    assert rows(table(target / "summary", "aggregated_results")) == expected
    assert len(list(target.glob("job_*/result.parquet"))) == 3
    assert not (the_batch(cli) / "tables").exists()
    assert status(cli)["attention"] == []
    assert status(cli)["completed"] == 3
