"""In tmux at 80x24, without colour: 344 jobs of which 168 failed, and a filter that shows 14 of them.

Each key names both counts, and what was chosen is what ran and what the file holds.
"""

from __future__ import annotations

import csv
import json
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
SHOWN = [n for n in range(1, 345) if "14" in str(n)]
MALE = [
    n for n, row in enumerate(csv.DictReader(PENGUINS.read_text().splitlines()), 1) if row["sex"] == "male"
]
BOTH = [n for n in SHOWN if n in MALE]
Open = Callable[..., Tmux]


@pytest.fixture
def app(env: dict[str, str]) -> Iterator[Open]:
    with ExitStack() as open_ones:

        def make(*arguments: str) -> Tmux:
            tmux = Tmux(env | {"NO_COLOR": "1"}, *arguments)
            open_ones.callback(tmux.close)
            return tmux

        yield make


def batch_file(folder: Path, name: str, script: str, more: str = "") -> str:
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nbackend = "local"\n[source]\nfile = "{PENGUINS}"\n{more}\n'
        f'[job]\ncommand = ["sh", "-c", {json.dumps(script)}, "x", "{{{{ sex }}}}"]\n'
    )
    return str(path)


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "batchtui", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)


def filtered(tmux: Tmux, name: str) -> None:
    tmux.shows(name, "344")
    tmux.press("Enter")
    tmux.shows("FIRST LINE")
    tmux.press("/")
    tmux.type("id:14")
    tmux.press("Enter")
    tmux.shows("14 of 344 shown")


def test_retry_and_export_under_a_filter(app: Open, env: dict[str, str], tmp_path: Path) -> None:
    assert (len(MALE), len(SHOWN)) == (168, 14)
    runs = tmp_path / "runs"
    script = f"echo $1 >> {runs}; [ $1 != male ]"
    ran = run(env, "run", batch_file(tmp_path, "birds", script), "--trust")
    assert ran.returncode == 1
    assert "not all completed: 176 completed, 168 failed" in ran.stderr
    assert "completed, but 168 failed" in run(env, "list").stdout
    assert len(runs.read_text().splitlines()) == 344
    tmux = app()
    tmux.shows("! 168 failed", "344/344", "1 partial")
    assert "✓" not in tmux.screen()
    filtered(tmux, "birds")

    tmux.press("e")
    tmux.shows("the 14 shown", "all 344")
    target = tmp_path / "out.jsonl"
    tmux.press("C-u")
    tmux.type(str(target))
    tmux.press("Enter")
    tmux.shows("wrote 14 of 344 results")
    assert [json.loads(line)["job_id"] for line in target.read_text().splitlines()] == [str(n) for n in SHOWN]

    tmux.press("r")
    tmux.shows(f"Retry {len(BOTH)} of 168 jobs?", f"The {len(BOTH)} shown", "All 168")
    tmux.press("Escape")
    tmux.shows("14 of 344 shown")
    assert len(runs.read_text().splitlines()) == 344
    tmux.press("r")
    tmux.shows(f"Retry {len(BOTH)} of 168 jobs?")
    tmux.press("Enter")
    tmux.shows("back to pending")
    (batch_id,) = Library(tmp_path / "data").ids()
    until(lambda: len(runs.read_text().splitlines()) >= 344 + len(BOTH) and ended(tmp_path, batch_id))
    assert runs.read_text().splitlines()[344:] == ["male"] * len(BOTH)


def ended(folder: Path, batch_id: str) -> bool:
    status = Library(folder / "data").open(batch_id).status()
    return not status.pending and not status.processing


def test_cancel_under_a_filter(app: Open, env: dict[str, str], tmp_path: Path) -> None:
    go = tmp_path / "go"
    path = batch_file(
        tmp_path, "sleepers", f"until [ -e {go} ]; do sleep 0.05; done", "[limits]\nconcurrency = 2"
    )
    command = [sys.executable, "-m", "batchtui", "run", path, "--trust", "-q"]
    first = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    library = Library(tmp_path / "data")
    until(lambda: library.ids() and library.open(library.ids()[0]).status().processing == 2)
    first.terminate()
    first.wait()
    (batch_id,) = library.ids()
    tmux = app()
    tmux.shows("2 running here")
    filtered(tmux, "sleepers")
    tmux.press("x")
    tmux.shows("Cancel 14 of 344 jobs?", "The 14 shown", "All 344")
    tmux.press("Enter")
    until(lambda: library.open(batch_id).status().cancelled == 14)
    go.touch()
    until(lambda: ended(tmp_path, batch_id))
    status = library.open(batch_id).status()
    assert (status.completed, status.cancelled) == (330, 14)
    tmux.press("Escape", "Escape")
    tmux.shows("× 14 cancelled")


def test_marks_up_to_the_cursor_and_along_with_it(app: Open, env: dict[str, str], tmp_path: Path) -> None:
    assert run(env, "run", batch_file(tmp_path, "birds", "exit 0", "limit = 9"), "--trust").returncode == 0
    tmux = app()
    tmux.shows("birds", "9/9")
    tmux.press("Enter")
    tmux.shows("Jobs 9")
    tmux.press("Space", "Down", "C-Space")
    tmux.shows("3 marked")
    tmux.press("S-Down", "S-Down", "S-Up")
    tmux.shows("4 marked")
    tmux.press("U", "Space", "G", "V")
    tmux.shows("6 marked")
