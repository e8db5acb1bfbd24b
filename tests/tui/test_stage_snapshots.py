"""How stages, facts, limits, a canary, a backend's batches and its models look, at both sizes that are promised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from batchtui.backends.base import RemoteBatch
from batchtui.store.disk import clock
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.models.offered import Models
from batchtui.tui.screens.composing.pick_model import PickModel
from batchtui.tui.screens.setup import remote
from batchtui.tui.screens.setup.remote import Found, RemoteScreen
from tests.tui.samples import NOW, app_over
from tests.tui.stage_samples import stage_library
from tests.tui.waiting import screen_text, until

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
Compare = Callable[..., bool]
VIEWS = {
    "silent": ("n3quie", [], "usually 35 min"),
    "facts": ("p4many", ["i"], "last contact 30 min ago"),
    "held": ("r5poor", ["i"], "are spent or in flight"),
    "limits": ("r5poor", ["l"], "esc leaves everything"),
    "canary": ("s6bird", ["u"], "esc leaves everything"),
}
"""By name, the batch, the keys, and words that stand there once it is painted."""


@SIZES
@pytest.mark.parametrize("name", VIEWS)
def test_stages(snap_compare: Compare, library: Library, name: str, size: tuple[int, int]) -> None:
    batch_id, keys, words = VIEWS[name]

    async def show(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, BatchtuiApp)
        await until(pilot, lambda: app.batches_screen().table.ids)
        app.batches_screen().select(batch_id)
        await pilot.press(*keys)
        await until(pilot, lambda: words in screen_text(pilot))
        await pilot.pause()

    assert snap_compare(app_over(stage_library(library)), run_before=show, terminal_size=size)


@SIZES
def test_what_lives_at_a_backend(
    snap_compare: Compare, library: Library, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async def called(*_: object) -> list[Found]:
        return [
            Found(
                RemoteBatch("batch_68f1c0aa19", "in_progress", clock.stamp(NOW - 7200), 500, None, "tox"),
                None,
            ),
            Found(RemoteBatch("batch_6710c1f0a9", "completed", clock.stamp(NOW - 172800), 120), "g8u3jd"),
        ]

    monkeypatch.setattr(remote, "called", called)

    async def show(pilot: Pilot[None]) -> None:
        await pilot.app.push_screen(RemoteScreen("openai"))
        await until(pilot, lambda: "2 batches live there" in screen_text(pilot))

    assert snap_compare(app_over(library), run_before=show, terminal_size=size)


@SIZES
def test_models(snap_compare: Compare, library: Library, size: tuple[int, int]) -> None:
    models = Models({"gpt-4o": "$1.25 in, $5.00 out, a million tokens", "gpt-4o-mini": "", "o9": ""})

    async def show(pilot: Pilot[None]) -> None:
        await pilot.app.push_screen(PickModel("Models of openai", models, "gpt-4o-mini"))
        await pilot.pause()

    assert snap_compare(app_over(library), run_before=show, terminal_size=size)
