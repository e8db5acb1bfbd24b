"""A person with an empty home, 80 columns and no key reads a first answer after six keys, as the README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.terminals import Tmux, clean_env

KEYS = [
    ("e", "A program over every file of a folder"),
    ("Enter", "row 1 of 2"),
    ("F9", "Submit files: 2 jobs to local?"),
    ("y", "2 completed"),
    ("Enter", "11 one.txt"),
    ("Enter", "1 of 2"),
]
README = Path(__file__).parents[2] / "README.md"


def test_a_first_answer_in_six_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""}
    tmux = Tmux(clean_env(**home))
    try:
        tmux.shows("Practice", "e   Take an example")
        for key, shown in KEYS:
            tmux.press(key)
            screen = tmux.shows(shown)
        assert "11 one.txt" in screen
    finally:
        tmux.close()
    told = ", ".join(f"`{key.lower()}`" for key, _ in KEYS)
    assert told in README.read_text("utf-8")
