"""A process ends with its exit code, and by nothing else: no thread of it meets an interpreter that is taken down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.cli_help import Cli, local_options
from tests.promises.many_at_once import COMMANDS, Ended

PROBE = """
import atexit, os, sys, threading, time
atexit.register(os.write, 2, b"taken down")
from batchtui.cli.entry import program
threading.Thread(target=time.sleep, args=(600,)).start()
program()
"""


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["--version"], 0, "batchtui ", ""),
        (["list", "--json"], 0, "", ""),
        (["help"], 0, "batchtui", ""),
        (["status", "nothere"], 7, "", "nothere"),
        (["lst"], 2, "", "did you mean"),
    ],
)
def test_it_ends_at_once_and_all_that_was_said_is_out(
    cli: Cli, arguments: list[str], code: int, out: str, err: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True, text=True, env=cli.environment(), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert out in done.stdout
    assert err in done.stderr
    assert "taken down" not in done.stderr


def test_a_reader_that_went_away_is_told_by_the_exit_code(cli: Cli) -> None:
    going = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "help"], stdout=subprocess.PIPE, env=cli.environment()
    )
    assert going.stdout
    going.stdout.close()
    assert going.wait() == 141


def test_commands_on_ended_batches_end_by_no_signal(tmp_path: Path) -> None:
    ended = Ended(tmp_path)
    for command in COMMANDS:
        codes = ended.often(command, 4, 4)
        assert codes.keys() <= {0, 1, 2}, (command, codes)


def test_a_log_that_takes_no_words_ends_no_work(cli: Cli) -> None:
    """As `batchtui run … 2> log` on a disk that is full: the jobs are done, and the data is out."""
    (cli.folder / "rows.csv").write_text("id\na\nb\n")
    command = [
        sys.executable,
        "-m",
        "batchtui",
        "run",
        "rows.csv",
        *local_options(["true"], "full"),
        "--json",
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=full, text=True,
            env=cli.environment(), cwd=cli.folder, check=False,
        )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["completed"] == 2
