"""Terminals that take no more than lines of plain text, or no more than ASCII."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.terminals import Pty

LOCALES = [{"LC_ALL": "C"}, {"LANG": "en_US.ISO-8859-1"}]
BATCH = """
name = "ünïcode … ✓"
backend = "local"
[source]
file = "rows.csv"
[job]
command = ["echo", "{{ word }}"]
"""
WORDS = "Zürich 日本 👩\u200d🚀 e\u0301 “x” …"

Open = Callable[..., Pty]


@pytest.fixture
def spoken(env: dict[str, str]) -> dict[str, str]:
    """An environment that says nothing of languages."""
    return {
        key: value
        for key, value in env.items()
        if key not in ("LANG", "TERM") and not key.startswith(("LC_", "PYTHONIO", "PYTHONUTF8"))
    }


@pytest.fixture
def opened() -> Iterator[Open]:
    open_ones: list[Pty] = []

    def start(*arguments: str, **env: str) -> Pty:
        open_ones.append(Pty(env, *arguments, size=(100, 30)))
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.close()


def written(one: Pty) -> str:
    """All that a command wrote, up to its end, without the terminal's own returns."""
    one.ended()
    return one.written.replace(b"\r\n", b"\n").decode("ascii")


def batch_file(folder: Path) -> str:
    (folder / "rows.csv").write_text(f"word\n{WORDS}\nplain\n", encoding="utf-8")
    (folder / "b.toml").write_text(BATCH, encoding="utf-8")
    return str(folder / "b.toml")


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_without_a_screen_the_app_says_in_plain_text_what_there_is(
    opened: Open, spoken: dict[str, str], term: str
) -> None:
    alone = opened(**spoken, TERM=term, LANG="C")
    text = written(alone)
    assert alone.status == 2
    assert f"TERM={term}" in text
    assert "check, run, resume" in text
    assert "\x1b" not in text
    assert len(text.splitlines()) < 15
    one = opened("new", **spoken, TERM=term, LANG="C")
    assert "needs a terminal with a screen" in written(one)
    assert one.status == 2


def test_without_a_screen_progress_is_lines_of_text(
    opened: Open, spoken: dict[str, str], tmp_path: Path
) -> None:
    run = opened("run", batch_file(tmp_path), "--trust", **spoken, TERM="dumb", LANG="C")
    text = written(run)
    assert run.status == 0
    assert "completed: 2 completed" in text
    watch = opened("watch", "ünïcode … ✓", **spoken, TERM="dumb", LANG="C")
    text += written(watch)
    assert watch.status == 0
    assert not set("\x1b\r\b") & set(text)


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_a_shell_without_utf8_is_told_in_ascii(
    opened: Open, spoken: dict[str, str], tmp_path: Path, locale: dict[str, str]
) -> None:
    env = spoken | locale | {"TERM": "xterm"}
    run = opened("run", batch_file(tmp_path), "--trust", **env)
    assert "unicode ... +" in written(run)
    assert run.status == 0
    for command in (("status", "ünïcode … ✓"), ("--help",)):
        assert "Traceback" not in written(opened(*command, **env))
    assert 'Zurich ???? ???? e "x"' in written(opened("results", "ünïcode … ✓", **env))


def test_the_app_without_utf8_draws_in_ascii(opened: Open, spoken: dict[str, str], tmp_path: Path) -> None:
    env = spoken | {"LANG": "C", "TERM": "xterm"}
    opened("run", batch_file(tmp_path), "--trust", **env).ended()
    app = opened(**env)
    app.shown(r"\+ completed")
    app.press(b"\r")
    app.shown("Zurich")
    app.press(b"\r")
    app.shown('e "x"')
    app.press(b"?")
    app.settle()
    app.signal(signal.SIGTERM)
    assert app.ended() == 128 + signal.SIGTERM
    assert app.written.isascii()


def test_what_is_piped_stays_word_for_word_in_any_locale(
    opened: Open, spoken: dict[str, str], tmp_path: Path
) -> None:
    env = spoken | {"LC_ALL": "C", "TERM": "xterm"}
    opened("run", batch_file(tmp_path), "--trust", "--set", "name=b", **env).ended()
    done = subprocess.run(
        [sys.executable, "-m", "batchtui", "results", "b", "--format", "csv", "--fields", "row.word"],
        env=env | {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert WORDS in done.stdout.decode()
