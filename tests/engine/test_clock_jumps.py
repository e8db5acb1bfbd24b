"""A wall clock that is set while a batch runs: what only the jump would end is asked about, and nothing gains time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchtui.cli.shared.phrases import ago
from batchtui.model import BatchState, Json
from batchtui.store.disk import clock
from batchtui.store.files.header import write_header
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until

HOUR, DAY = 3600.0, 86_400.0
ROWS = 24


@dataclass
class Wall:
    """The wall clock, as somebody set it; the steady one goes on."""

    shift: float = 0.0


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    set_to, really = Wall(), time.time
    monkeypatch.setattr(time, "time", lambda: really() + set_to.shift)
    return set_to


@pytest.fixture
def bench(tmp_path: Path, wall: Wall) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def begun(bench: Bench, gate: Path, **limits: Json) -> BatchFolder:
    """A batch of which some jobs are done and the others wait for a file."""
    script = f'[ "$0" -lt 4 ] || until [ -e {gate} ]; do sleep 0.02; done; echo $0'
    job: dict[str, Json] = {"command": ["sh", "-c", script, "{{ row }}"]}
    spec = bench.spec("local", ROWS, job, concurrency=2, **limits)
    assert spec.source.file
    Path(spec.source.file).write_text("id,row\n" + "".join(f"r{n},{n}\n" for n in range(ROWS)))
    folder = bench.start(spec)
    until(lambda: folder.status().completed == 4 and folder.status().processing == 2)
    return folder


def asked(folder: BatchFolder) -> list[tuple[str, ...]]:
    return [tuple(item.actions) for item in folder.status().attention if item.kind == "clock"]


@pytest.mark.parametrize("jump", [30 * DAY, 1.5 * HOUR])
def test_forward_over_the_limit_asks_and_goes_on_with_the_time_that_is_left(
    bench: Bench, wall: Wall, tmp_path: Path, jump: float
) -> None:
    folder = begun(bench, tmp_path / "go", time="1h")
    wall.shift = jump
    until(lambda: asked(folder))
    (tmp_path / "go").touch()
    folder = bench.drive(folder.id)
    status = folder.status()
    assert (status.completed, status.pending, status.failed) == (6, ROWS - 6, 0)
    assert asked(folder) == [("resume", "cancel")]
    assert status.deadline
    assert 0 < clock.unix(status.deadline) - time.time() < HOUR
    bench.worker.stop()
    bench.worker = bench.new_worker()
    folder = bench.drive(folder.id)
    assert folder.status().pending == ROWS - 6, "a new process asks as well"
    bench.ask(folder, "resume")
    folder = bench.drive(folder.id)
    assert (folder.state(), folder.status().completed) == (BatchState.COMPLETED, ROWS)
    assert asked(folder) == []


def test_the_answer_may_be_that_its_time_is_over(bench: Bench, wall: Wall, tmp_path: Path) -> None:
    folder = begun(bench, tmp_path / "go", time="1h")
    wall.shift = 2 * HOUR
    until(lambda: asked(folder))
    bench.ask(folder, "resolve", action="cancel")
    status = bench.drive(folder.id).status()
    assert (status.completed, status.cancelled) == (4, ROWS - 4)


def test_a_clock_that_is_put_right_again_settles_it(bench: Bench, wall: Wall, tmp_path: Path) -> None:
    folder = begun(bench, tmp_path / "go", time="1h")
    wall.shift = 30 * DAY
    until(lambda: asked(folder))
    wall.shift = 0.0
    until(lambda: not asked(folder))
    (tmp_path / "go").touch()
    folder = bench.drive(folder.id)
    assert folder.status().completed == ROWS
    assert abs(folder.header.clock_shift) < 10


def test_forward_within_the_limit_or_without_one_asks_nothing(
    bench: Bench, wall: Wall, tmp_path: Path
) -> None:
    folders = [begun(bench, tmp_path / "go", time="2h"), begun(bench, tmp_path / "go")]
    wall.shift = HOUR
    until(lambda: all(folder.header.clock_shift > 0 for folder in folders))
    (tmp_path / "go").touch()
    for folder in folders:
        assert bench.drive(folder.id).status().completed == ROWS


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed meanwhile"])
def test_back_gives_no_time_and_shows_no_age_below_nothing(
    bench: Bench, wall: Wall, tmp_path: Path, closed: bool
) -> None:
    folder = begun(bench, tmp_path / "go", time="1h")
    before = folder.status().deadline
    if closed:
        bench.worker.stop()
    wall.shift = -DAY
    if closed:
        bench.worker = bench.new_worker()
        bench.worker.drive(folder.id)
        until(lambda: bench.worker.folder(folder.id) is not None)
        folder = bench.known(folder.id)
    until(lambda: folder.status().deadline != before)
    deadline = folder.status().deadline
    assert deadline
    assert 0 < clock.unix(deadline) - time.time() < HOUR + 1
    assert not asked(folder)
    assert ago(folder.status().started) == "0 s ago"
    folder.header.spec.limits.time = 0.5  # below what a batch file may ask for
    write_header(folder.path, folder.header)
    folder = bench.drive(folder.id)
    assert folder.header.stopping == "time_limit"
    status = folder.status()
    assert status.started
    assert status.ended
    assert status.started <= status.ended
    assert time.time() < clock.unix(status.ended)


def test_the_steady_clock_is_none_that_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    first: Callable[[], float] = clock.steady
    before = first()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= first() - before < 60
