"""A batch that runs: waiting, looking, commanding; from threads and from an event loop."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
import time
from collections.abc import Callable

import pytest

from batchtui import BadInput, BatchRun, ConfigError, LimitHit, NeedsPerson, NotFound
from batchtui.api import engines, figures, waiting
from batchtui.demo.server import DemoServer
from tests.api.conftest import Place

Start = Callable[..., DemoServer]


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for the thing."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def creates(server: DemoServer) -> int:
    return [entry["op"] for entry in server.ledger()].count("create")


def test_start_returns_at_once_and_wait_tells_how_far(place: Place, with_demo: Start) -> None:
    with_demo("duration=600s")
    run = place.prompts(3).start()
    told: list[tuple[int, int, int]] = []
    times: list[float] = []

    class EnoughError(Exception):
        pass

    def tell(*counts: int) -> None:
        told.append(counts)  # type: ignore[arg-type]
        times.append(time.monotonic())
        if len(told) == 4:
            raise EnoughError

    with pytest.raises(EnoughError):
        run.wait(poll_interval=0.3, on_poll=tell)
    assert set(told) == {(0, 0, 3)}
    assert all(later - earlier > 0.29 for earlier, later in itertools.pairwise(times))
    assert run.wait(timeout=0.3) is False
    assert run.wait_submitted(timeout=180)
    assert (run.state, run.is_complete, run.poll().pending) == ("processing", False, 3)
    assert [result.status for result in run.pending] == ["processing"] * 3
    assert run.results() == {"completed": [], "failed": [], "cancelled": []}
    assert run.cancel()
    assert run.wait(timeout=180)
    assert (run.state, run.poll()) == ("cancelled", (0, 0, 0))
    assert [result.job_id for result in run.results()["cancelled"]] == ["1", "2", "3"]
    assert run.summary()["cancelled"] == 3


def test_wait_ends_with_the_batch_and_not_with_its_tick(
    place: Place, with_demo: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_demo("duration=500ms")
    monkeypatch.setattr(waiting, "TICK_SECONDS", 3600.0)
    run = place.prompts(2).start()
    assert run.wait()
    assert run.poll() == (2, 0, 0)


def test_progress_is_told_with_figures_time_and_submissions(place: Place, with_demo: Start) -> None:
    with_demo("duration=500ms")
    told: list[tuple[dict, float, dict]] = []  # type: ignore[type-arg]
    place.prompts(4, items_per_batch=2).run(lambda *news: told.append(news), progress_interval=0.1)
    stats, elapsed, data = told[-1]
    assert (stats["completed"], stats["is_complete"], len(data)) == (4, True, 2)
    assert elapsed > 0
    assert list(data["1"]) == [
        "start_time", "status", "total", "completed", "failed", "cost", "estimated_cost", "provider", "jobs",
        "completion_time", "error",
    ]  # fmt: skip
    assert [(row["status"], row["jobs"], row["provider"]) for row in data.values()] == [
        ("complete", ["1", "2"], "openai"),
        ("complete", ["3", "4"], "openai"),
    ]
    assert any(row["status"] == "running" for _, _, rows in told for row in rows.values())


def test_print_status(place: Place, with_demo: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with_demo()
    run = place.prompts(2).run(print_status=True)
    run.status(print_status=True)
    assert "completed: 2 of 2 completed" in capsys.readouterr().out.splitlines()[-1]


def test_a_spent_limit_is_an_exception_and_a_raised_one_goes_on(place: Place, with_demo: Start) -> None:
    with_demo()
    batch = place.prompts(30, backend="chat", concurrency=1).set_default_params(max_tokens=500)
    batch.add_cost_limit(usd=0.001)
    with pytest.raises(LimitHit) as told:
        batch.run()
    enough = re.search(r"run\.limit\(cost_usd=(\d+\.\d\d)\)", str(told.value))
    assert enough
    run = place.open("birds")
    assert 0 < run.poll().completed < 30
    with pytest.raises(LimitHit):
        run.wait(timeout=60)
    assert run.limit(cost_usd=float(enough[1]))
    assert run.wait(timeout=60)
    assert run.poll() == (30, 0, 0)
    with pytest.raises(BadInput, match="cost_usd"):
        run.limit(cost_used=1)
    with pytest.raises(BadInput, match="0 or more"):
        run.limit(cost_usd=-1)


def test_a_canary_is_released(place: Place, with_demo: Start) -> None:
    with_demo()
    batch = place.prompts(6, canary=2)
    with pytest.raises(NeedsPerson, match="release"):
        batch.run()
    run = place.open("birds")
    assert [result.job_id for result in run.completed] == ["1", "2"]
    assert run.release()
    assert run.wait(timeout=60)
    assert len(run.completed) == 6


def test_pause_resume_retry(place: Place) -> None:
    flag = place.folder / "there"
    batch = place.batch("flags", backend="local", concurrency=1)
    batch.add_job(command=["test", "-e", str(flag)]).add_job(command=["true"], id="fine")
    run = batch.run()
    assert run.get_failed_jobs() == {"1": "exit 1"}
    flag.touch()
    assert run.retry()
    assert run.wait(timeout=60)
    assert run.poll() == (2, 0, 0)
    held = place.batch("held", backend="local", concurrency=1)
    held.add_jobs({"command": ["sleep", "0.2"]} for _ in range(6))
    paused = held.start()
    assert paused.pause()
    assert not paused.wait(timeout=1)
    assert paused.poll().pending > 0
    assert paused.resume()
    assert paused.wait(timeout=60)


def test_a_missing_key_is_told_and_a_mended_config_goes_on(
    place: Place, with_demo: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = with_demo("duration=300ms")
    config = place.folder / "config.toml"
    whole = config.read_text()
    run = place.prompts(3).start()
    until(lambda: creates(server) == 1)
    engines._stop_all()
    engines._engines.clear()
    config.write_text('[backends.openai]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n')
    with pytest.raises(ConfigError, match="cannot go on"):
        place.open(run.id).wait(timeout=60)
    config.write_text(whole)
    again = place.open(run.id)
    assert again.resume()
    assert again.wait(timeout=60)
    assert (again.poll().completed, creates(server)) == (3, 1)


def test_from_many_threads_at_once(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=300ms")
    runs: list[BatchRun] = []
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            run = place.prompts(5, name=name).start(again=True)
            runs.append(run)
            assert run.wait(timeout=60)
            assert len(run.completed) == 5
        except BaseException as fault:
            faults.append(fault)

    shared = place.batch("shared", backend="openai").set_default_params(model="demo-small", max_tokens=20)

    def add(start: int) -> None:
        for n in range(50):
            shared.add_job(prompt=f"{start}-{n}")

    threads = [threading.Thread(target=work, args=(f"batch {n}",)) for n in range(6)]
    threads += [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert creates(server) == 6
    assert len({run.id for run in runs}) == 6
    assert sum(thread.name == "batchtui-worker" for thread in threading.enumerate()) == 1
    one = shared.start()
    followers = [threading.Thread(target=lambda: one.wait(timeout=60)) for _ in range(4)]
    for thread in followers:
        thread.start()
    for thread in followers:
        thread.join()
    assert len(one.completed) == 200


async def test_in_a_running_event_loop(place: Place, with_demo: Start) -> None:
    with_demo("duration=500ms")
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.02)

    beating = asyncio.create_task(beat())
    run = await place.prompts(4).run_async(timeout=60)
    assert len(run.completed) == 4
    assert beats > 10
    slow = place.prompts(2, name="blocking").start(again=True)
    waiting = asyncio.create_task(slow.wait_async())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slow.wait(timeout=60)  # as a cell of a notebook would, though it holds the loop
    beating.cancel()


def test_one_result_and_none(place: Place) -> None:
    place.batch("one", backend="local").add_job(command=["echo", "hello"], id="greeting").run()
    run = place.open("one")
    assert run.result("greeting").data["stdout"] == "hello\n"
    with pytest.raises(NotFound):
        run.result("farewell")
    with pytest.raises(NotFound):
        run.cancel("farewell")
    with pytest.raises(NotFound, match='did you mean "one"'):
        place.open("onee")


def test_a_small_sum_reads_as_on_the_screen() -> None:
    assert [figures.cost(usd) for usd in (None, 0.0, 0.000047, 0.5)] == ["", "$0.00", "<$0.0001", "$0.50"]
