"""The manual's scripts, one for each library that this one stands in for, run as they stand there."""

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

from batchtui import manual
from batchtui.demo.server import DemoServer
from tests import extras
from tests.api.conftest import Place
from tests.daly_help import energy_model
from tests.manual.blocks import blocks_of
from tests.sample_files import pdf

Start = Callable[..., DemoServer]
ROOT = Path(__file__).parents[2]
FLOW = "import sys\ngrid, loads = sys.argv[1:]\nprint(f'{grid} with {loads}: {open(loads).readline().strip()}')\n"


def scripts() -> list[str]:
    text = manual.page("python").text
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def ran(place: Place, words: str, address: str | None = None) -> str:
    """Run the one script that holds these words, its server at that address; what it printed."""
    (script,) = [one for one in scripts() if words in one]
    if address is not None:
        assert "http://127.0.0.1:8000/v1" in script
        script = script.replace("http://127.0.0.1:8000/v1", address)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    own = {"BATCHTUI_DATA_DIR": str(place.home["data_dir"]), "BATCHTUI_CONFIG": str(place.home["config"])}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place.folder, env=kept | own | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_backend_in_code(place: Place, demo_server: Start) -> None:
    told = ran(place, "import Batch, BatchStatus, Chat", str(demo_server().backends["chat"]["base_url"]))
    assert "completed: 1 of 1 completed" in told
    kept = [one for one in place.folder.rglob("*") if one.is_file()]
    assert kept
    assert not any(b"a key from anywhere" in one.read_bytes() for one in kept)


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


@pytest.fixture
def on_case14(place: Place) -> None:
    """The files that the manual's page on grids has its reader write."""
    shutil.copy(ROOT / "tests/data/power/case14/case14.m", place.folder)
    (place.folder / "loads").mkdir()
    (place.folder / "flow.py").write_text(FLOW)
    for block in blocks_of(manual.page("grids").text):
        if block.name in ("manifest.json", "loads/base.csv"):
            (place.folder / block.name).write_text(block.text)


@extras.needs("power")
@pytest.mark.usefixtures("on_case14")
def test_gat(place: Place) -> None:
    first, second = (ran(place, "from_manifest").splitlines()[-1] for _ in range(2))
    assert first.startswith("Counts(completed=2, failed=0, pending=0) 40 [")
    assert second == first
    assert sorted(path.name for path in (place.folder / "runs/batch").iterdir()) == ["manifest", "manifest-2"]


@extras.needs("power")
@pytest.mark.usefixtures("on_case14")
def test_scenarios_one_by_one(place: Place) -> None:
    for _ in range(2):
        told = ran(place, "by hand").splitlines()
        assert told[0].count("'scenario_id': ") == 3
        assert "None" not in told[0]
        assert told[1] == "dict_keys(['loads/none.csv']) case14.m with loads/base.csv: bus_id,p_mw,q_mvar"


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
