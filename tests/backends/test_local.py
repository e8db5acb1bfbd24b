"""Kind `local`: what a program gets, and what its result holds."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from batchtui.backends.base import Setup
from batchtui.backends.local.backend import LocalBackend, LocalSettings
from batchtui.errors import BadInput
from batchtui.model import JobState, Json, Outcome
from tests.backends.local_help import backend_in, job_of, no_note


async def run(folder: Path, command: list[Json], **fields: Json) -> Outcome:
    return await backend_in(folder).run(job_of(command, **fields), no_note)


async def test_output_and_exit_code(tmp_path: Path) -> None:
    outcome = await run(tmp_path, ["sh", "-c", "echo out; echo err >&2"])
    assert (outcome.state, outcome.raw_response, outcome.error) == (JobState.COMPLETED, "out\n", None)
    assert outcome.output["stdout"] == "out\n"
    assert outcome.output["stderr"] == "err\n"
    assert outcome.output["exit_code"] == 0
    assert outcome.output["seconds"] > 0
    assert "truncated" not in outcome.output


async def test_an_exit_code_is_a_failure_that_quotes_the_last_line_of_stderr(tmp_path: Path) -> None:
    outcome = await run(
        tmp_path, ["sh", "-c", "echo part; echo first >&2; echo 'no grid' >&2; echo >&2; exit 3"]
    )
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "exit")
    assert outcome.error == "exit 3: no grid"
    assert outcome.raw_response == "part\n"
    assert (await run(tmp_path, ["false"])).error == "exit 1"


async def test_a_signal_is_named(tmp_path: Path) -> None:
    outcome = await run(tmp_path, ["sh", "-c", "kill -KILL $$"])
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "signal")
    assert outcome.error is not None
    assert "SIGKILL" in outcome.error
    assert outcome.output["exit_code"] == -9


@pytest.mark.parametrize(
    ("command", "fields", "said"),
    [
        (["no-such-program"], {}, "cannot start no-such-program: No such file"),
        (["true"], {"cwd": "/no/such/folder"}, "/no/such/folder"),
        (["true", "a\0b"], {}, "null byte"),
        ([], {}, "empty"),
        (["/etc/passwd"], {}, "Permission denied"),
    ],
)
async def test_what_cannot_start_fails_at_once(
    tmp_path: Path, command: list[Json], fields: dict[str, Json], said: str
) -> None:
    outcome = await run(tmp_path, command, **fields)
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "start")
    assert said in str(outcome.error)


async def test_stdin(tmp_path: Path) -> None:
    backend = backend_in(tmp_path)
    assert (await backend.run(job_of(["cat"], stdin="grüße\n"), no_note)).raw_response == "grüße\n"
    assert (await backend.run(job_of(["cat"], stdin=""), no_note)).raw_response == ""
    assert (await backend.run(job_of(["cat"], stdin=12), no_note)).raw_response == "12"
    assert (await backend.run(job_of(["cat"]), no_note)).raw_response == "", (
        "an earlier job's input must be gone"
    )


async def test_env_adds_to_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "kept")
    outcome = await run(tmp_path, ["sh", "-c", 'echo "$OURS $THEIRS"'], env={"THEIRS": 1.5})
    assert outcome.raw_response == "kept 1.5\n"


async def test_cwd_and_a_program_relative_to_it(tmp_path: Path) -> None:
    script = tmp_path / "here.sh"
    script.write_text("#!/bin/sh\npwd\n")
    script.chmod(0o755)
    job = job_of(["./here.sh"], cwd=str(tmp_path))
    backend = backend_in(tmp_path / "run")
    assert backend.check(job) == []
    assert (await backend.run(job, no_note)).raw_response == f"{tmp_path}\n"


async def test_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    hostile = ["$HOME", "`id`", "; rm -rf *", "a | b", "> x", "q\"u'o", "*", "line\nfeed", "", "-n"]
    show = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))"]
    outcome = await run(tmp_path, [*show, *hostile])
    assert msgspec.json.decode(outcome.raw_response or "") == hostile


async def test_numbers_become_text(tmp_path: Path) -> None:
    outcome = await run(tmp_path, ["echo", 3, 2.5, True, "x"])
    assert outcome.raw_response == "3 2.5 true x\n"


async def test_big_output_is_cut_with_a_note_and_leaves_no_file_behind(tmp_path: Path) -> None:
    outcome = await run(
        tmp_path,
        [
            sys.executable,
            "-c",
            "import sys; print('a' + 'é' * 600_000); sys.exit('z' * 2_000_000 + '\\nthe end')",
        ],
    )
    text = outcome.raw_response or ""
    assert text.startswith("aééé")
    assert "�" not in text
    assert text.endswith("é\n[cut here: 200,002 of 1,200,002 bytes were not kept]")
    assert outcome.output["truncated"] == {"stdout": 1_200_002, "stderr": 2_000_009}
    assert outcome.error == "exit 1: the end"
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 0


async def test_output_that_is_no_utf8_is_replaced(tmp_path: Path) -> None:
    assert (await run(tmp_path, ["printf", "a\\377b"])).raw_response == "a�b"


async def test_a_program_gets_none_of_our_descriptors_but_its_slot(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        outcome = await run(
            tmp_path, [sys.executable, "-c", "import os; print(len(os.listdir('/proc/self/fd')))"]
        )
    assert outcome.raw_response == "5\n", "0, 1, 2, the slot, and the listing itself"


async def test_many_at_once_share_a_few_slots(tmp_path: Path) -> None:
    backend = backend_in(tmp_path)
    for _ in range(3):
        jobs = [backend.run(job_of(["echo", number]), no_note) for number in range(8)]
        outcomes = await asyncio.gather(*jobs)
        assert [outcome.raw_response for outcome in outcomes] == [f"{number}\n" for number in range(8)]
    assert len(list(tmp_path.glob("slot-*.lock"))) == 8


async def test_the_run_folder_is_private(tmp_path: Path) -> None:
    await run(tmp_path / "batch" / "run", ["true"], stdin="x")
    assert (tmp_path / "batch" / "run").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "batch" / "run").iterdir()} == {0o600}


async def test_an_unusable_run_folder_is_an_outcome(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = await run(tmp_path / "file" / "run", ["true"])
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "output")


async def test_without_a_run_folder_a_temporary_one_is_used_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    backend = LocalBackend(Setup("local", LocalSettings(kind="local")))
    assert (await backend.run(job_of(["echo", "x"]), no_note)).raw_response == "x\n"
    assert len(list(tmp_path.iterdir())) == 1
    await backend.close()
    assert list(tmp_path.iterdir()) == []


def test_runs_on_a_loop_of_another_thread(tmp_path: Path) -> None:
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(asyncio.run(run(tmp_path, ["echo", "x"]))))
    thread.start()
    thread.join(20)
    assert [outcome.raw_response for outcome in outcomes] == ["x\n"]


async def test_runs_where_there_is_no_pidfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise PermissionError("forbidden")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    outcome = await run(tmp_path, ["sh", "-c", "sleep 0.05; exit 4"])
    assert outcome.error == "exit 4"


@pytest.mark.parametrize(
    ("command", "fields", "key", "said"),
    [
        (["no-such-program"], {}, "command", "no-such-program on the PATH"),
        (["/etc/passwd"], {}, "command", "not executable"),
        (["./gone"], {}, "command", "./gone"),
        (["/tmp"], {}, "command", "no program"),
        ([], {}, "command", "empty"),
        ([""], {}, "command", "empty"),
        (["echo", "a\0b"], {}, "command", "NUL"),
        (["true"], {"cwd": "/no/such"}, "cwd", "/no/such"),
        (["true"], {"env": {"A=B": "x"}}, "env.A=B", "="),
        (["true"], {"env": {"A": "x\0"}}, "env.A", "NUL"),
        (["true"], {"env": {"PATH": "/nowhere"}}, "command", "true"),
    ],
)
def test_check_names_the_key(
    tmp_path: Path, command: list[Json], fields: dict[str, Json], key: str, said: str
) -> None:
    [(found, message)] = backend_in(tmp_path).check(job_of(command, **fields))
    assert found == key
    assert said in message


def test_check_passes_what_runs(tmp_path: Path) -> None:
    assert backend_in(tmp_path).check(job_of(["wc", "-w"], cwd=str(tmp_path), env={"A": ""})) == []


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ({"command": "wc -w 'a b.txt'"}, 'write ["wc","-w","a b.txt"]'),
        ({"command": "it's"}, "such as"),
        ({"command": ["a", ["b"]]}, "job.command[1]"),
        ({"comand": ["a"]}, 'did you mean "command"?'),
        ({}, "name one of command, call, task"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(work: dict[str, Json], said: str) -> None:
    from batchtui.decode import convert
    from batchtui.work.job import ProgramWork

    with pytest.raises(BadInput) as caught:
        convert(work, ProgramWork, where="jobs.toml", prefix="job")
    assert said in str(caught.value)


def test_describe_shows_the_job_without_secrets(tmp_path: Path) -> None:
    job = job_of(["wc", 1], cwd="/tmp", stdin="x" * 600, env={"MODE": "fast", "API_TOKEN": "hidden"})
    shown = backend_in(tmp_path).describe(job)
    assert shown["command"] == ["wc", "1"]
    assert shown["cwd"] == "/tmp"
    assert shown["stdin"] == "x" * 500 + "… +100"
    assert shown["env"] == {"MODE": "fast", "API_TOKEN": "•••"}
    assert backend_in(tmp_path).describe(job_of(["true"])) == {"command": ["true"]}


def test_limits(tmp_path: Path) -> None:
    limits = backend_in(tmp_path).limits
    assert (limits.concurrency, limits.timeout, limits.retries) == (os.cpu_count(), None, 0)
