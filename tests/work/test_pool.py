"""Warm workers: values, faults, prints, chunks, and workers that die, hang or are no longer wanted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.work.calls.pool import Lost, NotStarted, Pool
from batchtui.work.programs.slots import SLOT_VARIABLE, Slots
from tests.backends.local_help import alive, pid_in, until
from tests.work.pool_help import FOLDER, call, no_note, order, pool_in


async def test_a_value_comes_back_and_the_worker_stays_warm(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        done = await call(pool, "double", x=2)
        assert (done.value, done.fault, done.printed) == ({"x": 2, "twice": 4.0}, None, {})
        pids = {(await call(pool, "process")).value for _ in range(3)}
        assert len(pids) == 1
        assert pids != {os.getpid()}
        [pid] = pids
        assert alive(pid)
    assert not alive(pid)


async def test_prints_belong_to_their_job(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        for round_ in range(2):
            jobs = [call(pool, "talks", x=10 * round_ + x) for x in range(4)]
            for x, done in enumerate(await asyncio.gather(*jobs)):
                number = 10 * round_ + x
                assert sorted(done.printed["stdout"].text.splitlines()) == [
                    f"a child of {number}",
                    f"out of {number}",
                ]
                assert done.printed["stderr"].text == f"err of {number}\n"


@pytest.mark.parametrize(
    ("function", "arguments", "kind", "said", "traced"),
    [
        ("raises", {"x": "luck"}, "exception", "ValueError: no luck", "functions_to_call.py"),
        ("double", {}, "exception", "TypeError: double() missing", ""),
        ("diverges", {}, "not_converged", "after 20 iterations", "functions_to_call.py"),
        ("leaves", {}, "exception", "SystemExit: no more", "functions_to_call.py"),
        ("gives", {"what": "set"}, "not_json", "set has no form there", ""),
        ("gives", {"what": "nan"}, "not_json", "NaN or infinity", ""),
        ("huge", {"size": 17 << 20}, "too_large", "17.0 MB of JSON, and at most 16 MB", ""),
        ("gone", {}, "call", "functions_to_call has no function gone", ""),
        ("no_function", {}, "call", "cannot be called", ""),
        ("too_few", {}, "exception", "TypeError", ""),
    ],
)
async def test_a_failure_is_told_and_the_worker_lives_on(
    tmp_path: Path, function: str, arguments: dict[str, Json], kind: str, said: str, traced: str
) -> None:
    async with pool_in(tmp_path) as pool:
        before = (await call(pool, "process")).value
        done = await call(pool, function, **arguments)
        assert done.fault is not None
        assert done.fault["kind"] == kind
        assert said in done.fault["message"]
        assert traced in done.fault.get("traceback", "")
        assert "call_worker" not in done.fault.get("traceback", "")
        assert done.fault["transient"] is False
        assert (await call(pool, "process")).value == before


async def test_what_json_lacks_is_given_as_it_has_it(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        assert (await call(pool, "gives", what="scalar")).value == [1.5]
        assert (await call(pool, "gives", what="date")).value == "2026-01-02"
        assert (await call(pool, "gives", what="surrogate")).value == "\ud83d"
        assert (await call(pool, "gives", what="big")).value == 2**80
        assert len((await call(pool, "huge", size=5_000_000)).value) == 5_000_000


async def test_a_module_that_is_missing_is_a_failure_of_the_job(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        done = await pool.do(order("double", function="no.such.module:f"), {}, no_note)
        assert done.fault is not None
        told = "cannot import no.such.module: ModuleNotFoundError: No module named 'no'"
        where = "it is looked for beside the batch file, then as Python does"
        assert done.fault["message"] == f"{told}; {where}"


async def test_our_own_modules_do_not_hide_those_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "output.py").write_text("def f(): return 'mine'\n")
    async with pool_in(tmp_path / "run") as pool:
        done = await pool.do(order("f", function="output:f", path=(str(tmp_path / "lib"),)), {}, no_note)
        assert done.value == "mine"


async def test_a_worker_has_one_thread_and_no_stdin(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        assert (await call(pool, "environment", name="OPENBLAS_NUM_THREADS")).value == "1"
        assert (await call(pool, "reads_stdin")).value == ""
        slot = (await call(pool, "environment", name=SLOT_VARIABLE)).value
        assert slot == str(tmp_path / "slot-0.lock")


async def test_as_many_workers_as_allowed(tmp_path: Path) -> None:
    async with pool_in(tmp_path / "run", workers=2) as pool:
        gate = tmp_path / "gate"
        jobs = [
            asyncio.create_task(call(pool, "waits", file=str(tmp_path / f"pid{n}"), gate=str(gate)))
            for n in range(3)
        ]
        await until(lambda: len(list(tmp_path.glob("pid*"))) == 2, "two jobs")
        assert len(Slots(tmp_path / "run").held()) == 0, "this process watches them"
        gate.touch()
        assert [done.value for done in await asyncio.gather(*jobs)] == ["through"] * 3
        pool.workers = 1
        await asyncio.gather(*(call(pool, "process") for _ in range(4)))
        assert pool._count == 1


async def test_a_worker_that_dies_takes_only_the_job_under_way(tmp_path: Path) -> None:
    async with pool_in(tmp_path / "run") as pool:
        await warmed_up(pool, "dies", file=str(tmp_path / "warm"), times=0)
        pids: list[dict[str, Json]] = []
        jobs = [
            pool.do(order("dies"), {"file": str(tmp_path / f"f{n}"), "times": int(n == 1)}, pids.append)
            for n in range(4)
        ]
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert isinstance(done[1], Lost)
        assert (done[1].kind, done[1].message) == ("worker", "the worker process was ended by SIGKILL")
        values = [one.value for n, one in enumerate(done) if n != 1 and not isinstance(one, BaseException)]
        assert values == ["after 0 deaths"] * 3
        runs = [len((tmp_path / f"f{n}").read_text().splitlines()) for n in range(4)]
        assert runs == [1, 1, 1, 1], "no other job ran twice"


async def test_a_worker_that_dies_is_noticed_though_a_child_holds_its_connection(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        with pytest.raises(Lost, match="SIGKILL"):
            await call(pool, "forks_and_dies")


async def warmed_up(pool: Pool, function: str, **arguments: Json) -> None:
    """Until several jobs go in one chunk."""
    while pool.window < 16:
        await asyncio.gather(*(call(pool, function, **arguments) for _ in range(pool.window)))


async def test_a_chunk_function_gets_many_and_each_has_its_own_answer(tmp_path: Path) -> None:
    many = {"chunk": True, "most": 6}
    async with pool_in(tmp_path) as pool:
        sizes = await asyncio.gather(*(call(pool, "lengths", many, x=x) for x in range(12)))
        assert [done.value for done in sizes] == [6] * 12
        jobs = [call(pool, "one_by_one", many, x=x) for x in (0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13)]
        done = await asyncio.gather(*jobs)
        assert [one.value for one in done] == [0, 1, None, 5, 6, 7, 8, 9, 10, 11, 12, 13]
        assert done[2].fault == {"kind": "not_converged", "message": "two", "transient": False}


@pytest.mark.parametrize("fatal", [3, 4], ids=["raises", "dies"])
async def test_a_chunk_that_fails_in_the_middle_goes_on_one_by_one(tmp_path: Path, fatal: int) -> None:
    async with pool_in(tmp_path) as pool:
        jobs = [
            call(pool, "one_by_one", {"chunk": True, "most": 4}, x=x) for x in (0, fatal, 5, 6, 7, 8, 9, 10)
        ]
        assert [done.value for done in await asyncio.gather(*jobs)] == [0, fatal, 5, 6, 7, 8, 9, 10]


async def test_a_chunk_with_too_few_values_fails_whole(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        jobs = [call(pool, "too_few", {"chunk": True, "most": 3}, x=x) for x in range(6)]
        for done in await asyncio.gather(*jobs):
            assert done.fault is not None
            assert (
                done.fault["message"]
                == "gave 1 value for 3 jobs; a value for each job is expected, in their order"
            )


async def test_a_hanging_job_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    async with pool_in(tmp_path / "run", workers=2) as pool:
        arguments = {"file": str(tmp_path / "pid"), "gate": str(tmp_path / "never"), "child": True}
        hanging = asyncio.create_task(pool.do(order("waits", timeout=0.5), arguments, no_note))
        others = [call(pool, "double", x=x) for x in range(20)]
        assert [done.value["x"] for done in await asyncio.gather(*others)] == list(range(20))
        with pytest.raises(Lost) as caught:
            await hanging
        assert (caught.value.kind, caught.value.message) == ("timeout", "no answer within 0.5 s")
        assert not alive(int((tmp_path / "pid").read_text())), "what it started is ended with it"
        assert (await call(pool, "double", x=1)).value["twice"] == 2


async def test_an_import_is_not_in_the_time_limit(tmp_path: Path) -> None:
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(0.6)\ndef f(): return 'there'\n")
    async with pool_in(tmp_path / "run") as pool:
        slow = order("f", function="slow_to_import:f", path=(str(tmp_path),), timeout=0.3)
        assert (await pool.do(slow, {}, no_note)).value == "there"


async def test_cancelling_a_job_ends_its_worker_and_the_rest_go_on(tmp_path: Path) -> None:
    async with pool_in(tmp_path / "run") as pool:
        gate = tmp_path / "gate"
        arguments = {"file": str(tmp_path / "pid"), "gate": str(gate), "child": True}
        hanging = asyncio.create_task(pool.do(order("waits"), arguments, no_note))
        waiting = [asyncio.create_task(call(pool, "double", x=x)) for x in range(3)]
        child = await until(pid_in(tmp_path / "pid"), "the job")
        waiting[0].cancel()
        hanging.cancel()
        done = await asyncio.gather(hanging, *waiting, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert isinstance(done[1], asyncio.CancelledError)
        assert not alive(child)
        assert [one.value["x"] for one in done[2:] if not isinstance(one, BaseException)] == [1, 2]


async def test_a_worker_that_died_while_idle_costs_no_job_an_attempt(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        pid = (await call(pool, "process")).value
        os.kill(pid, 9)
        await until(lambda: not alive(pid), "its end")
        assert (await call(pool, "process")).value != pid


async def test_closing_ends_what_runs(tmp_path: Path) -> None:
    async with pool_in(tmp_path / "run") as pool:
        arguments = {"file": str(tmp_path / "pid"), "gate": str(tmp_path / "never")}
        task = asyncio.create_task(pool.do(order("waits"), arguments, no_note))
        pid = await until(pid_in(tmp_path / "pid"), "the job")
    assert not alive(pid)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_run_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    pool = Pool(lambda: Slots(tmp_path / "file" / "run"))
    with pytest.raises(NotStarted, match="no worker process can be started"):
        await call(pool, "double", x=1)


async def test_a_journal_that_fails_ends_the_worker(tmp_path: Path) -> None:
    traces: list[dict[str, Json]] = []

    def full(trace: dict[str, Json]) -> None:
        traces.append(trace)
        raise OSError("disk full")

    async with pool_in(tmp_path) as pool:
        with pytest.raises(OSError, match="disk full"):
            await pool.do(order("double"), {"x": 1}, full)
        assert not alive(traces[0]["pid"])
        assert (await call(pool, "double", x=1)).value["twice"] == 2


def test_the_functions_are_where_tests_say() -> None:
    assert (FOLDER / "functions_to_call.py").is_file()
