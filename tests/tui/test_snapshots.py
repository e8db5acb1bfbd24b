"""What each screen looks like at two sizes; `pytest --snapshot-update` after looking at the report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchtui.store.library import Library
from tests.tui.samples import app_over

SIZES = [(80, 24), (160, 48)]
SCREENS = {
    "batches": ["j", "j"],
    "marked": ["space", "space"],
    "needs_you": ["j", "j", "j"],
    "batch": ["j", "j", "enter"],
    "failed_only": ["j", "j", "enter", "f", "j"],
    "log": ["j", "j", "t"],
    "help": ["question_mark"],
    "cancel": ["j", "j", "x"],
    "settle": ["j", "j", "j", "u"],
}
Compare = Callable[..., bool]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(snap_compare: Compare, library: Library, name: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_over(library), press=SCREENS[name], terminal_size=size)


@pytest.mark.parametrize("theme", ["ansi-dark", "textual-light"])
def test_themes(snap_compare: Compare, library: Library, theme: str) -> None:
    app = app_over(library)
    app.config.ui = {"theme": theme}
    assert snap_compare(app, press=["j", "j"], terminal_size=(80, 24))


def test_without_colour(snap_compare: Compare, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert snap_compare(app_over(library), press=["j", "j"], terminal_size=(80, 24))


def test_ascii(snap_compare: Compare, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    assert snap_compare(app_over(library), press=["j", "j"], terminal_size=(80, 24))


def test_low_and_tiny(snap_compare: Compare, library: Library) -> None:
    assert snap_compare(app_over(library), press=["j"], terminal_size=(60, 14))
