"""Batches of energy models over sockets: what is promised of them, case by case."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from batchtui.backends.base import Progress, Submission
from batchtui.demo.server import DemoServer
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, LimitsSpec, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.daly_help import block, energy_model, service
from tests.engine.bench import Bench, until

Poll = Callable[[Sequence[Submission]], Awaitable[dict[int, Progress]]]
Served = Callable[..., tuple[Bench, DemoServer]]


def spec(
    bench: Bench, rows: list[dict[str, Json]], job: dict[str, Json] | None = None, **limits: Json
) -> BatchSpec:
    """A batch over these rows; each row's `name` is the run's, its `input` what is sent."""
    source = bench.folder_path / "sites.jsonl"
    source.write_text("".join(json.dumps({"input": energy_model(), **row}) + "\n" for row in rows))
    given = job or {"input": "{{ input }}", "name": "{{ name }}"}
    return BatchSpec(
        name="sites",
        backend="daly",
        source=SourceSpec(file=str(source)),
        job=given,
        limits=LimitsSpec(**limits),
    )


def named(*names: str) -> list[dict[str, Json]]:
    return [{"id": f"r{n}", "name": name} for n, name in enumerate(names)]


def creates(server: DemoServer) -> list[dict[str, Json]]:
    made = [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]
    return [entry for entry in made if entry["kind"] == "daly"]


def test_d1_two_runs_give_both_results(served: Served) -> None:
    bench, _ = served()
    folder = bench.run(spec(bench, named("North", "South")))
    status = folder.status()
    assert (status.total, status.completed, status.failed, status.pending) == (2, 2, 0, 0)
    results = [folder.result(n) for n in range(2)]
    assert [result.name for result in results] == ["North", "South"]
    assert sorted(result.remote["energy_model_id"] for result in results) == [10, 11]  # whichever came first
    assert all(result.output["energyYieldSummary"]["specificYield"] for result in results)
    assert sorted(result.batch_id or "" for result in results) == ["1:10:0", "2:11:0"]


def test_d2_one_of_four_fails_with_its_words(served: Served) -> None:
    bench, _ = served()
    folder = bench.run(spec(bench, named("a", "b", "fail", "d")))
    status = folder.status()
    assert (status.completed, status.failed, status.pending) == (3, 1, 0)
    failed = folder.result(2)
    assert failed.error == "Weather data: 24 timestamps are missing on 2026-03-29"
    assert failed.error_kind == "WeatherDataError"
    assert (failed.batch_id or "").startswith(f"{failed.remote['task_id']}:")


def test_d3_a_refused_run_stays_with_its_field(served: Served) -> None:
    bench, server = served()
    rows = named("a", "b", "c")
    rows[1]["input"] = energy_model(blocks=[block(layout={"arrayType": "fixed", "gcr": 2})])
    folder = bench.run(spec(bench, rows))
    status = folder.status()
    assert (status.total, status.completed, status.failed) == (3, 2, 1)
    assert len(creates(server)) == 2
    assert (folder.result(1).error or "").startswith("blocks.0.layout.gcr: Input should be")


def test_d4_a_wait_that_times_out_cancels_nothing(served: Served) -> None:
    bench, server = served()
    folder = bench.start(spec(bench, named("never")))
    until(lambda: creates(server))
    assert not bench.worker.wait({folder.id}, 1)
    assert folder.status().finished == 0
    assert folder.status().status == "processing"
    assert [entry for entry in server.ledger() if entry["op"] == "cancel"] == []


def test_d5_keys_that_are_refused_stop_it(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, server = served()
    monkeypatch.setenv("DALY_USER_KEY", "uk_lives-1_never")
    folder = bench.start(spec(bench, named("a", "never")))
    until(lambda: folder.status().completed == 1)
    until(lambda: service(server).calls["auth"] >= 2)
    assert not folder.status().attention
    monkeypatch.undo()
    bench.worker.stop()

    monkeypatch.setenv("DALY_USER_KEY", "uk_deaf_4712")
    other, there = served()
    refused = other.run(spec(other, named("a")))
    assert [item.kind for item in refused.status().attention] == ["key"]
    assert service(there).calls == {"auth": 2, "create": 2}


def test_d6_a_429_is_waited_out(served: Served) -> None:
    bench, server = served("429.create=1,retry_after=2")
    folder = bench.start(spec(bench, named("a")))
    until(lambda: [entry for entry in server.ledger() if entry["op"] == "create"])
    refused = time.monotonic()
    assert server._world
    server._world.faults.shares.clear()
    until(lambda: creates(server))
    assert time.monotonic() - refused >= 1.9
    until(lambda: folder.status().completed == 1)
    assert len(service(server).runs) == 1


def test_d7_a_lost_reply_is_found_after_a_restart(served: Served) -> None:
    bench, server = served("drop.create=1,duration=300ms")
    folder = bench.start(spec(bench, named("a")))
    until(lambda: service(server).runs)
    bench.worker.stop()
    bench.worker = bench.new_worker(drive_all=True)
    until(lambda: bench.library.open(folder.id).status().completed == 1)
    assert len(service(server).runs) == 1
    assert bench.known(folder.id).status().maybe_twice == 0


def test_d8_a_run_cancelled_elsewhere_is_cancelled_here(served: Served) -> None:
    bench, _ = served()
    folder = bench.run(spec(bench, named("a", "cancelled")))
    status = folder.status()
    assert (status.completed, status.cancelled, status.status) == (1, 1, "completed")
    assert folder.result(1).remote["task_id"] == 2


def test_cancel_asks_for_each_run(served: Served) -> None:
    bench, server = served()
    folder = bench.start(spec(bench, named("never", "never")))
    until(lambda: len(creates(server)) == 2)
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().cancelled == 2
    assert {run.status for run in service(server).runs} == {"cancelled"}


def test_one_run_is_cancelled_by_itself(served: Served) -> None:
    bench, server = served()
    folder = bench.start(spec(bench, named("never", "never")))
    until(lambda: len(creates(server)) == 2)
    until(lambda: all(record.remote_id for record in folder.progress.submissions.values()))
    bench.ask(folder, "cancel", jobs=["r1"])
    until(lambda: folder.status().cancelled == 1)
    assert sum(run.status == "cancelled" for run in service(server).runs) == 1
    assert folder.result(1).status == "cancelled"


def test_what_waits_its_turn_is_not_sent_after_a_cancel(served: Served) -> None:
    bench, server = served("latency=50ms")
    folder = bench.start(spec(bench, named(*["never"] * 60)))
    until(lambda: len(creates(server)) >= 5)
    bench.ask(folder, "cancel", jobs=[f"r{n}" for n in range(40, 60)])
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().cancelled == 60
    runs = service(server).runs
    assert len(runs) < 40
    assert {run.status for run in runs} == {"cancelled"}
    assert len({run.mark for run in runs}) == len(runs)


def test_what_it_is_at_is_shown(served: Served) -> None:
    bench, _ = served("duration=2s")
    folder = bench.start(spec(bench, named("a")))
    until(lambda: "calculating" in str(bench.status(folder).submissions))
    (shown,) = bench.status(folder).submissions or []
    assert shown.reason
    assert shown.reason.endswith("%")
    until(lambda: folder.status().completed == 1)
    (shown,) = bench.status(folder).submissions or []
    assert shown.reason is None


def test_d10_the_keys_are_in_no_file_and_no_log_line(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for user in ("uk_secret_4712", "uk_form-a_secret_4712", "uk_deaf_secret_4712"):
        monkeypatch.setenv("DALY_WORKSPACE_KEY", "wk_secret_4711")
        monkeypatch.setenv("DALY_USER_KEY", user)
        bench, server = served()
        bench.run(spec(bench, named("a")))
        bench.worker.stop()
        secrets = ["wk_secret_4711", user, *service(server).tokens]
        files = [path for path in bench.folder_path.rglob("*") if path.is_file()]
        assert files
        for path in files:
            text = path.read_text("utf-8", "replace")
            assert not [secret for secret in secrets if secret in text], path
        lines = caplog.text + str(bench.worker.log())
        assert not [secret for secret in secrets if secret in lines]


def test_d11_a_large_result_has_its_own_file_and_no_other_grows(served: Served) -> None:
    bench, _ = served()
    folder = bench.run(spec(bench, named("big")))
    result = folder.result(0)
    assert len(result.output["timeSeries"]["poiACPower"]) == 500_000
    sizes = {path.name: path.stat().st_size for path in folder.path.iterdir() if path.is_file()}
    assert sizes.pop("results.jsonl") > 9_000_000
    assert max(sizes.values()) < 50_000, sizes
    (own,) = folder.path.joinpath("raw").iterdir()
    assert own.stat().st_size > 9_000_000


def test_a_table_over_one_file_and_a_sweep(served: Served) -> None:
    bench, server = served()
    (bench.folder_path / "base.json").write_text(json.dumps(energy_model()))
    sites = bench.folder_path / "sites.csv"
    sites.write_text("id,loc\n" + "".join(f"s{n},{n + 100}\n" for n in range(3)))
    variants = [{"arrayType": "fixed", "gcr": 0.4, "tilt": 25}, {"arrayType": "tracker", "gcr": 0.3}]
    batch = BatchSpec(
        name="variants",
        backend="daly",
        source=SourceSpec(file=str(sites)),
        job={"input_file": "base.json", "input": {"locationId": "{{ loc }}"}, "name": "Site {{ loc }}"},
        sweep={"input.blocks.0.layout": variants},
    )
    folder = bench.run(batch)
    assert folder.status().completed == 6
    asked: dict[str, list[tuple[Json, Json]]] = {run.label: [] for run in service(server).runs}
    for run in service(server).runs:
        asked[run.label].append((run.asked["locationId"], run.asked["blocks"][0]["layout"]["arrayType"]))
    assert sorted(asked["Site 101"]) == [(101, "fixed"), (101, "tracker")]
    assert {folder.result(n).name for n in range(6)} == {"Site 100", "Site 101", "Site 102"}


def test_an_input_file_by_row_and_what_is_wrong_is_told_before(served: Served) -> None:
    bench, server = served()
    for n in range(2):
        (bench.folder_path / f"m{n}.json").write_text(json.dumps(energy_model(locationId=n + 5)))
    (bench.folder_path / "m2.json").write_text(json.dumps(energy_model(blocks=[block(shading=None)])))
    rows = [{"id": f"r{n}", "path": f"m{n}.json"} for n in range(4)]
    job = {"input_file": "{{ path }}"}
    flight = plan(spec(bench, rows, job), bench.folder_path, bench.backends).preflight
    assert [(problem.row, problem.key) for problem in flight.problems if problem.fatal] == [
        (3, "job.input.blocks[0].shading"),
        (4, "job.file"),
    ]
    assert bench.run(spec(bench, rows[:2], job)).status().completed == 2
    assert [run.asked["locationId"] for run in service(server).runs] == [5, 6]


def _requests(server: DemoServer) -> dict[str, int]:
    return dict(service(server).calls)


def test_500_runs_take_few_requests(served: Served) -> None:
    bench, server = served("duration=3s")
    bench.config.backends["daly"].table["poll_interval"] = 1
    bench.worker.stop()
    bench.worker = bench.new_worker()
    backend = bench.worker._services.backends.get("daly")
    rounds: list[int] = []

    async def counted(submissions: Sequence[Submission], poll: Poll = backend.poll) -> dict[int, Progress]:  # type: ignore[attr-defined]
        rounds.append(len(submissions))
        return await poll(submissions)

    backend.poll = counted  # type: ignore[attr-defined]
    folder: BatchFolder = bench.run(spec(bench, named(*(f"site {n}" for n in range(500)))))
    assert folder.status().completed == 500
    calls = _requests(server)
    polls = calls["list"] + calls.get("poll", 0)
    assert calls["create"] == calls["results"] == 500
    assert sum(calls.values()) <= 1.02 * (500 + 500 + polls)
    assert polls <= len(rounds)
    assert calls.get("poll", 0) <= 3
    assert sum(rounds) > 2 * polls  # many are asked for at once
    assert len({entry["token"] for entry in creates(server)}) == 500
