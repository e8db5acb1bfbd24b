"""Energy models and flows composed by keyboard alone, against the demo server."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.model import JobState
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.models import offered as models
from batchtui.tui.models.offered import ask as really_ask
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.batches import BatchesScreen
from batchtui.tui.screens.composing.pick_model import PickModel
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from tests.daly_help import energy_model, service
from tests.tui.test_compose_screen import choose_backend, compose_screen, note, pane_text, start, title
from tests.tui.waiting import screen_text, until

SMALL = (80, 24)
SITES = 20


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table of sites and the energy model that they vary."""
    folder = tmp_path / "work"
    folder.mkdir()
    with (folder / "sites.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "site", "site_id", "gcr"])
        rows.writerows([f"s{n:02}", f"Hill {n}", 100 + n, 0.3 + n / 100] for n in range(SITES))
    (folder / "base.json").write_text(json.dumps(energy_model()))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def server(demo_server: Callable[..., DemoServer]) -> DemoServer:
    return demo_server("duration=50ms")


@pytest.fixture
def app(work: Path, server: DemoServer) -> BatchtuiApp:
    server.write_config(work.parent / "config.toml")
    config = load_config(work.parent / "config.toml", env={})
    return BatchtuiApp(config, work.parent / "data", worker=True)


async def paste(pilot: Pilot[None], text: str) -> None:
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


async def test_twenty_variants_from_one_model_and_a_table(app: BatchtuiApp, server: DemoServer) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await paste(pilot, "sites.csv")
        await pilot.press("tab")
        await choose_backend(pilot, "daly")
        await pilot.press("tab", *"base", "tab", "tab")
        assert compose_screen(app).form.form.values["job.input_file"] == "base.json"
        await paste(pilot, '{"locationId": "{{ site_id }}", "blocks.0.layout.gcr": "{{ gcr }}"}')
        await pilot.press("tab")
        await paste(pilot, "{{ site }}")
        await until(pilot, lambda: '"name": "Hill 0"' in pane_text(app))
        assert '"locationId": 100' in pane_text(app)
        await pilot.press("f8")
        await until(pilot, lambda: "row 2" in title(app) and '"gcr": 0.31' in pane_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))
        assert service(server).calls == {}
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: "Submit sites: 20 jobs to daly?" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: app.library.ids())
        folder = app.library.open(app.library.ids()[0])
        await until(pilot, lambda: folder.refresh() and folder.status().completed == SITES, 30)
        assert len(service(server).runs) == SITES
        await looked_at(pilot, app)


async def looked_at(pilot: Pilot[None], app: BatchtuiApp) -> None:
    """All runs in one table, their months drawn, then the first and the last side by side."""
    await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "Hill" in screen_text(pilot))
    await pilot.press("v")
    await until(pilot, lambda: isinstance(app.screen, ViewsScreen) and "20 rows" in screen_text(pilot))
    await until(pilot, lambda: "specificYield" in screen_text(pilot))
    await until(pilot, lambda: "Hill 0" in screen_text(pilot))
    await pilot.press("tab")
    await until(pilot, lambda: "energyMWh" in screen_text(pilot) and "Jul" in screen_text(pilot))
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(app.screen, BatchScreen))
    await pilot.press("space", "end", "space", "C")
    await until(pilot, lambda: "Energy yield: Hill 0 and Hill 19" in screen_text(pilot))
    await until(pilot, lambda: "specificYield" in screen_text(pilot))
    if "difference" not in screen_text(pilot):
        await pilot.press("p")  # the picture stands first
        await until(pilot, lambda: "difference" in screen_text(pilot))
    words = screen_text(pilot)
    (gcr,) = [line.split() for line in words.splitlines() if line.split()[:1] == ["gcr"]]
    assert [float(word) for word in gcr[1:4]] == [0.3, 0.49, 0.19]
    for view in ("month", "hour, from", "nearShading"):
        await pilot.press("tab")
        await until(pilot, lambda view=view: view in screen_text(pilot) and "Hill 19" in screen_text(pilot))


async def test_every_value_of_a_sweep_is_a_run(app: BatchtuiApp, server: DemoServer) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await pilot.press("tab")
        await choose_backend(pilot, "daly")
        await pilot.press("tab", *"base", "tab", "tab", "tab", "tab", "tab")
        await paste(pilot, "input.blocks.0.layout.gcr = 0.3")
        await until(pilot, lambda: "expected a list of values" in pane_text(app))
        await pilot.press(*["backspace"] * 3)
        await paste(pilot, "[0.3, 0.9, 1.4]")
        await until(pilot, lambda: '"gcr": 0.3' in pane_text(app))
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: app.library.ids())
        folder = app.library.open(app.library.ids()[0])
        await until(pilot, lambda: folder.refresh() and folder.status().finished == 3, 30)
        assert [folder.result(n).status for n in range(3)] == [
            JobState.COMPLETED,
            JobState.COMPLETED,
            JobState.FAILED,
        ]
        assert "blocks.0.layout.gcr" in (folder.result(2).error or "")


async def test_what_is_wrong_with_an_input_stands_at_its_field(app: BatchtuiApp, work: Path) -> None:
    broken = energy_model()
    del broken["blocks"][0]["albedo"]
    (work / "broken.json").write_text(json.dumps(broken))
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await pilot.press("tab")
        await choose_backend(pilot, "daly")
        await pilot.press("tab")
        await paste(pilot, "nope.json")
        await until(pilot, lambda: "nope.json" in pane_text(app) and "no such file" in pane_text(app))
        await pilot.press("ctrl+u")
        await paste(pilot, "broken.json")
        await until(pilot, lambda: "albedo" in pane_text(app))
        await pilot.press("f9")
        await until(pilot, lambda: "is missing" in note(app, "job.input"))
        assert app.library.ids() == []
        await paste(pilot, '{"blocks.0.albedo"}')
        await until(pilot, lambda: "expected a JSON object" in pane_text(app))


async def test_a_flow_is_chosen_from_those_of_the_server(
    app: BatchtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "ask", really_ask)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await pilot.press("tab")
        await choose_backend(pilot, "buttermilk")
        await pilot.press("tab")
        await until(pilot, lambda: "ctrl+l chooses from" in note(app, "job.flow"))
        assert "flows" in note(app, "job.flow")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, PickModel))
        await until(pilot, lambda: "Flows of buttermilk" in screen_text(pilot))
        await pilot.press(*"demo")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        flow = compose_screen(app).form.form.values["job.flow"]
        assert "demo" in flow
        await until(pilot, lambda: flow in pane_text(app))
