"""Plug-ins that cannot be used are a warning on the screen of backends, and nothing else."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from batchtui.backends import registry
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.setup.backends import BackendsScreen
from tests.tui.samples import NOW, sample_config
from tests.tui.waiting import screen_text, until


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_broken_plug_in_is_a_warning(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    entries = {"gone": EntryPoint("gone", "no_such_module:Kind", "batchtui.backends")}
    monkeypatch.setattr(registry, "_plug_ins", lambda: entries)
    config = sample_config(tmp_path, "local")
    app = BatchtuiApp(config, library.data_dir, worker=False, now=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        app.push_screen(BackendsScreen())
        await until(pilot, lambda: 'warning: kind "gone": its plug-in is broken' in screen_text(pilot))
        await until(pilot, lambda: "no_such_module" in screen_text(pilot))
        await until(pilot, lambda: "local" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, BackendsScreen))
