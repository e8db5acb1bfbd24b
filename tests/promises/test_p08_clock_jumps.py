"""P8: a wall clock that is set ends nothing by itself, shows no age below nothing, and makes no wait longer than its cap."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.backends.file_batches import backend as file_batches
from batchtui.cli.shared.phrases import LIVE, ago, exit_code
from batchtui.config import load_config
from batchtui.engine.shared.poller import BACKOFF_CAP
from batchtui.model import BatchState, SubmissionState
from batchtui.store.disk import clock
from batchtui.store.files.header import write_header
from batchtui.store.folder import BatchFolder
from tests.crashes.batch_service import BatchService
from tests.engine.bench import Bench, until

HOUR, DAY = 3600.0, 86_400.0
STATES = ("paused", "waiting", "unsure", "processing", "collecting", "completed")
JUMPS = {
    "a day back": -DAY,
    "thirty days on": 30 * DAY,
    "to summer time": HOUR,
    "to winter time": -HOUR,
    "past 2038": clock.unix("2038-01-19T03:14:08Z") + DAY - time.time(),
    "to 2000": clock.unix("2000-01-01T00:00:00Z") - time.time(),
    "three hours on": 3 * HOUR,
    "a minute back": -60.0,
}
LIMIT = 2 * HOUR
ROWS = 2


class Wall:
    shift = 0.0


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    set_to, really = Wall(), time.time
    monkeypatch.setattr(time, "time", lambda: really() + set_to.shift)
    monkeypatch.setattr(file_batches, "time", time.time)
    return set_to


@pytest.fixture
def service() -> Iterator[BatchService]:
    with BatchService() as service:
        yield service


@pytest.fixture
def bench(tmp_path: Path, wall: Wall, service: BatchService) -> Iterator[Bench]:
    tables = {
        name: {"kind": "openai", "base_url": f"{service.url}/{name}/v1", "poll_interval": 0.1, "settle": 0.2}
        for name in STATES
    }
    text = "".join(
        f"[backends.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )
    (tmp_path / "config.toml").write_text(text)
    made = Bench(tmp_path, load_config(tmp_path / "config.toml", env={}))
    yield made
    made.close()


def brought_to(bench: Bench, state: str) -> BatchFolder:
    """A batch in that state, whose backend is held in it."""
    spec = bench.spec(state, ROWS, {"model": "demo", "prompt": state + " {{ text }}"}, time=f"{LIMIT:.0f}s")
    folder = bench.create(spec)
    if state == "paused":
        folder.header.paused = True
        write_header(folder.path, folder.header)
    bench.worker.drive(folder.id)
    until(lambda: bench.worker.folder(folder.id) is not None)
    return bench.known(folder.id)


def is_there(folder: BatchFolder, state: str) -> bool:
    records = list(folder.progress.submissions.values())
    match state:
        case "paused":
            return folder.header.paused
        case "completed":
            return folder.progress.ended is not None
        case "collecting":
            return any(record.state is SubmissionState.ENDED for record in records)
        case "processing":
            return any(record.state is SubmissionState.PROCESSING for record in records)
    return any(record.state.value == state for record in records)


def check_ages(folder: BatchFolder) -> None:
    status = folder.status(submissions=True)
    order = [stamp for stamp in (status.started, status.ended) if stamp]
    assert order == sorted(order)
    for stamp in (status.created, status.started, status.ended):
        assert "-" not in ago(stamp)
    for sub in status.submissions or ():
        order = [stamp for stamp in (sub.submitted, sub.ended) if stamp]
        assert order == sorted(order)
        if sub.next_try:
            assert clock.unix(sub.next_try) - time.time() <= 1.2 * BACKOFF_CAP


@pytest.mark.parametrize("jump", JUMPS)
def test_p8_no_state_ends_by_a_clock_that_was_set(
    bench: Bench, wall: Wall, service: BatchService, jump: str
) -> None:
    service.held = {"waiting", "unsure", "processing", "collecting"}
    folders = {state: brought_to(bench, state) for state in STATES}
    for state, folder in folders.items():
        until(lambda folder=folder, state=state: is_there(folder, state), state)
    wall.shift = JUMPS[jump]
    live = {state: folder for state, folder in folders.items() if state not in ("paused", "completed")}
    for folder in live.values():
        until(lambda folder=folder: abs(folder.header.clock_shift) > 10)
    asks = JUMPS[jump] > LIMIT
    for state, folder in live.items():
        assert folder.header.stopping is None, state
        assert folder.state() is BatchState.PROCESSING, state
        kinds = [item.kind for item in folder.status().attention]
        assert ("clock" in kinds) == asks, (state, kinds)
        assert exit_code(folder) == LIVE or not asks
        deadline = folder.deadline()
        assert deadline
        assert 0 < deadline - time.time() < LIMIT + 1, state
    service.held = set()
    bench.worker.poll_now()
    for state, folder in folders.items():
        if asks or state == "paused":
            bench.ask(folder, "resume")
        bench.worker.drive(folder.id)
    for state, folder in folders.items():
        until(lambda folder=folder: bench.library.open(folder.id).progress.ended, state)
    ids = {folder.id for folder in folders.values()}
    assert bench.worker.wait(ids, 60)  # the last contacts are written too
    for state, folder in folders.items():
        folder = bench.library.open(folder.id)
        assert folder.status().completed == ROWS, state
        check_ages(folder)
    made = service.times_made()
    assert len(made) == ROWS * len(STATES)
    assert set(made.values()) == {1}
