"""What sorts is seen in the head of a list, and messages cover nothing that tells of the row under the cursor."""

from __future__ import annotations

import time

from textual.pilot import Pilot
from textual.widgets._toast import Toast

from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.widgets.notice import Notice
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until


async def test_the_list_of_batches_has_an_arrow_where_it_is_sorted(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        assert "▴" not in screen_text(pilot)
        await pilot.press("s")
        await until(pilot, lambda: "NAME▴" in screen_text(pilot))
        await pilot.press("S")
        await until(pilot, lambda: "NAME▾" in screen_text(pilot))
        assert app.batches_screen().table.current()
        await pilot.press("s", "s", "s")
        await until(pilot, lambda: "%▾" in screen_text(pilot))


async def shows(pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: words in screen_text(pilot))


async def test_the_list_of_jobs_has_one_too(library: Library) -> None:
    app = app_over(library, open_batch="k7fq2m")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.screen.table.numbers)
        for title in ("STATE▴", "TRY▾", "JOB▴"):
            await pilot.press("s")
            await shows(pilot, title)
        await pilot.press("s")
        await until(pilot, lambda: "▴" not in screen_text(pilot))


async def test_a_message_leaves_the_strip_to_be_read(library: Library) -> None:
    app = app_over(library, open_batch="k7fq2m")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.screen.table.numbers)
        await pilot.press("s")
        strip = app.screen.query_one("#strip").region
        await until(pilot, lambda: [toast for toast in app.screen.query(Toast) if toast.region])
        assert all(toast.region.bottom <= strip.y for toast in app.screen.query(Toast))


async def test_a_message_that_ran_out_while_its_toast_was_made_does_not_stop_the_app(
    library: Library,
) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        app.say("worth a word")
        await until(pilot, lambda: app.screen.query(Toast))
        assert all(isinstance(toast._notification, Notice) for toast in app.screen.query(Toast))
        late = Notice("late", timeout=0.001)
        time.sleep(0.01)
        assert late.has_expired
        await app.screen.mount(Toast(late))
        await pilot.press("s")
        await until(pilot, lambda: "NAME▴" in screen_text(pilot))
        await until(pilot, lambda: len(app.screen.query(Toast)) <= 1)
