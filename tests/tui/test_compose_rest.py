"""Jobs of an API that the config alone describes, composed by keyboard and read, at 80x24."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.batches import BatchesScreen
from tests.backends.job_servers import JobServer, ogc, served
from tests.tui.test_compose_daly import paste
from tests.tui.test_compose_screen import choose_backend, compose_screen, note, pane_text, start, title
from tests.tui.waiting import screen_text, until

TABLE = Path(__file__).parents[1] / "data/rest/ogc.toml"
QUICK = 'kind = "rest"\npoll_interval = 0.1'


@pytest.fixture
def server() -> Iterator[JobServer]:
    with served(ogc) as running:
        yield running


@pytest.fixture
def app(server: JobServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchtuiApp:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fruit.csv").write_text("id,text\na,green apples\nb,red pears\n")
    text = TABLE.read_text().replace("URL", server.url).replace('kind = "rest"', QUICK)
    (tmp_path / "config.toml").write_text(text)
    return BatchtuiApp(load_config(tmp_path / "config.toml", env={}), tmp_path / "data", worker=True)


async def test_from_composing_to_reading_the_result(app: BatchtuiApp, server: JobServer) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await paste(pilot, "fruit.csv")
        await pilot.press("tab")
        await choose_backend(pilot, "ogc")
        await pilot.press("tab")
        await until(pilot, lambda: "what goes to the API" in screen_text(pilot))
        await paste(pilot, '{"process": "upper", "inputs": {"text": "{{ txt }}"}')
        await until(pilot, lambda: "expected JSON" in note(app, "job.input") + pane_text(app))
        await paste(pilot, "}")
        await until(pilot, lambda: 'did you mean "text"' in pane_text(app))
        compose_screen(app).form.row(
            "job.input"
        ).text = '{"process": "upper", "inputs": {"text": "{{ text }}"}}'
        await until(pilot, lambda: "processes/upper/execution" in pane_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))
        assert not server.jobs
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: app.library.ids())
        folder = app.library.open(app.library.ids()[0])
        await until(pilot, lambda: folder.refresh() and folder.status().completed == 2, 30)
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "completed" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "GREEN APPLES" in screen_text(pilot))
