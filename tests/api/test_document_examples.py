"""The examples of Daly's and Buttermilk's own documents, ported: scripts and batch files, run against the demo server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.api.conftest import Place
from tests.manual.blocks import blocks_of

Start = Callable[..., DemoServer]
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests/data/examples"


def ran(place: Place, *command: str, code: int = 0) -> str:
    """Run Python with these arguments among the examples; what it printed."""
    for kind in ("daly", "buttermilk"):
        shutil.copytree(EXAMPLES / kind, place.folder, dirs_exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    own = {"BATCHTUI_DATA_DIR": str(place.home["data_dir"]), "BATCHTUI_CONFIG": str(place.home["config"]),
           "BATCHTUI_STATE_DIR": str(place.folder / "state")}  # fmt: skip
    done = subprocess.run(
        [sys.executable, *command], cwd=place.folder, env=kept | own | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + (done.stderr if code else "")


def run_file(place: Place, name: str, code: int = 0) -> list[Json]:
    """The results of a batch file that was run."""
    ran(place, "-m", "batchtui", "run", name, "--trust", code=code)
    batch = name.removesuffix(".toml").replace("_", "-").replace("create", "flow")
    return [
        json.loads(line) for line in ran(place, "-m", "batchtui", "results", batch, "--json").splitlines()
    ]


def creates(server: DemoServer) -> list[Json]:
    return [entry for entry in server.ledger() if entry["op"] == "create"]


# ---- Daly


def test_the_quick_start(place: Place, with_demo: Start) -> None:
    """D1."""
    with_demo("duration=200ms")
    *_, finished, first, second = ran(place, "quick_start.py").splitlines()
    told, _, summary = finished.partition(" ")
    assert told == "True"
    counts = json.loads(summary)
    assert {key: counts[key] for key in ("total", "completed", "failed", "pending")} == {
        "total": 2, "completed": 2, "failed": 0, "pending": 0,
    }  # fmt: skip
    assert [list(one) for one in counts["results"]] == [["name", "energy_model_id", "task_id"]] * 2
    assert counts["failures"] == []
    found = [re.fullmatch(r"(Site \w) (\d+) (.*)", line) for line in (first, second)]
    assert [match[1] for match in found if match] == ["Site A", "Site B"]
    assert all(json.loads(match[3])["specificYield"] > 0 for match in found if match)


def test_runs_submitted_one_by_one(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=200ms")
    told = ran(place, "one_by_one.py").splitlines()
    assert told[0] == "Counts(completed=4, failed=0, pending=0)"
    assert [line.split(" completed")[0] for line in told[1:]] == ["first", "gcr 0.3", "gcr 0.4", "gcr 0.5"]
    assert len(creates(server)) == 4


def test_bad_configurations_are_listed_with_their_reasons(place: Place, with_demo: Start) -> None:
    """D2 and D3."""
    server = with_demo("duration=200ms")
    added, _, summary = ran(place, "a_bad_config.py").strip().partition(" ")
    told = json.loads(summary)
    assert (added, told["total"], told["completed"], told["failed"]) == ("3", 3, 1, 2)
    reasons = {one["name"]: one["error"] for one in told["failures"]}
    assert reasons["no blocks"] == "input.blocks: expected a list of at least one block"
    assert reasons["odd"].startswith("colour: Extra inputs are not permitted")
    sent = [entry["job_ids"] for entry in creates(server)]
    assert sorted(sent) == [["good"], ["odd"]], "what is wrong for certain is not sent"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("one_run.toml", [None]),
        ("tracker_or_fixed.toml", ["comparison"] * 4),
        ("sites.toml", [None] * 3),
    ],
)
def test_batch_files_of_energy_models(place: Place, with_demo: Start, name: str, names: list[str]) -> None:
    server = with_demo("duration=200ms")
    results = run_file(place, name)
    assert [one["name"] for one in results] == names
    assert all(one["output"]["summary"]["gridEnergyMWh"] > 0 for one in results)
    assert len(creates(server)) == len(names)
    if name.startswith("tracker"):
        kinds = [one["output"]["summary"]["arrayType"] for one in results]
        assert kinds == ["fixed", "fixed", "tracker", "tracker"]
    if name.startswith("sites"):
        assert [one["job_id"] for one in results] == ["Alpha", "Beta", "Gamma"]
        assert [one["output"]["summary"]["gcr"] for one in results] == [0.3, 0.4, 0.5]


def test_what_the_page_of_energy_models_has_is_done(place: Place, with_demo: Start) -> None:
    """Its lines are typed and its script is run; tests/manual has the words of every page."""
    server = with_demo("duration=200ms")
    lines, (script,) = page("daly")
    assert [words[1] for words in lines] == ["example", "check", "run", "results", "view"]
    *_, results, view = (ran(place, "-m", *words) for words in lines)
    assert results.count("completed") == 4
    assert view.count("\n") > 4
    assert len(creates(server)) == 4
    *_, told, first, second = ran(place, "-c", script).splitlines()
    added, done, summary = told.split(" ", 2)
    counts = json.loads(summary)
    assert (added, done, counts["total"], counts["completed"], counts["failed"]) == ("2", "True", 3, 2, 1)
    (failure,) = counts["failures"]
    assert (failure["name"], failure["task_id"]) == ("no blocks", None)
    assert (first.split(" 1")[0][:6], second[:6]) == ("Site A", "Site B")
    assert len(creates(server)) == 6


# ---- Buttermilk


def test_a_flow_with_every_key(place: Place, with_demo: Start) -> None:
    """What each key says is in the body of the create."""
    server = with_demo("duration=200ms")
    results = run_file(place, "create.toml")
    assert [one["job_id"] for one in results] == ["r1", "r2", "r3"]
    assert asked_of(server) == {
        "flow": "good", "max_records": 3, "shuffle": False, "interactive": False, "concurrency": 2,
        "error_policy": "continue", "parameters": {"tone": "calm", "criteria": ["clear", "short"]},
    }  # fmt: skip


def test_a_flow_that_stops_at_the_first_error(place: Place, with_demo: Start) -> None:
    with_demo("duration=200ms")
    results = run_file(place, "stop.toml", code=1)
    assert [one["status"] for one in results] == ["failed", "cancelled", "cancelled", "cancelled"]
    assert "error_policy is stop" in results[1]["error"]


def test_a_flow_for_each_row(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=200ms")
    results = run_file(place, "several.toml")
    assert len(results) == 4
    assert [entry["kind"] for entry in creates(server)] == ["buttermilk"] * 2
    assert {one["row"]["tone"] for one in results} == {"calm", "lively"}


def test_an_interactive_flow_says_where_it_is_answered(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=200ms")
    told = ran(place, "-m", "batchtui", "check", "interactive.toml", "--json")
    (problem,) = json.loads(told)["problems"]
    assert (problem["key"], problem["fatal"]) == ("job.interactive", False)
    assert "answered at the server and not here" in problem["message"]
    assert len(run_file(place, "interactive.toml")) == 4
    assert asked_of(server)["interactive"] is True


def test_a_flow_from_python(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=200ms")
    counts, *answers = ran(place, "create.py").splitlines()
    assert counts.startswith("Counts(completed=2, failed=1, pending=0) {'r1': ")
    assert [line.split()[:2] for line in answers] == [["r2", "r2"], ["r3", "r3"]]
    asked = asked_of(server)
    assert (asked["parameters"], asked["concurrency"], asked["max_records"]) == ({"tone": "calm"}, 2, 3)


def test_the_script_of_the_manual(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=200ms")
    _, (script,) = page("buttermilk")
    told = ran(place, "-c", script.replace('"osb"', '"good"'))
    assert told == "Counts(completed=4, failed=0, pending=0) {}\n"
    assert asked_of(server)["parameters"] == {"criteria": "short"}


def test_the_lines_of_the_manual(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=200ms")
    lines, _ = page("buttermilk")
    assert [words[1] for words in lines] == ["backends", "example", "run", "status", "results"]
    probed, *_, status, results = (ran(place, "-m", *words) for words in lines)
    assert "good" in probed
    assert "completed" in status
    assert all(f"r{n}" in results for n in range(1, 5))
    assert len(creates(server)) == 1


def page(name: str) -> tuple[list[list[str]], list[str]]:
    """What a page of the manual has typed, and its scripts."""
    blocks = blocks_of((ROOT / f"batchtui/manual/{name}.md").read_text("utf-8"))
    typed = [words for block in blocks if block.language == "console" for words in block.commands]
    return typed, [block.text for block in blocks if block.language == "python"]


def asked_of(server: DemoServer) -> dict[str, Json]:
    """The body of the only create."""
    from batchtui.domains.flows.demo.api import ButtermilkDemo

    assert server._gateway
    demo = next(kind for kind in server._gateway.kinds if isinstance(kind, ButtermilkDemo))
    (batch,) = demo.batches.values()
    return batch.asked
