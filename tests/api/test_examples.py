"""The README's scripts, one for each library that this one stands in for, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.api.conftest import Place
from tests.daly_help import energy_model
from tests.sample_files import pdf

Start = Callable[..., DemoServer]
ROOT = Path(__file__).parents[2]
FLOW = "import sys\ngrid, loads = sys.argv[1:]\nprint(f'{grid} with {loads}: solved')\nsys.exit('bad' in loads)\n"


def scripts() -> list[str]:
    section = (ROOT / "README.md").read_text("utf-8").partition("## From Python\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def ran(place: Place, words: str) -> str:
    """Run the one script that holds these words; what it printed."""
    (script,) = [one for one in scripts() if words in one]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    own = {"BATCHTUI_DATA_DIR": str(place.home["data_dir"]), "BATCHTUI_CONFIG": str(place.home["config"])}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place.folder, env=kept | own | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_batchata(place: Place, with_demo: Start) -> None:
    pytest.importorskip("pydantic", reason="needs pydantic, which comes with the extra `conformance`")
    server = with_demo("duration=300ms")
    (place.folder / "invoices").mkdir()
    for name in ("a", "b"):
        (place.folder / f"invoices/{name}.pdf").write_bytes(
            pdf([f"Invoice {name}: total to pay 1,204.50 euro"])
        )
    told = ran(place, "class Invoice").splitlines()
    assert [line.split()[0] for line in told[-3:-1]] == ["a", "b"]
    assert told[-1] == "{}"
    assert "2 done" in told[-4]
    assert sorted(path.name for path in (place.folder / "out").glob("*.json")) == ["a.json", "b.json"]
    ran(place, "class Invoice")
    assert [entry["op"] for entry in server.ledger()].count("create") == 1


def test_daly(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=300ms")
    (place.folder / "site.json").write_text(json.dumps(energy_model()))
    told = ran(place, 'backend="daly"')
    assert "True {'total': 3, 'completed': 3, 'failed': 0, 'pending': 0" in told
    assert [line.partition(" {")[0].rsplit(" ", 1)[0] for line in told.splitlines()[-3:]] == [
        "as built",
        "gcr 0.3",
        "gcr 0.5",
    ]
    assert sum(entry["op"] == "create" for entry in server.ledger()) == 3
    summary = place.open("sites").summary()
    assert list(summary) == ["total", "completed", "failed", "pending", "results", "failures"]
    assert list(summary["results"][0]) == ["name", "energy_model_id", "task_id"]
    assert all(summary["results"][0].values())


def test_simple_agents(place: Place, with_demo: Start) -> None:
    with_demo("duration=300ms")
    told = ran(place, "You are kind.")
    assert told.startswith("completed {'parcel': ")
    assert "'money': " in told


def test_gat(place: Place) -> None:
    (place.folder / "flow.py").write_text(FLOW)
    scenarios = [{"id": name, "grid": "grid14", "loads": name} for name in ("base", "bad", "peak")]
    (place.folder / "manifest.json").write_text(json.dumps({"scenarios": scenarios}))
    told = ran(place, "manifest.json")
    assert told.splitlines()[-2:] == ["Counts(completed=2, failed=1, pending=0) grid14 with base: solved", ""]


def test_every_name_of_the_table_is_there() -> None:
    from batchtui import Batch, BatchRun, JobResult

    for name in ("set_state", "set_default_params", "add_cost_limit", "add_time_limit", "raw_files", "set_verbosity",
                 "set_on_progress", "add_job", "add_jobs", "run", "run_async", "start", "check", "open"):  # fmt: skip
        assert getattr(Batch, name).__doc__
    for name in ("status", "is_complete", "results", "get_failed_jobs", "poll", "wait", "summary", "runs", "completed",
                 "failed", "pending", "state", "result", "cancel", "resume", "retry"):  # fmt: skip
        assert getattr(BatchRun, name).__doc__
    for name in ("is_success", "total_tokens", "save_to_json", "data"):
        assert getattr(JobResult, name).__doc__
