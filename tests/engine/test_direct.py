"""Direct jobs: order, retries, limits, cancel, pause, retry, stopping."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from batchtui.demo.server import DemoServer
from batchtui.engine.outputs.result_files import file_name
from batchtui.model import BatchSpec, LimitsSpec, SourceSpec
from batchtui.store.disk import clock
from tests.engine.bench import Bench, until

INPUTS = Path(__file__).parents[1] / "data" / "inputs"
Served = Callable[..., tuple[Bench, DemoServer]]


def test_a_program_per_row_in_source_order(bench: Bench) -> None:
    job = {"command": ["echo", '{{ row["Culmen Length (mm)"] }}']}
    source = SourceSpec(file=str(INPUTS / "penguins-raw.csv"))
    folder = bench.run(BatchSpec(backend="local", source=source, job=job))
    status = folder.status()
    assert (status.completed, status.total, status.status) == (344, 344, "completed")
    assert [folder.result(n).job_id for n in range(344)] == [str(n + 1) for n in range(344)]
    assert folder.result(0).raw_response == "39.1\n"
    assert status.ended is not None


def test_waits_as_asked_and_every_job_is_done(served: Served) -> None:
    bench, _ = served("429=0.2,500=0.1,drop=0.05,seed=3")
    job = {"prompt": "{{ turns[0] }}", "model": "demo-small"}
    source = SourceSpec(file=str(INPUTS / "vicuna_question.jsonl"), id="{{ question_id }}")
    spec = BatchSpec(backend="chat", source=source, job=job, limits=LimitsSpec(retries=8, concurrency=16))
    folder = bench.run(spec)
    assert folder.status().completed == 80
    assert folder.result(79).job_id == "80"
    events = folder.events()
    retries = [event for event in events if event["event"] == "retry"]
    assert {event["error_kind"] for event in retries} >= {"rate_limit", "server"}
    assert max(folder.result(n).attempts for n in range(80)) > 1
    for retry in retries:
        again = next(
            e for e in events if e["event"] == "start" and e["n"] == retry["n"] and e["seq"] > retry["seq"]
        )
        waited = clock.unix(again["time"]) - clock.unix(retry["time"])
        assert waited >= retry["wait"] - 0.01
        if retry["asked"] is not None:
            assert retry["asked"] <= retry["wait"] <= retry["asked"] * 1.1 + 0.001
    lost = [event for event in retries if event["maybe_twice"]]
    assert folder.status().maybe_twice == len(lost) > 0


def test_a_rate_limit_costs_no_retry(served: Served) -> None:
    bench, _ = served("429=0.6,seed=1")
    folder = bench.run(bench.spec("chat", 10, {"prompt": "{{ text }}", "model": "demo-small"}, retries=0))
    assert folder.status().completed == 10


def test_a_refused_job_fails_at_once_and_alone(served: Served) -> None:
    bench, _server = served()
    spec = bench.spec(
        "chat", 3, {"prompt": "{{ 'x [[fail]]' if id == 'r1' else text }}", "model": "demo-small"}
    )
    folder = bench.run(spec)
    assert [folder.result(n).status for n in range(3)] == ["completed", "failed", "completed"]
    assert folder.result(1).attempts == 1
    assert folder.result(1).error
    assert folder.status().status == "completed"


def test_a_refused_key_stops_the_batch_and_resume_goes_on(served: Served) -> None:
    bench, _server = served()
    folder = bench.run(bench.spec("chat", 4, {"prompt": "{{ text }}", "model": "broke-model"}))
    status = folder.status()
    assert [item.kind for item in status.attention] == ["money"]
    assert status.pending == 4
    assert bench.worker.blocked(folder.id)
    folder.header.template["model"] = "demo-small"  # as if money had come
    bench.ask(folder, "resume")
    until(lambda: folder.status().completed == 4)


def test_error_policy_stop_cancels_what_was_not_sent(bench: Bench) -> None:
    job = {"command": ["sh", "-c", "test {{ id }} != r3"]}
    folder = bench.run(bench.spec("local", 40, job, concurrency=1, error_policy="stop"))
    states = [folder.result(n).status for n in range(40)]
    assert states[:4] == ["completed"] * 3 + ["failed"]
    assert set(states[4:]) == {"cancelled"}
    assert folder.result(39).error_kind == "stopped"


def test_timeout_ends_a_program_and_leaves_the_others(bench: Bench) -> None:
    job = {"command": ["sh", "-c", "if [ {{ id }} = r1 ]; then exec sleep 60; fi; echo fine"]}
    folder = bench.run(bench.spec("local", 3, job, timeout=0.5))
    assert [folder.result(n).status for n in range(3)] == ["completed", "failed", "completed"]
    assert folder.result(1).error_kind == "timeout"
    assert folder.result(1).attempts == 1


def test_pause_lets_what_runs_end_and_resume_goes_on(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    job = {"command": ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.02; done"]}
    folder = bench.start(bench.spec("local", 6, job, concurrency=2))
    until(lambda: folder.status().processing == 2)
    bench.ask(folder, "pause")
    gate.touch()
    until(lambda: bench.worker.blocked(folder.id) == "paused")
    assert (folder.status().completed, folder.status().pending) == (2, 4)
    bench.ask(folder, "resume")
    until(lambda: folder.status().completed == 6)


def test_cancel_ends_what_runs_and_keeps_what_is_done(bench: Bench) -> None:
    job = {"command": ["sh", "-c", "if [ {{ id }} = r0 ]; then exit 0; fi; exec sleep 60"]}
    folder = bench.start(bench.spec("local", 5, job, concurrency=2))
    until(lambda: folder.status().completed == 1 and folder.status().processing == 2)
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = folder.status()
    assert (status.status, status.completed, status.cancelled) == ("cancelled", 1, 4)


def test_one_job_is_cancelled_alone(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    job = {"command": ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.02; done"]}
    folder = bench.start(bench.spec("local", 4, job, concurrency=2))
    until(lambda: folder.status().processing == 2)
    bench.ask(folder, "cancel", jobs=["r0", "r3"])
    until(lambda: folder.status().cancelled == 2)
    gate.touch()
    until(lambda: not bench.worker.drives(folder.id))
    assert [folder.result(n).status for n in range(4)] == ["cancelled", "completed", "completed", "cancelled"]
    assert folder.status().status == "completed"


def test_retry_sends_only_what_failed(bench: Bench, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    job = {"command": ["sh", "-c", f"[ {{{{ id }}}} != r2 ] || [ -e {mended} ]"]}
    folder = bench.run(bench.spec("local", 4, job))
    assert folder.status().failed == 1
    mended.touch()
    bench.ask(folder, "retry", status=["failed"])
    until(lambda: folder.status().completed == 4)
    until(lambda: not bench.worker.drives(folder.id))
    assert [folder.result(n).attempts for n in range(4)] == [1, 1, 2, 1]
    assert len(folder.attempts(2)) == 2
    assert folder.status().ended


def test_the_time_limit_ends_the_batch(bench: Bench, monkeypatch: object) -> None:
    job = {"command": ["sh", "-c", "if [ {{ id }} = r0 ]; then exit 0; fi; exec sleep 60"]}
    folder = bench.start(bench.spec("local", 4, job, concurrency=2, time="10s"))
    until(lambda: folder.status().processing == 2)
    folder.header.spec.limits.time = (
        0.2  # below what a batch file may ask for, so that the test need not wait
    )
    until(lambda: not bench.worker.drives(folder.id))
    results = [folder.result(n) for n in range(4)]
    assert [result.status for result in results] == ["completed", "failed", "failed", "failed"]
    assert {result.error_kind for result in results[1:]} == {"time_limit"}


def test_stopping_puts_what_runs_back(bench: Bench) -> None:
    folder = bench.start(bench.spec("local", 3, {"command": ["sleep", "60"]}, concurrency=2))
    until(lambda: folder.status().processing == 2)
    bench.worker.stop()
    left = bench.library.open(folder.id).status()
    assert (left.pending, left.processing, left.maybe_twice, left.driver) == (3, 0, 2, None)


def test_finishing_lets_what_runs_end_and_starts_no_more(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    job = {"command": ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.02; done"]}
    folder = bench.start(bench.spec("local", 6, job, concurrency=2))
    until(lambda: bench.worker.in_flight() == 2)
    bench.worker.finish_direct()
    gate.touch()
    until(lambda: bench.worker.in_flight() == 0)
    bench.worker.stop()
    assert (folder.status().completed, folder.status().pending) == (2, 4)
    assert folder.status().maybe_twice == 0


def test_a_cost_limit_holds_back_and_a_higher_one_goes_on(served: Served) -> None:
    bench, _ = served()
    job = {"prompt": "{{ text }}", "model": "demo-small", "max_tokens": 1000}
    folder = bench.run(bench.spec("chat", 6, job, concurrency=1, cost_usd=0.0008))
    status = folder.status()
    assert [item.kind for item in status.attention] == ["budget"]
    assert 0 < status.pending < 6
    assert status.cost_usd is not None
    assert status.cost_usd <= 0.0008
    bench.ask(folder, "limit", cost_usd=1.0)
    until(lambda: folder.status().completed == 6)


def test_results_go_to_the_output_folder_at_the_end(bench: Bench, tmp_path: Path) -> None:
    spec = bench.spec("local", 3, {"command": ["echo", "{{ id }}"]})
    spec.output.dir = "out"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("stays")
    bench.run(spec)
    files = {path.name: path.read_text() for path in (tmp_path / "out").glob("*.*")}
    assert set(files) == {"r0.json", "r1.json", "r2.json", "mine.txt", ".batchtui.jsonl"}
    assert json.loads(files["r1.json"])["raw_response"] == "r1\n"


def test_ids_never_lead_out_of_the_output_folder() -> None:
    names = [file_name(job_id) for job_id in ("../x", ".hidden", "a/b", "é" * 200, "CON", "x\ud83d")]
    assert all("/" not in name and not name.startswith(".") and len(name.encode()) <= 125 for name in names)
    assert file_name("a" * 300) != file_name("a" * 301)
