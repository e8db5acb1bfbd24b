"""A script that is killed, and its batch in other processes: nothing is sent twice, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui import BadInput
from batchtui.demo.server import DemoServer
from batchtui.store.library import Library
from tests.api.conftest import Place

Start = Callable[..., DemoServer]
ROOT = Path(__file__).parents[2]
JOBS = 20
HUNG_SECONDS = 180.0
"""After which something counts as hung, also on a machine that does much else."""
SCRIPT = """
from batchtui import Batch

batch = Batch("birds", backend="openai", items_per_batch=5).set_default_params(model="demo-small", max_tokens=20)
batch.set_state("state.json")
for n in range(20):
    batch.add_job(prompt=f"Describe bird {n}", id=f"b{n}")
run = batch.run()
print(run.id, len(run.completed))
"""
OPENED = """
from batchtui import Batch

run = Batch.open("birds")
assert run.wait(timeout=180)
print(run.id, len(run.completed))
"""
LEFT = """
from batchtui import Batch

batch = Batch("left", backend="openai").set_default_params(model="demo-small")
run = batch.add_job(prompt="Describe a bird").start()
assert run.wait_submitted(timeout=180)
print(run.id, run.state)
"""


def start(place: Place, script: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    env = kept | {
        "BATCHTUI_DATA_DIR": str(place.home["data_dir"]),
        "BATCHTUI_CONFIG": str(place.home["config"]),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=place.folder, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=HUNG_SECONDS)
    assert (process.returncode, err) == (0, "")
    return out.split()


@pytest.mark.parametrize("creates", [0, 1, 3])
def test_killed_and_carried_on_by_another_process(place: Place, with_demo: Start, creates: int) -> None:
    server = with_demo("drop.create=0.2,late=250ms,duration=500ms,seed=5")
    process = start(place, SCRIPT)
    end = time.monotonic() + HUNG_SECONDS
    while [entry["op"] for entry in server.ledger()].count("create") < creates or not Library(
        place.home["data_dir"]
    ).ids():
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (batch_id,) = Library(place.home["data_dir"]).ids()
    assert finished(start(place, OPENED)) == [batch_id, str(JOBS)]
    assert finished(start(place, SCRIPT)) == [batch_id, str(JOBS)]  # by its state file the same batch again
    made = [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]
    sent = Counter(job for entry in made for job in entry["job_ids"])
    assert (len(made), len(sent), set(sent.values())) == (4, JOBS, {1})


def test_submitted_and_left(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=1s")
    batch_id, state = finished(start(place, LEFT))
    assert state == "processing"
    run = place.open("left")
    assert run.id == batch_id
    assert run.info().driver is None
    assert run.wait(timeout=HUNG_SECONDS)
    assert (len(run.completed), len(place.open(batch_id[:4]).completed)) == (1, 1)
    assert [entry["op"] for entry in server.ledger()].count("create") == 1


def test_two_processes_drive_one_batch_once(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=1500ms")
    process = start(place, SCRIPT)
    end = time.monotonic() + HUNG_SECONDS
    while not any(entry["op"] == "create" for entry in server.ledger()):
        assert time.monotonic() < end
        time.sleep(0.01)
    run = place.open("birds")
    assert "pid" in (run.info().driver or "pid")
    assert run.limit(cost_usd=3)  # obeyed by the other process
    assert run.wait(timeout=HUNG_SECONDS)
    assert run.status()["cost_limit_usd"] == 3
    assert finished(process) == [run.id, str(JOBS)]
    assert [entry["op"] for entry in server.ledger()].count("create") == 4


def test_a_state_file_that_is_of_other_jobs(place: Place, with_demo: Start) -> None:
    with_demo()
    state = place.folder / "state.json"
    first = place.prompts(2).set_state().set_state(None).set_state(state).run()
    assert place.prompts(2).set_state(state).run().id == first.id
    with pytest.raises(BadInput, match="other jobs"):
        place.prompts(3).set_state(state).run()
    with pytest.raises(BadInput, match="2 of 3 jobs were sent before"):
        place.prompts(3).set_state(state, reuse_state=False).run()
    second = place.prompts(3).set_state(state, reuse_state=False).run(again=True)
    assert second.id != first.id
    assert place.prompts(3).set_state(state).run().id == second.id
    Library(place.home["data_dir"]).remove(second.id)
    assert place.prompts(1).set_state(state).run(again=True).id != second.id
    state.write_text('{"pending_jobs": []}')
    with pytest.raises(BadInput, match="batchtui import"):
        place.prompts(1).set_state(state).run()


def test_a_fork_has_an_engine_of_its_own(place: Place, with_demo: Start) -> None:
    with_demo()
    place.prompts(1).run()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        code = 1
        try:
            code = (
                0
                if len(place.prompts(2, name="of the child").run(timeout=60, again=True).completed) == 2
                else 2
            )
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(place.open("of the child").completed) == 2
