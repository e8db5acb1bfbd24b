"""The settings: every one in effect, where it came from and what it means, found by the filter and opened where it stands."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from batchtui.config import load_config
from batchtui.config.editing.listing import DEFAULT, Setting, in_effect, meanings
from batchtui.config.lines import line_of
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.setup.settings import SettingsScreen, understand
from tests.tui.samples import NOW, sample_library
from tests.tui.test_batches_screen import at
from tests.tui.waiting import screen_text, until

SECRET = "sk-ant-REALLOOKINGKEY0123456789abcdef"
CONFIG = """[backends.claude]
kind = "anthropic"
api_key_env = "A_KEY"
headers = { X-Team = "env:A_KEY" }

[limits]
cost_usd_per_day = 20.0

[ui]
theme = "batchtui-light"

[keys]
"batch.cancel" = "X"
"""


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    monkeypatch.setenv("A_KEY", SECRET)
    monkeypatch.setenv("BATCHTUI_NOTE", SECRET)
    monkeypatch.setenv("BATCHTUI_CONFIG", str(path))
    return path


def listed(path: Path, data: Path) -> dict[str, Setting]:
    return {one.key: one for one in in_effect(load_config(path), data)}


def an_app(path: Path, data: Path) -> BatchtuiApp:
    return BatchtuiApp(load_config(path), data, worker=False, now=lambda: NOW)


def test_each_says_where_it_came_from_and_what_it_means(config_file: Path, tmp_path: Path) -> None:
    found = listed(config_file, tmp_path / "elsewhere")
    assert found["limits.cost_usd_per_day"].origin == "config.toml:7"
    assert "in a day" in found["limits.cost_usd_per_day"].about
    assert found["ui.theme"].origin == "config.toml:10"
    assert found['keys."batch.cancel"'].origin == "config.toml:13"
    assert found["config"].origin == "environment: BATCHTUI_CONFIG"
    assert found["data_dir"].origin == "command line"
    assert found["notify.bell"] == Setting(
        "notify.bell",
        "false",
        DEFAULT,
        meanings()["[notify] and [notify.rules.NAME]"]["bell"][1],
        config_file,
    )
    assert found["backends.claude.api_key_env"].value == "A_KEY (is set)"
    assert found["backends.claude.timeout"].origin == DEFAULT
    assert found["backends.claude.timeout"].about
    assert len({one.key for one in found.values()}) == len(found)


def test_no_key_is_among_them(config_file: Path, tmp_path: Path) -> None:
    found = listed(config_file, tmp_path)
    assert not [one for one in found.values() if SECRET in str(one)]
    assert found["BATCHTUI_NOTE"].origin == "environment: BATCHTUI_NOTE"


def test_the_line_of_a_key_that_has_dots_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[prices."gpt-4.1"]\ninput = 1\noutput = 2\n[keys]\n"batch.cancel" = "X"\n')
    assert line_of(path, 'prices."gpt-4.1".output') == 3
    assert line_of(path, 'keys."batch.cancel"') == 5


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("cost", True),
        ("from:config key:limits", True),
        ("!cost", False),
        ("/^dollars/", False),
        ("/^limits.*dollars$/", True),
        ("value:20", True),
    ],
)
def test_the_language_of_all_filters(query: str, fits: bool) -> None:
    one = Setting("limits.cost_usd_per_day", "20.0", "config.toml:7", "US dollars")
    assert understand(query)(one) is fits


async def opened(pilot: Pilot[None]) -> SettingsScreen:
    await pilot.press("comma")
    await until(
        pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and "SETTING" in screen_text(pilot)
    )
    screen = pilot.app.screen
    assert isinstance(screen, SettingsScreen)
    return screen


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 48)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_setting_is_found_and_told(config_file: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    app = an_app(config_file, tmp_path / "data")
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"per_day", "enter")
        await until(pilot, lambda: "1 of " in screen_text(pilot))
        text = screen_text(pilot)
        assert "20.0" in text
        assert "US dollars that all batches" in text
        assert "config.toml:7" in text.replace("\n", "").replace(" ", "") or size[0] < 160
        await pilot.press("escape", "slash", *"erorr:x")
        await until(pilot, lambda: "No setting matches" in screen_text(pilot))
        assert SECRET not in screen_text(pilot)


async def test_enter_opens_the_file_at_its_line(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "vi"
    editor.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\nsed -i s/20.0/true/ "$2"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setattr(App, "suspend", _not_suspended)
    app = an_app(config_file, tmp_path / "data")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"per_day", "enter", "enter")
        await until(pilot, lambda: (tmp_path / "called").exists())
        assert (tmp_path / "called").read_text().split() == ["+7", str(config_file)]
        await until(pilot, lambda: any("cost_usd_per_day" in words for _, words in app.notes))


async def test_where_there_is_no_file_one_is_written_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "config.toml"
    monkeypatch.setenv("VISUAL", "true")
    monkeypatch.setattr(App, "suspend", _not_suspended)
    app = an_app(path, tmp_path / "data")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.front() is not None)
        await opened(pilot)
        assert "enter writes one" in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert not path.exists()
        await pilot.press("y")
        await until(pilot, path.exists)
        assert "# [backends.openai]" in path.read_text()


async def test_of_the_batch_under_the_cursor_too_and_by_the_palette(
    config_file: Path, tmp_path: Path
) -> None:
    library = sample_library(tmp_path / "data")
    app = an_app(config_file, library.data_dir)
    async with app.run_test(size=(120, 40)) as pilot:
        await at(pilot, "f4y7sc")
        await pilot.press("ctrl+p", *"every setting")
        await until(
            pilot, lambda: "Settings  (,)" in screen_text(pilot) and "Theme" not in screen_text(pilot)
        )
        await until(pilot, lambda: "Open  (" not in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("slash", *"from:batch cost", "enter")
        await until(pilot, lambda: "batch chat-smoke" in screen_text(pilot))
        assert "limits.cost_usd" in screen_text(pilot)
        await pilot.press("enter")
        assert "stands in no file" in app.notes[-1][1]


class _not_suspended:  # a terminal of a test cannot be handed on
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass
