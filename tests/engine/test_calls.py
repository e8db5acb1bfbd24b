"""Calls through the engine: retried and counted as they should be, ended with the batch, and over a crash of the app."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.store.disk import clock
from batchtui.store.folder import BatchFolder
from batchtui.work.programs.slots import Slots
from tests import extras
from tests.backends.local_help import alive
from tests.engine.bench import Bench, until
from tests.engine.victim import Victim
from tests.work.pool_help import FOLDER, MODULE


def job(function: str, **arguments: Json) -> dict[str, Json]:
    return {"call": f"{MODULE}:{function}", "arguments": arguments, "python_path": [str(FOLDER)]}


def events(folder: BatchFolder, name: str) -> list[dict[str, Json]]:
    return [event for event in folder.events() if event["event"] == name]


def test_a_worker_killed_twice_is_done_on_the_third_attempt(bench: Bench, tmp_path: Path) -> None:
    spec = bench.spec(
        "local", 3, job("dies", file=f"{tmp_path}/{{{{ id }}}}.runs", times="{{ 2 if id == 'r1' else 0 }}")
    )
    folder = bench.run(spec)
    assert [folder.result(n).attempts for n in range(3)] == [1, 3, 1]
    assert folder.result(1).parsed_response == "after 2 deaths"
    retries = events(folder, "retry")
    assert [(event["n"], event["error_kind"]) for event in retries] == [(1, "worker"), (1, "worker")]
    for base, retry in zip((1.0, 2.0), retries, strict=True):
        assert 0.5 * base <= retry["wait"] <= base
        again = next(e for e in events(folder, "start") if e["n"] == 1 and e["seq"] > retry["seq"])
        assert clock.unix(again["time"]) - clock.unix(retry["time"]) >= retry["wait"] - 0.01
    assert folder.status().maybe_twice == 2


def test_a_failure_that_is_final_is_not_tried_again(bench: Bench) -> None:
    folder = bench.run(bench.spec("local", 4, job("diverges")))
    results = [folder.result(n) for n in range(4)]
    assert {(one.error_kind, one.attempts) for one in results} == {("not_converged", 1)}
    assert events(folder, "retry") == []


def test_a_transient_failure_that_stays_keeps_its_last_words(bench: Bench, tmp_path: Path) -> None:
    spec = bench.spec(
        "local", 1, {"command": ["sh", "-c", "echo words; exit 75"], "retry_exit_codes": [75]}, retries=1
    )
    folder = bench.run(spec)
    result = folder.result(0)
    assert (result.attempts, result.error, result.raw_response) == (2, "exit 75", "words\n")


def test_a_hanging_call_ends_within_its_limit_and_alone(bench: Bench, tmp_path: Path) -> None:
    """Row 1 waits for a gate that never opens; all others wait for none."""
    gate = f"{tmp_path}/{{{{ 'never' if id == 'r1' else '' }}}}"
    work = job("waits", file=f"{tmp_path}/{{{{ id }}}}.pid", gate=gate)
    folder = bench.run(bench.spec("local", 6, work, timeout=0.5, retries=0, concurrency=2))
    hung = folder.result(1)
    assert (hung.status, hung.error_kind, hung.error) == ("failed", "timeout", "no answer within 0.5 s")
    assert [folder.result(n).status for n in (0, 2, 3, 4, 5)] == ["completed"] * 5
    assert {folder.result(n).attempts for n in range(6)} == {1}
    assert not alive(int((tmp_path / "r1.pid").read_text()))


def test_many_calls_go_in_chunks_in_source_order(bench: Bench, tmp_path: Path) -> None:
    folder = bench.run(bench.spec("local", 400, job("double", x="{{ id[1:] }}"), concurrency=2))
    assert folder.status().completed == 400
    assert [folder.result(n).parsed_response["twice"] for n in range(400)] == [2.0 * n for n in range(400)]
    starts = [event["n"] for event in events(folder, "start")]
    assert starts == list(range(400))
    workers = {event["facts"]["pid"] for event in events(folder, "trace")}
    assert len(workers) == 2
    assert not any(alive(pid) for pid in workers)


def test_a_chunk_of_the_users_size(bench: Bench) -> None:
    work = job("lengths") | {"chunk": 10}
    folder = bench.run(bench.spec("local", 30, work, concurrency=1))
    assert {folder.result(n).parsed_response for n in range(30)} == {10}


def test_cancelling_the_batch_ends_its_workers(bench: Bench, tmp_path: Path) -> None:
    work = job("waits", file=f"{tmp_path}/{{{{ id }}}}.pid", gate=f"{tmp_path}/never", child=True)
    folder = bench.start(bench.spec("local", 5, work, concurrency=2))
    until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    children = [int(path.read_text() or 0) for path in tmp_path.glob("*.pid")]
    bench.ask(folder, "cancel")
    until(lambda: folder.status().cancelled == 5, "all cancelled")
    assert not any(alive(pid) for pid in children)
    until(lambda: not Slots(folder.path / "run").held())


def test_cancelling_one_job_lets_the_others_be_done(bench: Bench, tmp_path: Path) -> None:
    work = job(
        "waits",
        file=f"{tmp_path}/{{{{ id }}}}.pid",
        gate=f"{tmp_path}/{{{{ 'never' if id == 'r0' else '' }}}}",
    )
    folder = bench.start(bench.spec("local", 4, work, concurrency=1))
    until(lambda: (tmp_path / "r0.pid").exists())
    bench.ask(folder, "cancel", jobs=["r0"])
    until(lambda: folder.status().completed == 3, "the others")
    assert folder.result(0).status == "cancelled"


def test_stopping_ends_workers_and_their_jobs_run_again(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    work = job("waits", file=f"{tmp_path}/{{{{ id }}}}.pid", gate=str(gate))
    folder = bench.start(bench.spec("local", 3, work, concurrency=2))
    until(lambda: sum(path.read_text().endswith("\n") for path in tmp_path.glob("*.pid")) == 2)
    bench.worker.stop()
    pids = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
    assert not any(alive(pid) for pid in pids)
    gate.touch()
    bench.worker = bench.new_worker()
    folder = bench.drive(folder.id)
    assert folder.status().completed == 3


def batch_of(folder: Path, rows: int, function: str, arguments: str) -> str:
    """A batch file of calls, two at a time."""
    (folder / "jobs.csv").write_text("id\n" + "".join(f"j{n}\n" for n in range(rows)))
    (folder / "batch.toml").write_text(
        f'name = "calls"\nbackend = "local"\n[source]\nfile = "jobs.csv"\n[job]\ncall = "{MODULE}:{function}"\n'
        f'python_path = ["{FOLDER}"]\n[job.arguments]\n{arguments}\n[limits]\nconcurrency = 2\n'
    )
    return str(folder / "batch.toml")


def test_killed_with_workers_running_and_resumed(tmp_path: Path) -> None:
    """No worker outlives the recovery, and the jobs under way are told to have run perhaps twice."""
    gate, pids = tmp_path / "gate", tmp_path.glob
    batch = batch_of(tmp_path, 40, "waits", f'file = "{tmp_path}/{{{{ id }}}}.pid"\ngate = "{gate}"')
    victim = Victim(tmp_path / "data")
    assert victim.kill_when(
        victim.start("run", "--trust", batch),
        lambda: sum(path.read_text().endswith("\n") for path in pids("*.pid")) == 2,
    )
    before = [int(path.read_text()) for path in pids("*.pid")]
    assert all(alive(pid) for pid in before)
    resumed = victim.start("resume", victim.folder().id)
    until(lambda: not any(alive(pid) for pid in before), "the end of the workers")
    gate.touch()
    _, errors = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, errors
    status = victim.folder().status()
    assert (status.completed, status.maybe_twice) == (40, 2)


def test_killed_amid_chunks_and_resumed(tmp_path: Path) -> None:
    """What was stored is not done again; what was, is counted."""
    rows, told = 3000, tmp_path / "told"
    batch = batch_of(tmp_path, rows, "counts", f'file = "{told}"\nname = "{{{{ id }}}}"')
    victim = Victim(tmp_path / "data")
    assert victim.kill_when(
        victim.start("run", "--trust", batch), lambda: victim.size("results.jsonl") > 50_000
    )
    stored = victim.stored_ids()
    assert 0 < len(stored) < rows
    ended = victim.finish("resume", victim.folder().id)
    assert ended.returncode == 0, ended.stderr
    status, runs = victim.folder().status(), Counter(told.read_text().split())
    assert (status.completed, len(runs)) == (rows, rows)
    assert {runs[name] for name in stored} == {1}
    assert runs.total() - rows <= status.maybe_twice <= 2 * 128


HEAVY = "import sys\nsys.modules['numpy'] = sys\ndef f(): return 'there'\n"
GRID = Path(__file__).parents[1] / "data" / "power" / "case9" / "case9.m"


@pytest.mark.parametrize(
    "work",
    [
        pytest.param('call = "heavy:f"', id="call"),
        pytest.param(f'task = "ac"\ngrid = "{GRID}"', id="task", marks=extras.needs("power")),
    ],
)
def test_the_apps_process_imports_nothing_that_its_workers_do(tmp_path: Path, work: str) -> None:
    (tmp_path / "heavy.py").write_text(HEAVY)
    (tmp_path / "batch.toml").write_text(f'backend = "local"\n[job]\n{work}\n')
    script = (
        "import sys\nfrom batchtui.cli.entry import main\n"
        f"code = main(['run', '--trust', {str(tmp_path / 'batch.toml')!r}])\n"
        "bad = {'numpy', 'scipy', 'pandas', 'pyarrow', 'heavy'} & set(sys.modules)\n"
        "assert code == 0, code\nassert not bad, bad\n"
    )
    environment = {**os.environ, "BATCHTUI_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
