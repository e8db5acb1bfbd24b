"""The runner of array elements alone, as a real process over a real run folder: no Slurm is needed for it."""

from __future__ import annotations

import ast
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchtui.backends.base import Job, Submission
from batchtui.backends.slurm.folder import RunFolder, Seen, work_of
from batchtui.backends.slurm.results import all_answers, early_answers
from batchtui.work import call_worker, slurm_runner
from batchtui.work.job import ProgramWork
from batchtui.work.programs.proc import only_zombies
from batchtui.work.slurm_runner import element
from batchtui.work.slurm_runner.endings import Leave

CALLS = """
import os, pathlib, signal, sys, time

def double(n):
    print("at", n)
    return 2 * n

def many(jobs):
    for job in jobs:
        if job["n"] == 2 and not job.get("fine"):
            os.kill(os.getpid(), signal.SIGKILL)
        yield job["n"]

class Busy(Exception):
    kind, transient = "busy", True

def third_time(folder, n):
    mark = pathlib.Path(folder, str(n))
    tries = len(mark.read_text()) if mark.exists() else 0
    mark.write_text("x" * (tries + 1))
    if tries < 2:
        raise Busy("not yet")
    return tries

def hang(n):
    if n == 1:
        time.sleep(600)
    return n
"""
Make = Callable[..., RunFolder]


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, f"{what} never came to be"
        time.sleep(0.01)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """`make(works, chunk=2, timeout=…, retries=…)`: a run folder of these jobs; calls find the module `calls`."""
    (tmp_path / "calls.py").write_text(CALLS)

    def made(works: list[dict[str, Any]], chunk: int = 100, **limits: Any) -> RunFolder:
        jobs = []
        for n, work in enumerate(works):
            given = ProgramWork(**work)
            given.rooted([tmp_path])
            jobs.append(Job(n, f"r{n}", 1, "t", given))
        folder = RunFolder(tmp_path / "run")
        submission = Submission(1, "t", "batch", 0.0, jobs=len(jobs), **limits)
        for _ in folder.write(submission, iter([jobs]), chunk, sys.executable, ""):
            pass
        return folder

    return made


def started(
    folder: RunFolder, element: int = 0, array: str = "7", restart: int = 0
) -> subprocess.Popen[bytes]:
    env = {**os.environ, "SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": str(element)}
    env["SLURM_RESTART_COUNT"] = str(restart)
    with open(folder.log(element), "ab") as log:
        return subprocess.Popen(["sh", str(folder.path / "run.sh")], env=env, stdout=log, stderr=log)


def run(folder: RunFolder, element: int = 0, **more: Any) -> None:
    assert started(folder, element, **more).wait(100) == 0, folder.log(element).read_text()


def records(folder: RunFolder) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for group in folder.records() for record in group}


def sh(script: str, **more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], **more}


def call(function: str, **arguments: Any) -> dict[str, Any]:
    return {"call": f"calls:{function}", "arguments": arguments}


def test_programs_one_after_another_with_all_that_they_say(make: Make, tmp_path: Path) -> None:
    folder = make(
        [
            sh("cat; echo $GREETING $PWD >&2", stdin="hello", env={"GREETING": "hi"}, cwd=str(tmp_path)),
            sh("echo a fault >&2; exit 3"),
            sh("kill -SEGV $$"),
            {"command": ["/no/such/program"]},
            {"command": ["echo", "half an emoji \ud83d"]},
        ],
        chunk=3,
    )
    run(folder, 0)
    assert set(records(folder)) == {"r0", "r1", "r2"}
    run(folder, 1)
    found = records(folder)
    assert (found["r0"]["state"], found["r0"]["stdout"], found["r0"]["stderr"]) == (
        "completed",
        "hello",
        f"hi {tmp_path}\n",
    )
    told = {key: (found[key]["error_kind"], found[key]["error"]) for key in ("r1", "r2", "r3", "r4")}
    assert "surrogates not allowed" in told.pop("r4")[1]
    assert told == {
        "r1": ("exit", "exit 3: a fault"),
        "r2": ("signal", "ended by SIGSEGV"),
        "r3": ("start", "cannot start /no/such/program: No such file or directory"),
    }
    log = folder.log(0).read_text()
    assert "r0 started" in log
    assert "a fault\n" in log
    assert "r1 failed after" in log


def test_killed_and_started_again_it_goes_on_where_it_was(make: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    works = [sh(f"echo x >> {tmp_path}/ran-{n}") for n in range(6)]
    works[4] = sh(f"echo x >> {tmp_path}/ran-4; until test -e {gate}; do sleep 0.05; done")
    folder = make(works)
    process = started(folder)
    until((tmp_path / "ran-4").exists, "the fifth job")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with open(next(iter(folder.files())), "ab") as torn:
        torn.write(b'{"task":4,"state":"comp')
    gate.touch()
    run(folder, restart=1)
    assert {len((tmp_path / f"ran-{n}").read_text().split()) for n in (0, 1, 2, 3, 5)} == {1}
    found = records(folder)
    assert [found[f"r{n}"]["restart"] for n in range(6)] == [0, 0, 0, 0, 1, 1]
    seen = Seen()
    folder.look(seen)
    assert (len(seen.tasks), seen.completed) == (6, 6)


def test_a_second_array_over_the_same_tasks_does_nothing(make: Make, tmp_path: Path) -> None:
    folder = make([sh(f"echo x >> {tmp_path}/ran")])
    run(folder, array="7")
    run(folder, array="8", restart=1)
    assert (tmp_path / "ran").read_text() == "x\n"
    assert folder.claimed() == "7"
    assert "array 8 does nothing" in folder.log(0).read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_asked_to_leave_it_writes_nothing_of_what_runs(make: Make, tmp_path: Path, number: int) -> None:
    folder = make([sh("true"), sh(f"echo $$ > {tmp_path}/pid; sleep 600"), sh("true")])
    process = started(folder)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the second job")
    process.send_signal(number)
    assert process.wait(60) == 0
    assert set(records(folder)) == {"r0"}
    group = int((tmp_path / "pid").read_text())
    until(lambda: only_zombies(group), "the end of what ran")


def test_asked_to_leave_between_two_attempts_it_does_not_wait_for_the_next(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: 3600.0)
    monkeypatch.setattr(element, "SYNC_SECONDS", 3600.0)
    folder = make([sh("exit 75", retry_exit_codes=[75])], retries=2)
    mine = element.Element(str(folder.path), 0, 0)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        element.heed_signals()
        asks = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
        asks.start()
        with pytest.raises(Leave):
            mine.rest(1)
        asks.join()
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        element._asked_to_leave = False


def test_a_time_limit_ends_the_group_and_the_next_one_runs(make: Make, tmp_path: Path) -> None:
    folder = make(
        [sh(f"sleep 600 & echo $! > {tmp_path}/pid; trap '' TERM; sleep 600"), sh("echo next")], timeout=0.3
    )
    run(folder)
    found = records(folder)
    assert (found["r0"]["error_kind"], found["r0"]["error"]) == ("timeout", "no answer within 0.3 s")
    assert found["r1"]["stdout"] == "next\n"
    child = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/exe")
    until(lambda: not child.exists(), "the end of what it started")


def test_marks_cancel_what_waits_and_what_runs(make: Make, tmp_path: Path) -> None:
    folder = make([sh(f"touch {tmp_path}/runs; sleep 600"), sh("true"), sh("true")])
    folder.cancel([2])
    process = started(folder)
    until((tmp_path / "runs").exists, "the first job")
    folder.cancel([0])
    assert process.wait(60) == 0
    assert {job: record["state"] for job, record in records(folder).items()} == {
        "r0": "cancelled",
        "r1": "completed",
        "r2": "cancelled",
    }


def test_an_element_that_was_given_up_leaves_without_a_word(make: Make, tmp_path: Path) -> None:
    """Its node was counted as lost, and lives: its jobs run elsewhere by now."""
    folder = make([sh("true"), sh(f"touch {tmp_path}/runs; sleep 600"), sh("true")])
    process = started(folder)
    until((tmp_path / "runs").exists, "the second job")
    folder.give_up([0])
    assert process.wait(60) == 0
    assert set(records(folder)) == {"r0"}
    assert "ending: its tasks run elsewhere" in folder.log(0).read_text()
    run(folder, restart=1)
    assert set(records(folder)) == {"r0"}


def test_exit_codes_that_are_worth_another_try(make: Make, tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) = 3 || exit 75"
    folder = make([sh(script, retry_exit_codes=[75]), sh("exit 75")], retries=2)
    run(folder)
    found = records(folder)
    assert (found["r0"]["state"], found["r0"]["attempt"]) == ("completed", 3)
    assert (found["r1"]["state"], found["r1"]["attempt"]) == ("failed", 1)


def test_calls_share_a_worker_and_faults_that_may_pass_are_tried_again(make: Make, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    tries.mkdir()
    works = [call("double", n=n) for n in range(3)] + [call("third_time", folder=str(tries), n=0)]
    folder = make([*works, call("nothing")], retries=2)
    run(folder)
    found = records(folder)
    assert [found[f"r{n}"]["value"] for n in range(4)] == [0, 2, 4, 2]
    assert (found["r1"]["stdout"], found["r3"]["attempt"]) == ("at 1\n", 3)
    assert (found["r4"]["error_kind"], found["r4"]["attempt"]) == ("call", 1)
    assert "has no function nothing" in found["r4"]["error"]


def test_of_a_chunk_whose_worker_dies_only_the_guilty_job_fails(make: Make) -> None:
    folder = make([{**call("many", n=n), "chunk": 5} for n in range(5)], retries=1)
    run(folder)
    found = records(folder)
    assert [found[f"r{n}"]["state"] for n in range(5)] == ["completed"] * 2 + ["failed"] + ["completed"] * 2
    assert (found["r2"]["error_kind"], found["r2"]["attempt"]) == ("worker_died", 2)


def test_a_hanging_call_is_ended_and_the_others_are_done(make: Make) -> None:
    folder = make([call("hang", n=n) for n in range(4)], timeout=1.0)
    run(folder)
    found = records(folder)
    assert (found["r1"]["state"], found["r1"]["error_kind"]) == ("failed", "timeout")
    assert [found[f"r{n}"]["value"] for n in (0, 2, 3)] == [0, 2, 3]


def test_answers_as_they_come_and_a_word_on_every_task_in_the_end(make: Make) -> None:
    folder = make([sh(f"echo {n}") for n in range(6)], chunk=2)
    taken: dict[str, int] = {}
    run(folder, 1)
    assert flat(early_answers(folder, "7", taken)) == ["r2", "r3"]
    assert flat(early_answers(folder, "7", taken)) == []
    run(folder, 0)
    assert flat(early_answers(folder, "7", taken)) == ["r0", "r1"]
    folder.cancel([5])
    told = {
        answer.job_id: answer.outcome
        for group in all_answers(folder, "7", {"OUT_OF_MEMORY": "2"})
        for answer in group
    }
    assert {job: outcome.state.value for job, outcome in told.items()} == {
        **dict.fromkeys(("r0", "r1", "r2", "r3"), "completed"),
        "r4": "failed",
        "r5": "cancelled",
    }
    assert (told["r4"].error_kind, told["r4"].error) == (
        "memory",
        'its array element 2 ran out of memory; ask for more with options = ["--mem=…"], or a smaller chunk',
    )
    assert told["r1"].raw_response == "1\n"
    assert Path(told["r1"].remote["log"]).read_text().count("r1 completed") == 1


def flat(groups: Iterator[list[Any]]) -> list[str]:
    return [answer.job_id for group in groups for answer in group]


def test_only_its_owner_can_read_a_run_folder_and_jobs_come_back_from_it(make: Make) -> None:
    works = [
        sh("true", env={"A": "b"}),
        {**call("many", n=1), "chunk": 5},
        {"task": "dc", "grid": "/g.m", "slack": 3},
    ]
    folder = make(works)
    assert {oct(path.stat().st_mode & 0o77) for path in (folder.path, folder.path / "tasks.jsonl")} == {"0o0"}
    back = [work_of(task) for group in folder.tasks() for task in group]
    assert [ProgramWork(**work).form for work in back] == ["command", "call", "task"]
    assert json.loads(json.dumps(back[2])) == {"task": "dc", "grid": "/g.m", "slack": 3}


def test_it_needs_the_standard_library_only(make: Make, tmp_path: Path) -> None:
    """Nothing that is installed beside this Python, and nothing of ours but the copies in the run folder."""
    folder = make([call("double", n=21)])
    script = folder.path / "run.sh"
    script.write_text(script.read_text().replace(f"{sys.executable} -m", f"{sys.executable} -S -m"))
    run(folder)
    assert records(folder)["r0"]["value"] == 42


def test_an_older_python_reads_it() -> None:
    sources = [Path(call_worker.__file__), *Path(slurm_runner.__path__[0]).glob("*.py")]
    assert len(sources) > 5
    for source in sources:
        ast.parse(source.read_text(), feature_version=(3, 8))
