"""`c`: a new batch from one that is there, its batch file edited, or of its marked, shown or all jobs as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, BatchState, SourceSpec
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Choose, Confirm
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.composing.screen import ComposeScreen
from tests.tui.samples import app_over, sample_config
from tests.tui.waiting import screen_text, until


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data")


def made(library: Library, name: str) -> str:
    """A batch of twenty programs, not run yet."""
    rows = library.data_dir.parent / "rows.csv"
    rows.write_text("id,word\n" + "".join(f"r{n},word {n}\n" for n in range(20)))
    spec = BatchSpec(
        name=name, backend="local", source=SourceSpec(file=str(rows)), job={"command": ["echo", "{{ word }}"]}
    )
    draft = library.draft()
    config = sample_config(library.data_dir)
    return create(plan(spec, rows.parent, Backends(config, env={}), draft=draft), draft).id


def cloned(library: Library, name: str) -> BatchFolder | None:
    return next(
        (one for one in library.folders() if isinstance(one, BatchFolder) and one.header.name == name), None
    )


async def open_on(pilot: Pilot[None]) -> BatchScreen:
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.screen.table.numbers)
    assert isinstance(app.screen, BatchScreen)
    return app.screen


@pytest.mark.parametrize(
    ("keys", "choice", "ids"),
    [
        ([], ["down", "enter"], [f"r{n}" for n in range(20)]),
        (["space", "space"], ["enter"], ["r0", "r1"]),
        (["slash", *"id:r1", "enter"], ["enter"], ["r1", *(f"r{n}" for n in range(10, 20))]),
        ([], ["escape"], None),
    ],
)
async def test_jobs_of_a_batch_make_another_that_waits(
    library: Library, keys: Sequence[str], choice: Sequence[str], ids: list[str] | None
) -> None:
    batch_id = made(library, "words")
    app = app_over(library, open_batch=batch_id)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await open_on(pilot)
        await pilot.press(*keys)
        if "slash" in keys:
            await until(pilot, lambda: len(screen.table.numbers) == 11)
            await until(pilot, lambda: screen._search is None or screen._search.found is not None)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await until(pilot, lambda: "paused" in screen_text(pilot))
        await pilot.press(*choice)
        if ids is None:
            await until(pilot, lambda: app.screen is screen)
            assert library.ids() == [batch_id]
            return
        await until(pilot, lambda: cloned(library, "words-2"))
        await until(pilot, lambda: any("p (resume) sends them" in note for _, note in app.notes))
    new = cloned(library, "words-2")
    assert new is not None
    assert new.jobs.ids == ids
    assert new.header.paused
    assert new.status().status is BatchState.PENDING


async def test_the_batch_file_opens_in_the_editor(library: Library) -> None:
    app = app_over(library, open_batch=made(library, "words"))
    async with app.run_test(size=(120, 30)) as pilot:
        await open_on(pilot)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))


async def test_marked_batches_make_one_each(library: Library) -> None:
    for name in ("words", "others"):
        made(library, name)
    app = app_over(library)
    async with app.run_test(size=(120, 30)) as pilot:
        assert isinstance(app, BatchtuiApp)
        await until(pilot, lambda: len(app.batches_screen().table.ids) == 2)
        await pilot.press("ctrl+a", "c")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: cloned(library, "words-2") and cloned(library, "others-2"))
