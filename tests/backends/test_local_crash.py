"""Kind `local`: after a kill -9 of the app, no program of a job may overlap with its next attempt."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.work.programs.slots import SLOT_VARIABLE, Slots
from tests.backends.local_help import alive, backend_in, job_of, no_note, pid_in, until

HELPER = """
import asyncio, json, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.backends.local_help import backend_in, job_of

folder, command, dies = Path(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4] == "dies"

def note(trace):
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    print(json.dumps(trace), flush=True)

async def main():
    backend = backend_in(folder / "run")
    await asyncio.gather(*(backend.run(job_of(command, cwd=str(folder)), note) for _ in range(int(sys.argv[5]))))

asyncio.run(main())
"""
LONG = ["sh", "-c", "echo $$ > pid.$$; exec sleep 300"]


class App:
    """Another process that runs jobs through the backend, and is killed."""

    def __init__(
        self, folder: Path, command: list[str], jobs: int = 1, *, dies_before_note: bool = False
    ) -> None:
        self.traces: list[dict[str, Json]] = []
        self._jobs = jobs
        here = Path(__file__).parent
        arguments = [
            str(here),
            str(folder),
            json.dumps(command),
            "dies" if dies_before_note else "lives",
            str(jobs),
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", HELPER, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(here.parents[1])},
        )

    async def crash(self) -> list[dict[str, Json]]:
        """Kill it once it has noted all its jobs; answers the notes."""
        assert self._process.stdout
        for _ in range(self._jobs):
            line = await asyncio.to_thread(self._process.stdout.readline)
            self.traces.append(json.loads(line))
        self._process.kill()
        return self.traces

    async def gone(self) -> None:
        code = await asyncio.to_thread(self._process.wait)
        assert code == -signal.SIGKILL
        if self._process.stdout:
            self._process.stdout.close()


def pids(folder: Path) -> list[int]:
    return [pid for file in folder.glob("pid.*") if (pid := pid_in(file)())]


@pytest.fixture(autouse=True)
async def _no_leftovers(tmp_path: Path) -> AsyncIterator[None]:
    yield
    for pid in pids(tmp_path):
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


async def test_survivors_are_ended_before_settle_returns(tmp_path: Path) -> None:
    app = App(tmp_path, LONG, jobs=2)
    traces = await app.crash()
    await app.gone()
    await until(lambda: len(pids(tmp_path)) == 2, "both programs")
    started = pids(tmp_path)
    assert sorted(started) == sorted(trace["pid"] for trace in traces)
    assert all(alive(pid) for pid in started)
    assert len(Slots(tmp_path / "run").held()) == 2

    await backend_in(tmp_path / "run").settle(traces)
    assert not any(alive(pid) for pid in started)
    assert not Slots(tmp_path / "run").held()


async def test_a_crash_between_start_and_note_leaves_nothing(tmp_path: Path) -> None:
    app = App(tmp_path, LONG, dies_before_note=True)
    await app.gone()
    [pid] = await until(lambda: pids(tmp_path), "the program")
    assert alive(pid)
    await backend_in(tmp_path / "run").settle([])
    assert not alive(pid)
    assert not Slots(tmp_path / "run").held()


async def test_a_crash_before_the_program_is_executed_leaves_nothing(tmp_path: Path) -> None:
    """Settle may come while the program is still starting."""
    app = App(tmp_path, LONG, dies_before_note=True)
    await app.gone()
    await backend_in(tmp_path / "run").settle([])
    assert not any(alive(pid) for pid in pids(tmp_path))


async def test_a_survivor_that_ignores_term_is_killed(tmp_path: Path) -> None:
    app = App(tmp_path, ["sh", "-c", 'trap "" TERM; sleep 300 & echo $! > pid.child; wait; wait'])
    traces = await app.crash()
    await app.gone()
    [child] = await until(lambda: pids(tmp_path), "the grandchild")
    await backend_in(tmp_path / "run").settle(traces)
    assert not alive(child)
    assert not alive(traces[0]["pid"])


@pytest.mark.parametrize("noted", [True, False])
async def test_a_grandchild_without_its_leader_is_ended(tmp_path: Path, noted: bool) -> None:
    app = App(tmp_path, ["sh", "-c", "sleep 300 & echo $! > pid.child; wait"])
    traces = await app.crash()
    await app.gone()
    [child] = await until(lambda: pids(tmp_path), "the grandchild")
    os.kill(traces[0]["pid"], signal.SIGKILL)
    await until(lambda: not alive(traces[0]["pid"]), "the leader's end")
    assert alive(child)
    await backend_in(tmp_path / "run").settle(traces if noted else [])
    assert not alive(child)


async def test_a_grandchild_that_closed_the_slot_is_found_by_its_group(tmp_path: Path) -> None:
    script = (
        "import subprocess, time; child = subprocess.Popen(['sleep', '300']);"
        "print(child.pid, file=open('pid.child', 'w')); time.sleep(300)"
    )
    app = App(tmp_path, [sys.executable, "-c", script])
    traces = await app.crash()
    await app.gone()
    [child] = await until(lambda: pids(tmp_path), "the grandchild")
    os.kill(traces[0]["pid"], signal.SIGKILL)
    await until(lambda: not Slots(tmp_path / "run").held(), "the slot")
    assert alive(child)
    await backend_in(tmp_path / "run").settle(traces)
    assert not alive(child)


async def test_a_program_that_hid_from_every_search_is_known_by_its_trace(tmp_path: Path) -> None:
    script = (
        "import os; print(os.getpid(), file=open('pid.self', 'w'));"
        "os.closerange(3, 256); os.execve('/bin/sleep', ['sleep', '300'], {})"
    )
    app = App(tmp_path, [sys.executable, "-c", script])
    traces = await app.crash()
    await app.gone()
    await until(lambda: pids(tmp_path), "the program")
    await until(lambda: not Slots(tmp_path / "run").held(), "the slot")
    assert alive(traces[0]["pid"])
    await backend_in(tmp_path / "run").settle(traces)
    assert not alive(traces[0]["pid"])


async def test_settle_spares_a_stranger_with_a_recycled_pid(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        backend = backend_in(tmp_path)
        await backend.run(job_of(["true"]), no_note)
        traces: list[dict[str, Json]] = [
            {"pid": stranger.pid, "start": "another:1", "slot": 0},
            {"pid": stranger.pid, "start": None, "slot": 0},
            {"pid": 1, "start": None, "slot": 0},
            {"pid": "nonsense"},
            {},
        ]
        await backend.settle(traces)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_settle_leaves_what_this_process_runs(tmp_path: Path) -> None:
    notes: list[dict[str, Json]] = []
    first, second = backend_in(tmp_path), backend_in(tmp_path)
    os.mkfifo(tmp_path / "gate")
    task = asyncio.create_task(first.run(job_of(["cat", str(tmp_path / "gate")]), notes.append))
    await until(lambda: notes, "the program")
    await second.settle([{"pid": notes[0]["pid"], "start": "earlier:1", "slot": 0}])
    assert alive(notes[0]["pid"])
    other = await second.run(job_of(["sh", "-c", f"echo ${SLOT_VARIABLE}"]), notes.append)
    assert (other.raw_response or "").endswith("slot-1.lock\n"), "a slot in use is passed over"
    (tmp_path / "gate").write_text("through\n")
    assert (await task).raw_response == "through\n"


async def test_settle_awaits_a_holder_that_it_cannot_find(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    slot = Slots(tmp_path / "run").take()
    holder = subprocess.Popen(
        ["cat", str(tmp_path / "gate")], pass_fds=(slot.fd,), env={"PATH": os.environ["PATH"]}
    )
    slot.release()
    settling = asyncio.create_task(backend_in(tmp_path / "run").settle([]))
    done, _ = await asyncio.wait([settling], timeout=0.2)
    assert not done
    assert holder.poll() is None
    (tmp_path / "gate").write_text("end\n")
    await asyncio.wait_for(settling, 20)
    assert holder.wait() == 0


async def test_settle_on_a_fresh_folder_returns_at_once(tmp_path: Path) -> None:
    await backend_in(tmp_path / "run").settle([])
