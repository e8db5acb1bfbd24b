"""Every exit code of the table in `--help` comes of what the table says, and the table has every one that comes."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest

from batchtui.cli.commands import overview
from batchtui.demo.server import DemoServer
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


def interrupted(cli: Cli, _: object) -> int:
    run = cli.start("run", *LOCAL, 'job.command=["sleep", "600"]')
    until(lambda: any((cli.folder / "data").glob("batches/*/results.jsonl")))
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    return run.returncode


CODES = {
    0: completed, 1: some_failed, 2: usage, 3: no_key, 4: unreachable, 5: limit, 6: live, 7: not_found,
    130: interrupted,
}  # fmt: skip


def test_the_table_names_each_of_them() -> None:
    told = overview()[overview().index("Exit codes:") :]
    assert {int(code) for code in re.findall(r"(?:: |· |  )(\d+) [a-z]", told)} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_comes_of_what_the_table_says(
    code: int, cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    assert CODES[code](cli, with_demo) == code
