"""A sentence that tells one to press a key names the key as it is set."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import batchtui
from batchtui.store.library import Library
from batchtui.tui.actions.table import BY_ID
from batchtui.tui.app import BatchtuiApp
from tests.cli.test_told_commands import texts
from tests.tui.samples import app_over, sample_config

SOURCE = Path(batchtui.__file__).parent / "tui"
NAMED = re.compile(r"(?:^|[;:,]|  ) ?(?:[a-zA-Z]|[fF]\d|ctrl\+[a-z]|esc|tab) (?:[a-z]+s|again)\b")
FIXED = (
    "esc leaves everything",
    "esc does nothing",
    "esc changes nothing",
    "tab next",
    "esc ends the search",
    "!tag takes one away",
)
"""Keys of dialogs and fields, which are no actions."""


def test_no_text_has_a_key_written_into_it() -> None:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name != "table.py":  # the table of the keys itself
            found += [
                (path.name, text) for text in texts(ast.parse(path.read_text("utf-8"))) if NAMED.search(text)
            ]
    assert [one for one in found if not any(words in one[1] for words in FIXED)] == []


def test_a_key_written_into_a_text_would_be_found() -> None:
    assert NAMED.search("archived it; Z shows archived batches")
    assert NAMED.search("  u settles it  ")


async def test_a_key_that_was_changed_is_the_one_that_is_told(library: Library) -> None:
    config = sample_config(library.data_dir)
    config.keys = {"batch.archived": "f12", "app.quit": "Q"}
    app = BatchtuiApp(config, library.data_dir, worker=False, now=app_over(library).now)
    async with app.run_test():
        assert (app.key("batch.archived"), app.key("app.quit")) == ("f12", "Q")
        app.action_app_interrupt()
        assert "Q quits, " in app.notes[-1][1]


def test_every_action_has_a_key_to_tell() -> None:
    assert [action.id for action in BY_ID.values() if not action.keys] == []
