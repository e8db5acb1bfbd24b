"""However the app is ended, the terminal is as it was, and every job is done once or still to do."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batchtui.store.library import Library
from tests.terminal.terminals import Pty

JOBS = 60
RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l")


def batchtui(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchtui", *arguments], env=env, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def library(env: dict[str, str], tmp_path: Path) -> Library:
    """A batch half done: it writes a line for every run, and its driver was ended in the middle."""
    (tmp_path / "rows.csv").write_text("id\n" + "".join(f"r{n}\n" for n in range(JOBS)))
    (tmp_path / "batch.toml").write_text(
        'name = "notes"\nbackend = "local"\n[source]\nfile = "rows.csv"\n[limits]\nconcurrency = 4\n'
        f'[job]\ncommand = ["sh", "-c", "sleep 0.05; echo {{{{ id }}}} >> {tmp_path}/done; echo {{{{ id }}}}"]\n'
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "run", "--trust", str(tmp_path / "batch.toml"), "-q"],
        env=env,
    )
    library = Library(tmp_path / "data")
    end = time.monotonic() + 20
    while not (library.ids() and library.open(library.ids()[0]).status().completed):
        assert time.monotonic() < end
        time.sleep(0.01)
    run.terminate()
    run.wait()
    assert library.open(library.ids()[0]).status().pending > JOBS / 3
    return library


def finished(library: Library) -> int:
    return library.open(library.ids()[0]).status().completed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal_and_loses_nothing(
    number: signal.Signals, library: Library, env: dict[str, str], tmp_path: Path
) -> None:
    before = finished(library)
    terminal = Pty(env)
    try:
        terminal.shows(b"notes")
        end = time.monotonic() + 20
        while finished(library) < before + 4:
            terminal.read(0.01)
            assert time.monotonic() < end
        terminal.signal(number)
        assert terminal.ended() == 128 + number
        assert terminal.modes() == terminal.before
        assert all(code in terminal.written[-3000:] for code in RESTORED)
    finally:
        terminal.close()
    (batch_id,) = library.ids()
    status = library.open(batch_id).status()
    assert status.completed + status.pending == JOBS
    assert status.pending
    resumed = batchtui(env, "resume", batch_id, "-q")
    assert resumed.returncode == 0, resumed.stderr
    assert finished(library) == JOBS
    runs = (tmp_path / "done").read_text().split()
    assert set(runs) == {f"r{n}" for n in range(JOBS)}
    assert len(runs) - JOBS <= 8  # what two endings cut short after its last line


def test_without_a_terminal_few_lines_and_exit_2(env: dict[str, str]) -> None:
    for arguments in ([], ["open"], ["new"]):
        done = batchtui(env, *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert len(batchtui(env, "open").stderr.splitlines()) == 1
