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
from tests.terminal.terminals import Tmux

PENGUINS = Path(__file__).parents[1] / "data" / "inputs" / "penguins.csv"
CHINSTRAPS = sum("Chinstrap" in line for line in PENGUINS.read_text().splitlines())
Open = Callable[..., Tmux]


@pytest.fixture
def app(env: dict[str, str]) -> Iterator[Open]:
    """`app(*arguments)`: batchtui in a tmux of its own."""
    with ExitStack() as open_ones:

        def make(*arguments: str) -> Tmux:
            tmux = Tmux(env, *arguments)
            open_ones.callback(tmux.close)
            return tmux

        yield make


def compose(tmux: Tmux, command: str) -> None:
    """Fill in the editor from the keyboard: the source, then the command; `local` and commands are there already."""
    tmux.press("2")
    tmux.shows("Source", "Backend")
    tmux.type(str(PENGUINS))
    tmux.shows("CSV, 344 rows", "on this machine")
    tmux.press("Tab", "Tab", "Tab")
    tmux.type(command)
    tmux.shows("row 1 of 344")


def test_compose_submit_read_filter_quit_and_come_back(app: Open, tmp_path: Path) -> None:
    tmux = app()
    tmux.shows("local")
    program = "sh -c 'sleep 0.04; test {{ species }} != Chinstrap && echo {{ species }}'"
    compose(tmux, program)
    tmux.press("F9")
    tmux.shows("Submit penguins: 344 jobs to local?")
    tmux.press("y")
    tmux.shows("▸ processing", "/344")
    tmux.press("Enter")
    tmux.shows("FIRST LINE", "Adelie")
    tmux.press("Enter")
    tmux.shows("1 of 344", "Adelie")
    library = Library(tmp_path / "data")
    (batch_id,) = library.ids()
    tmux.press("q")
    tmux.shows("Quit is not cancel", "Finish the")
    tmux.press("Enter")
    tmux.shows(f"batch {batch_id} is not finished", "[left with 0]")
    half = library.open(batch_id).status()
    assert 0 < half.completed < 344
    assert half.processing == 0

    again = app()
    again.shows("penguins", f"! {CHINSTRAPS} failed", "344/344")
    again.press("Enter")
    again.shows("FIRST LINE")
    again.press("f")
    again.shows("! failed", "exit 1")
    assert "Adelie" not in again.screen()
    again.press("q")
    again.shows("[left with 0]")
    ended = library.open(batch_id).status()
    assert (ended.completed, ended.failed, ended.maybe_twice) == (344 - CHINSTRAPS, CHINSTRAPS, 0)


def test_two_apps_one_drives_and_the_other_takes_over(app: Open, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "batch.toml").write_text(
        f'name = "sleepers"\nbackend = "local"\n[source]\nfile = "{PENGUINS}"\n[limits]\nconcurrency = 2\n'
        f'[job]\ncommand = ["sh", "-c", "until [ -e {tmp_path}/go ]; do sleep 0.05; done"]\n'
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "run", "--trust", str(tmp_path / "batch.toml")],
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
    first.shows("Quit is not cancel")
    first.press("Down", "Enter")
    first.shows("[left with 0]")
    end = time.monotonic() + 10
    while library.open(batch_id).status().driver in (None, driver):
        assert time.monotonic() < end, "the second app did not take over"
        time.sleep(0.02)
    done = subprocess.run(
        [sys.executable, "-m", "batchtui", "cancel", batch_id], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    end = time.monotonic() + 60
    while library.open(batch_id).status().cancelled < 344:
        time.sleep(0.02)
        assert time.monotonic() < end, "the cancel is not obeyed"
    second.shows("cancelled")
