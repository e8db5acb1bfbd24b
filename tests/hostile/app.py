"""Each case through the app: what it says of a config, of a batch that is composed, and of batches that came home."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from unittest import mock

from textual.pilot import Pilot

from batchtui.backends.base import Probe
from batchtui.config import load_config
from batchtui.store.library import Library
from batchtui.text import cell
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.models import offered as models
from batchtui.tui.widgets.tables.job_table import JobTable
from tests.hostile import command_line
from tests.hostile.corpus import Case
from tests.hostile.place import Place
from tests.hostile.states import TARGETS, planted
from tests.tui.test_compose_screen import is_built, pane_text, title
from tests.tui.test_hostile import assert_harmless
from tests.tui.waiting import screen_text, until

SIZE = (200, 40)
ROUND = (
    [], ["enter"], ["2"], ["3"], ["4"], ["1"], ["n"], ["escape"], ["f"], ["escape"], ["escape"], ["i"], ["pagedown"],
    ["escape"], ["e"], ["escape"], ["t"], ["W", "home"], ["pagedown"], ["end"], ["escape"], ["1"],
)  # fmt: skip
"""From a batch's table through the viewer's tabs, its filters, its facts, its errors and its log."""


def letters(text: str) -> str:
    """Words as they are shown, wherever a line was broken."""
    return re.sub(r"[\s│┃▌▐]+", "", text)


async def _nobody(*_: object) -> Probe:
    """The editor asks backends for their models; not from a case."""
    return Probe(ok=False, message="not asked here")


@asynccontextmanager
async def opened(place: Place, **options: object) -> AsyncIterator[tuple[BatchtuiApp, Pilot[None]]]:
    """The app over a place's config and data; it lives on to the end, and nothing that it painted acts."""
    with mock.patch.dict(os.environ, place.environment), mock.patch.object(models, "ask", _nobody):
        config = load_config(place.root / "config.toml", env=place.environment)
        app = BatchtuiApp(config, place.data, **{"worker": False} | options)  # type: ignore[arg-type]
        async with app.run_test(size=SIZE) as pilot:
            yield app, pilot
            assert app.is_running
            assert_harmless(pilot)


def shows(pilot: Pilot[None], words: str) -> bool:
    return letters(words) in letters(screen_text(pilot))


# ---- configuration


async def config(case: Case, place: Place) -> None:
    """The app opens whatever the config holds, and its log says what is wrong with it."""
    shutil.copy(case.path, place.root / "config.toml")
    if case.name.startswith("data-dir") or case.name == "key-newline.toml":
        return  # the value stands in the environment: refused before any screen is drawn
    async with opened(place) as (app, pilot):
        await pilot.press("4")
        for words in case.says:
            await until(pilot, lambda words=words: shows(pilot, words))
        assert not [secret for secret in command_line.SECRETS if secret in screen_text(pilot)]
        assert "local" in app.config.backends


# ---- composing


async def source(case: Case, place: Place) -> None:
    """Opened in the editor and checked there."""
    command_line.set_up(place)
    shutil.copy(case.path, place.root)
    (place.root / "batch.toml").write_text(_batch_file(case, place), encoding="utf-8")
    async with opened(place, new_from=place.root / "batch.toml") as (app, pilot):
        await until(pilot, lambda: is_built(app))
        assert_harmless(pilot)
        await pilot.press("f5")
        ready = "ready to submit"
        if case.stops:
            await until(pilot, lambda: "mend" in title(app) or "problem" in title(app))
            assert ready not in title(app)
        else:
            await until(pilot, lambda: ready in title(app))
        for words in case.says:
            await until(
                pilot, lambda words=words: letters(words) in letters(pane_text(app) + screen_text(pilot))
            )
        assert "sk-test-0" not in pane_text(app) + screen_text(pilot)
    assert not list(Library(place.data).folders())


def _batch_file(case: Case, place: Place) -> str:
    arguments = command_line.arguments(case, place)
    if case.name.endswith(".toml"):
        return (place.root / case.name).read_text()
    job = {
        name: value
        for name, _, value in (one.partition("=") for one in arguments)
        if name.startswith(("job.", "source."))
    }
    tables = {"source": {"file": arguments[0]}, "job": {}}
    for name, value in job.items():
        table, _, key = name.partition(".")
        tables[table][key] = value
    text = f'name = "t"\nbackend = "{"local" if "local" in arguments else "openai"}"\n'
    for table, values in tables.items():
        text += f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
    assert tomllib.loads(text)
    return text


# ---- batches that came home


async def batch(case: Case, place: Place) -> None:
    """What the command line made of the case, opened in the list, the table, the viewer and the log."""
    command_line.play(case, place)
    await tour(place, case, (*case.says, *case.verdict.get("until", ())))


async def state(case: Case, place: Place) -> None:
    """The other batch is there, the log says which file and why, and looking changed no file."""
    (place.root / "config.toml").write_text('[backends.claude]\nkind = "openai"\n')
    folder, target = planted(case, place), TARGETS[case.name]
    before = contents(place)
    async with opened(place) as (app, pilot):
        await until(pilot, lambda: app.batches_screen().table.ids)
        await until(pilot, lambda: shows(pilot, "other"))
        if target["outcome"] in ("refused", "read-only"):
            await until(pilot, lambda: shows(pilot, "1 damaged, see Log"))
            await pilot.press("4", "W")
            for words in (folder.id, *target["mentions"]):
                await until(pilot, lambda words=words: shows(pilot, words))
            assert_harmless(pilot)
    assert contents(place) == before
    told = {*target["mentions"], *case.says} - {"None"}
    refused = target["outcome"] == "refused"
    await tour(place, case, () if refused else told, None if refused else folder.id)


def contents(place: Place) -> dict[str, bytes]:
    """Every file of every batch."""
    return {str(path): path.read_bytes() for path in place.data.glob("batches/*/*") if path.is_file()}


async def tour(place: Place, case: Case, words: Iterable[str] = (), batch_id: str | None = None) -> None:
    """Through every screen about a batch, the only one or that one; what a user reads on the way holds these words."""
    first = case.verdict.get("first", {})
    async with opened(place) as (app, pilot):
        batches = app.batches_screen()
        await until(pilot, lambda: batches.table.ids)
        assert_harmless(pilot)
        app.open_batch(batch_id or batches.table.ids[0])
        await until(pilot, lambda: any(table.ids for table in app.screen.query(JobTable)))
        for key, value in first.items():
            if key == "error" or (key == "raw_response" and case.verdict.get("code", 0) == 0):
                await until(pilot, lambda value=value: shows(pilot, cell(value)[:20]))
        read: list[str] = []
        for keys in ROUND:
            await pilot.press(*keys)
            await pilot.pause()
            assert_harmless(pilot)
            read.append(letters(screen_text(pilot)))
        unread = [part for part in words if not any(letters(part) in text for text in read)]
        assert not unread, f"no screen says {unread}"
        await pilot.press("4")
        await pilot.pause()
        assert not [secret for secret in ("test-000", command_line.KEY) if secret in screen_text(pilot)]


LOOKS = {
    "bad-config": config,
    "bad-manifests": source,
    "bad-schemas": source,
    "bad-results": batch,
    "bad-replies": batch,
    "bad-state": state,
}


async def look(case: Case, place: Place) -> None:
    await LOOKS[case.part](case, place)
