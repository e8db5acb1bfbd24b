"""What the screens say of submissions, of money, and of batches that only a person can help."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from batchtui.model import Attention
from batchtui.store.files import inbox
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.look import attention_words
from batchtui.tui.screens.asking.dialogs import Choose
from batchtui.tui.screens.asking.limit_dialog import LimitDialog
from batchtui.tui.screens.batches import BatchesScreen
from batchtui.tui.screens.info import InfoScreen
from batchtui.tui.screens.reading.result import ResultScreen
from tests.tui.samples import app_over, sample_config
from tests.tui.stage_samples import stage_library
from tests.tui.waiting import screen_text, until


@pytest.fixture
def staged(library: Library) -> Library:
    return stage_library(library)


async def at(pilot: Pilot[None], batch_id: str) -> None:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    await until(pilot, lambda: isinstance(app.screen, BatchesScreen) and app.screen.table.ids)
    app.batches_screen().select(batch_id)
    await pilot.pause()


def commands(library: Library, batch_id: str) -> list[tuple[str, dict[str, object]]]:
    path = library.path(batch_id) / "inbox.jsonl"
    return [(one.command, one.args) for _, one in inbox.read(path.parent, 0) if one] if path.exists() else []


async def test_a_silent_backend_shows_time_and_never_0_percent(staged: Library) -> None:
    app = app_over(staged)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, "n3quie")
        line = next(line for line in screen_text(pilot).splitlines() if "n3quie" in line)
        assert "12m of ~35m" in line
        assert "~23m" in line
        strip = screen_text(pilot)
        assert "12 min, usually 35 min" in strip
        assert " 0%" not in strip
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InfoScreen))
        facts = screen_text(pilot)
        assert "12 min, usually 35 min" in facts
        assert "%" not in facts
        assert "ended by its backend in 23 h" in facts
        assert "msgbatch_01QuietUbwbV5uDC8jWR4ZsDV9e" in facts
        assert "last contact" in facts


async def test_every_backend_of_a_batch_has_a_line(staged: Library) -> None:
    app = app_over(staged)
    async with app.run_test(size=(160, 48)) as pilot:
        await at(pilot, "p4many")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InfoScreen))
        facts = screen_text(pilot)
        assert "3 backends" in facts
        assert "openai     5/10" in facts
        assert "waits for tokens: 120,000 tokens are enqueued" in facts


async def test_a_batch_held_by_its_budget_says_so_and_its_limits_are_set(staged: Library) -> None:
    app = app_over(staged)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, "r5poor")
        line = next(line for line in screen_text(pilot).splitlines() if "r5poor" in line)
        assert "no budget" in line
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LimitDialog))
        await pilot.press("ctrl+u", *"9", "enter")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        assert commands(staged, "r5poor") == [("limit", {"cost_usd": 9.0})]
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LimitDialog))
        await pilot.press("ctrl+u", "enter")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        assert commands(staged, "r5poor")[1:] == [("limit", {"cost_usd": None})]


async def test_the_limit_of_the_day_is_shown(staged: Library) -> None:
    config = sample_config(staged.data_dir)
    config.limits.cost_usd_per_day = 20.0
    app = BatchtuiApp(config, staged.data_dir, worker=False, now=app_over(staged).now)
    async with app.run_test(size=(160, 48)) as pilot:
        await at(pilot, "r5poor")
        await until(pilot, lambda: "of $20.00, all batches" in screen_text(pilot))


async def test_a_canary_is_read_and_released(staged: Library) -> None:
    app = app_over(staged)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, "s6bird")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert "batchtui resolve" not in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ResultScreen))
        await until(pilot, lambda: "answer 0" in screen_text(pilot))
        await pilot.press("escape", "u")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: commands(staged, "s6bird"))
        word = commands(staged, "s6bird")[0][1]["action"]
        assert word in ("release", "cancel")


@pytest.mark.parametrize("kind", attention_words.TITLES)
def test_every_need_has_words_and_an_answer(kind: str) -> None:
    actions = {
        "unsure": ("resend", "adopt", "abandon"), "forgotten": ("resend", "abandon"), "budget": ("limit",),
        "canary": ("release", "cancel"), "price": ("release", "cancel"),
    }.get(kind, ("resume",))  # fmt: skip
    item = Attention(kind=kind, text="it waits: batchtui resolve k7fq2m release", since="", actions=actions)
    assert attention_words.text(item) == "it waits"
    assert {word for word, _ in attention_words.answers(item)} >= set(actions)
    assert all(" " in label for _, label in attention_words.answers(item))
