"""Every exit code of the table comes of what the table says, and `--help` and the manual have them all."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from batchtui.cli.commands import overview
from batchtui.demo.server import DemoServer
from batchtui.exit_codes import WORDS, Exit
from batchtui.manual import page
from tests.cli.cli_help import PENGUINS, PROMPT, Cli, until

ROWS = (str(PENGUINS), "--set", "source.limit=2", "--set", "name=k", "--trust")
REMOTE = (*ROWS, "--backend", "openai", *PROMPT)
LOCAL = (*ROWS, "--backend", "local", "--set")


def completed(cli: Cli, _: object) -> int:
    return cli("run", *LOCAL, 'job.command=["true"]').code


def some_failed(cli: Cli, _: object) -> int:
    return cli("run", *LOCAL, 'job.command=["false"]').code


def usage(cli: Cli, _: object) -> int:
    assert cli("run", *LOCAL, "job.command=5").code == 2
    return cli("lst").code


def no_key(cli: Cli, _: object) -> int:
    return cli("run", *REMOTE, OPENAI_API_KEY="").code


def unreachable(cli: Cli, _: object) -> int:
    (cli.folder / "config.toml").write_text(
        '[backends.openai]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
    )
    return cli("remote", "openai").code


def limit(cli: Cli, with_demo: Callable[..., DemoServer]) -> int:
    with_demo()
    return cli("run", *REMOTE, "--set", "job.max_tokens=500", "--set", "limits.cost_usd=0.0000001").code


def live(cli: Cli, with_demo: Callable[..., DemoServer]) -> int:
    with_demo("duration=600s")
    assert cli("run", *REMOTE, "--detach").code == 0
    return cli("wait", "k", "--timeout", "1s").code


def not_found(cli: Cli, _: object) -> int:
    return cli("status", "nothere").code


def ended_by(number: signal.Signals) -> Callable[[Cli, object], int]:
    def run(cli: Cli, _: object) -> int:
        run = cli.start("run", *LOCAL, 'job.command=["sleep", "600"]')
        until(lambda: any((cli.folder / "data").glob("batches/*/results.jsonl")))
        run.send_signal(number)
        run.communicate(timeout=60)
        return run.returncode

    return run


def pipe_closed(cli: Cli, _: object) -> int:
    going = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "--help"], stdout=subprocess.PIPE, env=cli.environment()
    )
    assert going.stdout
    going.stdout.close()
    return going.wait()


COME_OF = {
    Exit.OK: completed, Exit.SOME_FAILED: some_failed, Exit.BAD_INPUT: usage, Exit.NO_KEY: no_key,
    Exit.UNREACHABLE: unreachable, Exit.LIMIT: limit, Exit.LIVE: live, Exit.NOT_FOUND: not_found,
    Exit.HUNG_UP: ended_by(signal.SIGHUP), Exit.INTERRUPTED: ended_by(signal.SIGINT),
    Exit.TERMINATED: ended_by(signal.SIGTERM), Exit.PIPE_CLOSED: pipe_closed,
}  # fmt: skip


def test_help_and_the_manual_name_each_of_them() -> None:
    told = " ".join(overview()[overview().index("Exit codes:") :].split())
    assert [int(code) for code in re.findall(r"(?:: |· )(\d+) [a-z]", told)] == list(Exit)
    assert all(f"{code.value} {words}" in told for code, words in WORDS.items())
    heads = re.findall(r"^\| ([\d, ]+) \|", page("scripts").text, re.MULTILINE)
    assert {int(code) for head in heads for code in head.split(",")} == set(Exit)


@pytest.mark.parametrize("code", Exit)
def test_a_code_comes_of_what_the_table_says(
    code: Exit, cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    assert COME_OF[code](cli, with_demo) == code
