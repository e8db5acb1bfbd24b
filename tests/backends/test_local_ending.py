"""Kind `local`: cancelled or timed out, nothing of a job is left running when `run` returns."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.model import JobState, Json
from tests.backends.local_help import alive, backend_in, job_of, no_note, pid_in, until

IGNORES_TERM = 'trap "" TERM; sleep 300 & echo $! > child; wait; wait'
IN_ITS_OWN_SESSION = "setsid sh -c 'echo $$ > child; exec sleep 300' & wait"
WITHOUT_THE_SLOT = (
    "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen(['sleep', '300'], close_fds=True);"
    "print(child.pid, file=open('child', 'w')); signal.signal(signal.SIGTERM, signal.SIG_DFL); time.sleep(300)"
)
COMMANDS: list[list[Json]] = [
    ["sh", "-c", "sleep 300 & echo $! > child; wait"],
    ["sh", "-c", IGNORES_TERM],
    ["sh", "-c", IN_ITS_OWN_SESSION],
    [sys.executable, "-c", WITHOUT_THE_SLOT],
]


def slots_free(folder: Path) -> bool:
    from batchtui.work.programs.slots import Slots

    return not Slots(folder).held()


@pytest.mark.parametrize("command", COMMANDS, ids=["plain", "ignores TERM", "own session", "closed the slot"])
async def test_cancelling_ends_the_grandchildren(tmp_path: Path, command: list[Json]) -> None:
    notes: list[dict[str, Json]] = []
    backend = backend_in(tmp_path / "run")
    task = asyncio.create_task(backend.run(job_of(command, cwd=str(tmp_path)), notes.append))
    child = await until(pid_in(tmp_path / "child"), "the grandchild")
    assert alive(child)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(child)
    assert not alive(notes[0]["pid"])
    assert slots_free(tmp_path / "run")


async def test_a_timeout_ends_the_grandchildren(tmp_path: Path) -> None:
    job = job_of(["sh", "-c", IGNORES_TERM], cwd=str(tmp_path))
    started = asyncio.create_task(until(pid_in(tmp_path / "child"), "the grandchild"))

    async def run_for_as_long_as_it_starts() -> None:
        async with asyncio.timeout(None) as limit:
            started.add_done_callback(lambda _: limit.reschedule(asyncio.get_running_loop().time()))
            await backend_in(tmp_path / "run").run(job, no_note)

    with pytest.raises(TimeoutError):
        await run_for_as_long_as_it_starts()
    assert not alive(await started)


async def test_cancelled_again_while_it_ends_it_still_ends_everything(tmp_path: Path) -> None:
    backend = backend_in(tmp_path / "run")
    task = asyncio.create_task(backend.run(job_of(["sh", "-c", IGNORES_TERM], cwd=str(tmp_path)), no_note))
    child = await until(pid_in(tmp_path / "child"), "the grandchild")
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.01)
    assert task.cancelled()
    assert not alive(child)


async def test_a_program_may_clean_up_when_it_is_ended(tmp_path: Path) -> None:
    backend = backend_in(tmp_path / "run")
    script = "trap 'echo bye > bye; exit' TERM; echo $$ > child; while :; do sleep 0.01; done"
    task = asyncio.create_task(backend.run(job_of(["sh", "-c", script], cwd=str(tmp_path)), no_note))
    await until(pid_in(tmp_path / "child"), "the program")
    task.cancel()
    await asyncio.wait([task])
    assert (tmp_path / "bye").read_text() == "bye\n"


async def test_what_a_finished_program_left_behind_is_ended(tmp_path: Path) -> None:
    backend = backend_in(tmp_path / "run")
    script = "sleep 300 & echo $! > child; echo done"
    outcome = await backend.run(job_of(["sh", "-c", script], cwd=str(tmp_path)), no_note)
    assert (outcome.state, outcome.raw_response) == (JobState.COMPLETED, "done\n")
    assert not alive(int((tmp_path / "child").read_text()))


async def test_a_slot_that_something_still_holds_is_passed_over(tmp_path: Path) -> None:
    backend = backend_in(tmp_path / "run")
    script = "setsid sh -c 'echo $$ > child; exec sleep 300' & while [ ! -s child ]; do sleep 0.01; done"
    notes: list[dict[str, Json]] = []
    await backend.run(job_of(["sh", "-c", script], cwd=str(tmp_path)), notes.append)
    child = int((tmp_path / "child").read_text())
    assert alive(child), "a program that leaves for a session of its own is let go"
    await backend.run(job_of(["true"]), notes.append)
    assert [trace["slot"] for trace in notes] == [0, 1]
    await backend.settle([])
    assert not alive(child)


async def test_a_journal_that_fails_ends_the_program(tmp_path: Path) -> None:
    pids: list[int] = []

    def full(trace: dict[str, Json]) -> None:
        pids.append(trace["pid"])
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await backend_in(tmp_path).run(job_of(["sleep", "300"]), full)
    assert not alive(pids[0])


def test_a_loop_that_closes_leaves_nothing_behind(tmp_path: Path) -> None:
    children: list[int] = []

    async def leave() -> None:
        job = job_of(["sh", "-c", IGNORES_TERM], cwd=str(tmp_path))
        task = asyncio.create_task(backend_in(tmp_path / "run").run(job, no_note))
        children.append(await until(pid_in(tmp_path / "child"), "the grandchild"))
        assert not task.done()

    asyncio.run(leave())
    ended: Callable[[], bool] = lambda: not alive(children[0])  # noqa: E731
    asyncio.run(until(ended, "the grandchild's end"))


async def test_a_program_that_stops_itself_is_ended_too(tmp_path: Path) -> None:
    notes: list[dict[str, Json]] = []
    task = asyncio.create_task(backend_in(tmp_path).run(job_of(["sh", "-c", "kill -STOP $$"]), notes.append))
    await until(lambda: notes, "the program")
    stat = Path(f"/proc/{notes[0]['pid']}/stat")
    await until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the stop")
    task.cancel()
    await asyncio.wait([task])
    assert not alive(notes[0]["pid"])
