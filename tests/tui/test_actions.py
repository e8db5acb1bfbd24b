"""The table of actions: every key has one meaning on a screen, every action a method, and `[keys]` rebinds by id."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from batchtui import manual
from batchtui.store.library import Library
from batchtui.tui.actions import table as actions
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.batches import BatchesScreen
from batchtui.tui.screens.beginning.first_run import FirstRunScreen
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.screens.errors import ErrorsScreen
from batchtui.tui.screens.help import HelpScreen
from batchtui.tui.screens.info import InfoScreen
from batchtui.tui.screens.log import LogScreen
from batchtui.tui.screens.manual import PAGE_OF, ManualScreen
from batchtui.tui.screens.reading.compare import CompareScreen
from batchtui.tui.screens.reading.pair import PairScreen
from batchtui.tui.screens.reading.result import ResultScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from batchtui.tui.screens.setup.backends import BackendsScreen
from batchtui.tui.screens.setup.remote import RemoteScreen
from batchtui.tui.screens.setup.settings import SettingsScreen
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until

SCREENS: dict[str, type] = {
    "batches": BatchesScreen,
    "batch": BatchScreen,
    "info": InfoScreen,
    "errors": ErrorsScreen,
    "compose": ComposeScreen,
    "result": ResultScreen,
    "log": LogScreen,
    "help": HelpScreen,
    "manual": ManualScreen,
    "first_run": FirstRunScreen,
    "backends": BackendsScreen,
    "remote": RemoteScreen,
    "settings": SettingsScreen,
    "views": ViewsScreen,
    "compare": CompareScreen,
    "pair": PairScreen,
    "dialog": Dialog,
}


@pytest.mark.parametrize("name", actions.SCREENS)
def test_a_key_has_one_meaning_on_a_screen(name: str) -> None:
    held: dict[str, list[str]] = defaultdict(list)
    for action in actions.of_screen(name):
        for key in action.keys:
            held[key].append(action.id)
    assert {key: ids for key, ids in held.items() if len(ids) > 1} == {}


@pytest.mark.parametrize("action", actions.ACTIONS, ids=lambda action: action.id)
def test_every_action_can_be_done(action: actions.Action) -> None:
    owners = [BatchtuiApp] if action.of_app else [SCREENS[name] for name in action.screens]
    assert owners
    for owner in owners:
        assert hasattr(owner, f"action_{action.method}"), owner
    assert action.help
    assert action.title
    assert len(action.title) <= 14


def test_ids_are_unique_and_screens_known() -> None:
    assert len(actions.BY_ID) == len(actions.ACTIONS)
    assert {name for action in actions.ACTIONS for name in action.screens} <= set(actions.SCREENS)
    assert set(SCREENS) == set(actions.SCREENS)


def test_no_key_that_terminals_lose() -> None:
    for action in actions.ACTIONS:
        for key in action.keys:
            assert not key.startswith(("alt+", "ctrl+shift+")), action.id
        if set(action.keys) & {"ctrl+s", "ctrl+q"}:
            assert len(action.keys) > 1, f"{action.id} needs a key that flow control does not take"


def test_every_screen_has_a_place() -> None:
    assert all(cls.place == name for name, cls in SCREENS.items() if issubclass(cls, AppScreen))


@pytest.mark.parametrize(
    ("wanted", "good", "fault"),
    [
        ({"batch.cancel": "X"}, {"batch.cancel": "X"}, ""),
        ({"batch.cancle": "X"}, {}, 'did you mean "batch.cancel"'),
        ({"batch.cancel": "r"}, {}, 'already the key of "batch.retry"'),
        ({"batch.cancel": "r", "batch.retry": "R"}, {"batch.cancel": "r", "batch.retry": "R"}, ""),
        ({"batch.cancel": " "}, {}, "no key given"),
        ({"batch.cancel": "X, f12"}, {"batch.cancel": "X,f12"}, ""),
    ],
)
def test_keymap(wanted: dict[str, str], good: dict[str, str], fault: str) -> None:
    found, faults = actions.keymap(wanted)
    assert found == good
    assert fault in " ".join(faults)
    assert bool(faults) == bool(fault)


async def test_a_rebound_key_works_and_the_old_one_is_dead(library: Library) -> None:
    app = app_over(library)
    app.config.keys = {"app.help": "f12", "no.such": "x"}
    async with app.run_test() as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, BatchesScreen)
        await pilot.press("f12")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until(pilot, lambda: "f12" in screen_text(pilot))
    assert any("no.such" in words for _, words in app.notes)


async def test_help_names_every_action_of_the_screen(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 120)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: "batch.resolve" in screen_text(pilot))
        text = screen_text(pilot)
        for action in actions.of_screen("batches"):
            assert action.id in text


def test_cells_never_widen_their_column() -> None:
    """`update_width=True` costs minutes over many rows."""
    for path in Path(actions.__file__).parents[1].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.keyword) and node.arg == "update_width"), path


def test_no_thread_waits_for_the_screen() -> None:
    """A terminal that stops reading would hold up polling and saving."""
    for path in Path(actions.__file__).parents[1].rglob("*.py"):
        names = [
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        ]
        assert "call_from_thread" not in names, path


async def test_help_leads_to_the_page_of_the_screen_and_on_to_every_other(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press("question_mark", "m")
        await until(pilot, lambda: isinstance(app.screen, ManualScreen))
        await until(app, lambda: manual.page("app").title in screen_text(app))
        seen = []
        for _ in manual.names():
            seen.append(app.screen.page.name)  # type: ignore[attr-defined]
            await pilot.press("n")
        assert sorted(seen) == sorted(manual.names())
        await pilot.press("m", *"ssh", "enter")
        await until(pilot, lambda: "tmux new" in screen_text(app))
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, BatchesScreen)


def test_every_screen_has_its_page() -> None:
    assert PAGE_OF.keys() | {"help", "manual"} == set(actions.EVERYWHERE)
    assert set(PAGE_OF.values()) <= set(manual.names())
