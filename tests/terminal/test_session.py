"""A person's whole session by keyboard alone, in tmux at 80x24: compose, submit, watch, read, quit, come back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from batchtui.store.library import Library
from tests.terminal.terminals import Tmux, clean_env

PENGUINS = Path(__file__).parents[1] / "data" / "inputs" / "penguins.csv"
Open = Callable[..., Tmux]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "config.toml"
    config.write_text("")
    return clean_env(
        BATCHTUI_DATA_DIR=str(tmp_path / "data"), BATCHTUI_CONFIG=str(config), HOME=str(tmp_path)
    )


@pytest.fixture
def app(env: dict[str, str]) -> Iterator[Open]:
    """`app(*arguments)`: batchtui in a tmux of its own."""
    with ExitStack() as open_ones:

        def make(*arguments: str) -> Tmux:
            tmux = Tmux(env, *arguments)
            open_ones.callback(tmux.close)
            return tmux

        yield make


def compose(tmux: Tmux, command: str, at_once: str) -> None:
    """Fill in the editor from the keyboard: source, backend, command, how many at once."""
    tmux.press("2")
    tmux.shows("Source", "Backend")
    tmux.type(str(PENGUINS))
    tmux.shows("344")
    tmux.press("Tab", "Enter")
    tmux.shows("local")
    tmux.press("Enter")
    tmux.shows("Command")
    while "Command" in tmux.screen() and command not in tmux.screen():
        tmux.press("Tab")
        tmux.type(command)
        tmux.shows(command.split()[0])
    assert at_once


def test_compose_submit_read_filter_quit_and_come_back(app: Open, tmp_path: Path) -> None:
    tmux = app()
    tmux.shows("local")
    program = "sh -c 'sleep 0.05; test {{ species }} != Chinstrap && echo {{ species }}'"
    compose(tmux, program, "4")
    tmux.press("f9")
    tmux.shows("344", "y")
    tmux.press("y")
    tmux.shows("completed", "Adelie")
    tmux.press("Enter")
    tmux.shows("Answer", "Request")
    tmux.press("Escape")
    library = Library(tmp_path / "data")
    (batch_id,) = library.ids()
    tmux.press("q")
    screen = tmux.shows("quit")
    assert "left with" in screen or "in flight" in screen.lower() or "finish" in screen.lower()
    tmux.press("Enter")
    tmux.shows("[left with 0]")
    half = library.open(batch_id).status()
    assert half.completed < 344
    assert half.processing == 0

    again = app()
    again.shows("penguins")
    end = time.monotonic() + 60
    while library.open(batch_id).status().status != "completed":
        assert time.monotonic() < end
        time.sleep(0.1)
    again.press("Enter")
    again.shows("JOB")
    again.press("f")
    again.shows("failed")
    again.press("q")
    again.shows("[left with 0]")
    ended = library.open(batch_id).status()
    assert (ended.completed + ended.failed, ended.maybe_twice) == (344, 0)


def test_two_apps_one_drives_and_the_other_takes_over(app: Open, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "batch.toml").write_text(
        f'name = "sleepers"\nbackend = "local"\n[source]\nfile = "{PENGUINS}"\n[limits]\nconcurrency = 2\n'
        f'[job]\ncommand = ["sh", "-c", "until [ -e {tmp_path}/go ]; do sleep 0.05; done"]\n'
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "run", str(tmp_path / "batch.toml")],
        env=env,
        stderr=subprocess.PIPE,
    )
    library = Library(tmp_path / "data")
    end = time.monotonic() + 20
    while not (library.ids() and library.open(library.ids()[0]).status().processing == 2):
        assert time.monotonic() < end
        time.sleep(0.02)
    run.terminate()
    run.communicate()
    (batch_id,) = library.ids()

    first = app()
    first.shows("sleepers", "processing")
    second = app()
    second.shows("sleepers", "processing")
    driver = library.open(batch_id).status().driver
    first.press("q")
    first.shows("quit")
    first.press("s")
    first.shows("[left with 0]")
    end = time.monotonic() + 10
    while (now := library.open(batch_id).status().driver) in (None, driver):
        assert time.monotonic() < end, "the second app did not take over"
        time.sleep(0.02)
    asked = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "batchtui", "cancel", batch_id], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - asked < 2.0
    assert now
    second.shows("cancelled")
    assert library.open(batch_id).status().cancelled == 344
