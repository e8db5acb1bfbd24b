"""A screen on which nothing changes sends nothing; what changes is painted by cell, and what is not seen is not asked."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

from textual.geometry import Region

from batchtui.store.library import Library
from batchtui.tui.widgets.tables.batch_table import CLOCKS, COLUMNS, BatchTable
from tests.terminal.terminals import Pty, clean_env
from tests.tui.samples import NOW, Sample, app_over
from tests.tui.waiting import screen_text, until

IDLE = 4.0
"""Seconds without a byte: the screen ticks each second."""


def ended(path: Path, count: int) -> Library:
    library = Library(path)
    for n in range(count):
        sample = Sample(library, f"b{n:05}", f"batch {n}", ["1", "2"], remote=False, age=9e6 + n)
        sample.finish(0, raw_response="ok")
        sample.finish(1, raw_response="ok")
        sample.end()
        sample.close()
    return library


def test_nothing_changed_nothing_sent(tmp_path: Path) -> None:
    ended(tmp_path / "data", 12)
    (tmp_path / "config.toml").write_text("")
    env = clean_env(
        BATCHTUI_DATA_DIR=str(tmp_path / "data"),
        BATCHTUI_CONFIG=str(tmp_path / "config.toml"),
        HOME=str(tmp_path),
        TERM="xterm-256color",
    )
    app = Pty(env, size=(160, 48))
    try:
        for keys, says in ((b"", r"b00000"), (b"\r", r"STATE +TRY"), (b"4", r"Log  ")):
            if keys:
                app.press(keys)
            app.shown(says)
            app.settle(IDLE)
    finally:
        app.close()


async def test_a_tick_asks_only_about_rows_that_are_seen(tmp_path: Path) -> None:
    app = app_over(ended(tmp_path, 60))
    async with app.run_test(size=(120, 20)) as pilot:
        table = app.batches_screen().table
        await until(pilot, lambda: table.row_count() == 60)
        with mock.patch.object(BatchTable, "_value", autospec=True, side_effect=BatchTable._value) as asked:
            app.batches_screen().tick()
        assert 0 < asked.call_count <= table.size.height * len(CLOCKS)


async def test_a_clock_is_painted_in_its_cell_alone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    Sample(library, "new1", "new", ["a"], age=30).close()
    app = app_over(library)
    async with app.run_test(size=(160, 40)) as pilot:
        table = app.batches_screen().table
        await until(pilot, lambda: table.row_count() == 1)
        await pilot.pause()
        painted: list[Region | None] = []

        def refresh(table: BatchTable, *regions: Region, **_: object) -> BatchTable:
            painted.extend(regions or (None,))
            return table

        with mock.patch.object(BatchTable, "refresh", refresh):
            app.now = lambda: NOW + 0.4
            table.renew_clocks()
            assert painted == []
            app.now = lambda: NOW + 7
            table.renew_clocks()
        (cell,) = painted
        assert cell is not None
        assert (cell.height, cell.width) == (1, next(c.width for c in COLUMNS if c.key == "age"))


async def test_a_row_that_was_not_seen_is_right_when_it_is(tmp_path: Path) -> None:
    app = app_over(ended(tmp_path, 60))
    async with app.run_test(size=(160, 20)) as pilot:
        table = app.batches_screen().table
        await until(pilot, lambda: table.row_count() == 60)
        last = next(status.name for status in app.link.statuses() if status.id == table.ids[-1])
        await pilot.press("end", "home")
        app.now = lambda: NOW + 40 * 86400
        app.batches_screen().tick()
        await pilot.press("end")
        await until(pilot, lambda: re.search(rf"{last} .* 144d", screen_text(pilot)))
