"""How composing, reading and the first run look, at both sizes that are promised."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.model import JobState
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.beginning.first_run import FirstRunScreen
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.screens.reading.result import ResultScreen
from batchtui.tui.widgets.form.estimate_line import EstimateLine
from batchtui.tui.widgets.text_view import TextView
from tests.tui.samples import NOW, Sample, app_over, sample_config
from tests.tui.waiting import until

INPUTS = Path(__file__).parent.parent / "data" / "inputs"
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
Compare = Callable[..., bool]

BATCH_FILE = """name = "penguins"
backend = "openai"
[source]
file = "penguins.csv"
shuffle = true
[job]
model = "gpt-4o-mini"
system = "You are precise."
prompt = "Describe a penguin of {{ species }}\\nfrom {{ island }}."
max_tokens = 200
[limits]
time = "2h"
"""
ANSWER = """# Yield

The site produces **4.1 GWh** in the first year [1], with a performance ratio of 84 %.

- soiling takes 2 %
- shading takes 1 %

A control character: \x1b[31m and [/nope] as it came.
"""


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(INPUTS / "penguins.csv", tmp_path)
    (tmp_path / "penguins.toml").write_text(BATCH_FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-nobody")
    return tmp_path


async def composed(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, ComposeScreen) and pilot.app.focused)
    screen = pilot.app.screen
    assert isinstance(screen, ComposeScreen)
    view = screen.pane.query_one(TextView)
    await until(pilot, lambda: "gpt-4o-mini" in view.plain)
    await until(
        pilot, lambda: "344 rows" in str(screen.form.row("source.file").query_one(".field-note").render())
    )
    await until(pilot, lambda: "at most $" in str(screen.query_one(EstimateLine).render()))
    view.focus()
    await pilot.pause()


@SIZES
def test_compose(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = app_over(Library(Path("data")), new_from=Path("penguins.toml"))
    assert snap_compare(app, terminal_size=size, run_before=composed)


@SIZES
def test_compose_asks(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def asked(pilot: Pilot[None]) -> None:
        await composed(pilot)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))

    app = app_over(Library(Path("data")), new_from=Path("penguins.toml"))
    assert snap_compare(app, terminal_size=size, run_before=asked)


def reader_app() -> BatchtuiApp:
    sample = Sample(
        Library(Path("data")),
        "k7fq2m",
        "eval-may-full",
        ["a1-00001", "a1-00002"],
        backend="local",
        remote=False,
    )
    sample.start(0)
    sample.finish(
        0,
        raw_response=ANSWER,
        finish_reason="stop",
        parsed_response={"gwh": 4.1, "losses": ["soiling", "shading"]},
    )
    sample.start(1)
    sample.finish(
        1, JobState.FAILED, error="429 rate limited, retry after 30 s", error_kind="rate_limit", cost_usd=None
    )
    sample.close()
    return app_over(Library(Path("data")))


@SIZES
@pytest.mark.parametrize("keys", ["1", "M", "3", "4", "n"])
def test_reader(snap_compare: Compare, size: tuple[int, int], keys: str) -> None:
    async def opened(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, BatchtuiApp)
        app.read_result("k7fq2m", 0, [0, 1])
        await until(pilot, lambda: isinstance(app.screen, ResultScreen) and app.screen.result)
        screen = app.screen
        assert isinstance(screen, ResultScreen)
        before = screen._page
        await pilot.press(keys)
        await until(pilot, lambda: screen._page is not before)
        await pilot.pause()

    assert snap_compare(reader_app(), terminal_size=size, run_before=opened)


def schema_app() -> BatchtuiApp:
    """One answer that was mended, one that does not fit its schema."""
    sample = Sample(
        Library(Path("data")), "k7fq2m", "invoices", ["inv-1", "inv-2"], backend="openai", remote=False
    )
    value = {"total": 41.5, "seller": {"name": "Küfer & Söhne"}, "lines": ["oak", "hoops"]}
    sample.start(0)
    sample.finish(
        0,
        raw_response=f"```json\n{json.dumps(value)}\n```",
        parsed_response=value,
        repaired="the code fence around it was taken off",
    )
    sample.start(1)
    sample.finish(
        1,
        JobState.INVALID,
        raw_response='{"total": "41,50", "lines": []}',
        parsed_response={"total": "41,50", "lines": []},
        error="$.total: '41,50' is not of type 'number'; $: 'seller' is a required property",
        error_kind="schema",
    )
    sample.close()
    return app_over(Library(Path("data")))


@SIZES
@pytest.mark.parametrize("number", [0, 1])
def test_reader_of_answers_to_a_schema(snap_compare: Compare, size: tuple[int, int], number: int) -> None:
    async def opened(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, BatchtuiApp)
        app.read_result("k7fq2m", number, [0, 1])
        await until(pilot, lambda: isinstance(app.screen, ResultScreen) and app.screen.result)
        await pilot.pause()

    assert snap_compare(schema_app(), terminal_size=size, run_before=opened)


@SIZES
def test_first_run(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def shown(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, FirstRunScreen))

    app = BatchtuiApp(sample_config(Path("home"), "local"), Path("data"), worker=False, now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=shown)
