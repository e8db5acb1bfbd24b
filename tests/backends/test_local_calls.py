"""Kind `local`: what the outcome of a call holds, which commands are tried again, and the limits of each form."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from batchtui.backends.base import Job, Transient
from batchtui.backends.local.backend import LocalBackend
from batchtui.decode import convert
from batchtui.model import JobState, Json, Outcome
from batchtui.work.job import ProgramWork
from tests.backends.local_help import alive, backend_in, job_of, no_note
from tests.work.pool_help import FOLDER, MODULE


def call_of(function: str, **arguments: Json) -> Job[ProgramWork]:
    table = {"call": f"{MODULE}:{function}", "arguments": arguments, "python_path": [str(FOLDER)]}
    return Job(0, "one", 1, "token", convert(table, ProgramWork, where="batch.toml", prefix="job"))


async def outcome(folder: Path, function: str, **arguments: Json) -> Outcome:
    backend = backend_in(folder)
    try:
        return await backend.run(call_of(function, **arguments), no_note)
    finally:
        await backend.close()


async def test_the_value_of_a_call_is_the_parsed_response(tmp_path: Path) -> None:
    got = await outcome(tmp_path, "double", x=4)
    assert (got.state, got.parsed_response, got.raw_response) == (
        JobState.COMPLETED,
        {"x": 4, "twice": 8.0},
        None,
    )
    assert set(got.output) == {"seconds"}
    assert (await outcome(tmp_path, "reads_stdin")).raw_response == ""


async def test_prints_and_the_end_of_a_traceback_are_in_the_output(tmp_path: Path) -> None:
    got = await outcome(tmp_path, "raises", x="luck")
    assert (got.state, got.error_kind, got.error) == (JobState.FAILED, "exception", "ValueError: no luck")
    assert got.output["stdout"] == "before it fails\n"
    assert got.output["traceback"].endswith("ValueError: no luck")


async def test_many_prints_are_cut_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("def f(): print('é' * 700_000)\n")
    work = ProgramWork(call="loud:f", python_path=[str(tmp_path)])
    backend = backend_in(tmp_path / "run")
    got = await backend.run(Job(0, "one", 1, "token", work), no_note)
    await backend.close()
    assert got.output["stdout"].endswith("é\n[cut here: 400,001 of 1,400,001 bytes were not kept]")
    assert got.output["truncated"] == {"stdout": 1_400_001}


async def test_a_worker_that_dies_may_pass(tmp_path: Path) -> None:
    with pytest.raises(Transient) as caught:
        await outcome(tmp_path, "dies", file=str(tmp_path / "f"), times=1)
    assert (caught.value.kind, caught.value.maybe_done) == ("worker", True)
    assert caught.value.message == "the worker process was ended by SIGKILL"


async def test_an_exception_that_calls_itself_transient_may_pass(tmp_path: Path) -> None:
    with pytest.raises(Transient) as caught:
        await outcome(tmp_path, "busy_until", file=str(tmp_path / "f"))
    assert (caught.value.kind, caught.value.message) == ("busy", "come back later")
    assert caught.value.outcome
    assert caught.value.outcome.output["traceback"]


async def test_closing_leaves_no_worker(tmp_path: Path) -> None:
    backend = backend_in(tmp_path)
    pid = (await backend.run(call_of("process"), no_note)).parsed_response
    assert alive(pid)
    await backend.close()
    assert not alive(pid)


async def test_chosen_exit_codes_of_a_command_may_pass(tmp_path: Path) -> None:
    job = job_of(["sh", "-c", "echo half; echo no licence >&2; exit 75"], retry_exit_codes=[75, 1])
    with pytest.raises(Transient) as caught:
        await backend_in(tmp_path).run(job, no_note)
    assert (caught.value.kind, caught.value.message) == ("exit", "exit 75: no licence")
    assert caught.value.outcome
    assert caught.value.outcome.output["stdout"] == "half\n"
    other = job_of(["sh", "-c", "exit 2"], retry_exit_codes=[75])
    assert (await backend_in(tmp_path).run(other, no_note)).error == "exit 2"


@pytest.mark.parametrize(
    ("template", "retries"),
    [
        ({"command": ["true"]}, 0),
        ({"command": ["true"], "retry_exit_codes": [75]}, 2),
        ({"call": "m:f"}, 2),
        ({"task": "{{ task }}", "grid": "{{ grid }}", "call": None}, 2),
        ({}, 0),
    ],
)
def test_retries_depend_on_the_form_of_work(tmp_path: Path, template: dict[str, Json], retries: int) -> None:
    limits = backend_in(tmp_path).limits_of(template)
    assert (limits.retries, limits.timeout, limits.concurrency) == (retries, None, os.cpu_count())


def test_a_module_that_is_nowhere_is_refused_unimported(tmp_path: Path) -> None:
    backend = backend_in(tmp_path)
    work = ProgramWork(call="no_such_package.module:f", python_path=["/somewhere"])
    [(key, message)] = backend.check(Job(0, "one", 1, "token", work))
    assert key == "call"
    assert "there is no module no_such_package in /somewhere" in message
    assert (
        backend.check(Job(0, "one", 1, "token", ProgramWork(call="xmlrpc.server:SimpleXMLRPCServer"))) == []
    )
    assert "xmlrpc.server" not in sys.modules
    assert MODULE not in sys.modules


def test_describe_shows_what_was_asked(tmp_path: Path) -> None:
    backend: LocalBackend = backend_in(tmp_path)
    shown = backend.describe(call_of("double", x=1))
    assert shown == {"call": f"{MODULE}:double", "arguments": {"x": 1}}
    assert backend.check(call_of("double", x=1)) == []
