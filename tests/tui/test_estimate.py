"""The last line of the form: jobs, tokens and what they may cost against the limit, and the key that submits."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.config import Config
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, LimitsSpec, SourceSpec
from batchtui.prices import Price
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.composing.estimate import MOST_JOBS, Stopped, estimate
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.widgets.form.estimate_line import EstimateLine, words
from tests.tui.samples import app_over, sample_config
from tests.tui.waiting import screen_text, until

INPUTS = Path(__file__).parent.parent / "data" / "inputs"
BATCH = """name = "penguins"
backend = "openai"
[source]
file = "penguins.csv"
[job]
model = "gpt-test"
prompt = "Describe a penguin of {{ species }}"
max_tokens = 200
[limits]
cost_usd = 5.0
"""


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(INPUTS / "penguins.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-nobody")
    return tmp_path


def an_app(work: Path, text: str = BATCH, drive: bool = True) -> BatchtuiApp:
    (work / "p.toml").write_text(text)
    app = app_over(Library(work / "data"), new_from=Path("p.toml"), drive=drive)
    app.config.prices = {"gpt-test": Price(input=10.0, output=40.0)}
    return app


def line(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one(EstimateLine).render())


async def says(pilot: Pilot[None], *texts: str) -> str:
    await until(
        pilot,
        lambda: isinstance(pilot.app.screen, ComposeScreen) and all(text in line(pilot) for text in texts),
    )
    return line(pilot)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 48)])
async def test_it_stands_at_every_size(work: Path, size: tuple[int, int]) -> None:
    app = an_app(work)
    async with app.run_test(size=size) as pilot:
        told = await says(pilot, "344 jobs  ", "at most $", ", limit $5.00", "f9 Submit")
        assert told.strip() in screen_text(pilot)
        assert ("tokens in, at most 68k out" in told) == (size[0] > 80)
        assert app.screen.query_one("#form").size.height >= 6


async def test_what_is_typed_changes_it_and_what_stood_is_dim_until_then(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=(120, 40)) as pilot:
        await says(pilot, "344 jobs", "at most $1.4")
        app.screen.form.row("job.max_tokens").text = "2000"  # type: ignore[attr-defined]
        await pilot.pause()
        assert "dim" in str(app.screen.query_one(EstimateLine).render().spans)
        await says(pilot, "at most $13.", "over the limit, $5.00")
        app.screen.form.row("sweep").text = "max_tokens = [10, 20]"  # type: ignore[attr-defined]
        await says(pilot, "688 jobs")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"gpt-test"', '"nobody-knows"', "cost unknown: no price, limit $5.00 that cannot be kept"),
        ("cost_usd = 5.0", "", "at most $1.4"),
        ("cost_usd = 5.0", "cost_usd = 1.0", "over the limit, $1.00"),
        ("{{ species }}", "{{ specis }}", "not ready: 344 rows: job.prompt"),
        ("max_tokens = 200", 'max_tokens = "many"', "not ready"),
        ('backend = "openai"', "", "not ready: backend: none is chosen"),
    ],
)
async def test_it_says_what_it_may_cost_or_what_is_amiss(
    work: Path, before: str, after: str, told: str
) -> None:
    app = an_app(work, BATCH.replace(before, after))
    async with app.run_test(size=(120, 40)) as pilot:
        await says(pilot, told)


async def test_programs_of_ones_own_cost_nothing_and_an_empty_form_has_no_figures(work: Path) -> None:
    app = an_app(work, 'backend = "local"\n[source]\nfile = "penguins.csv"\n[job]\ncommand = ["true"]\n')
    async with app.run_test(size=(80, 24)) as pilot:
        await says(pilot, "344 jobs  no charge", "f9 Submit")
        await pilot.press("ctrl+n")
        await says(pilot, "nothing to count yet")


async def test_a_click_submits_and_reading_only_there_is_no_key(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=(80, 24)) as pilot:
        await says(pilot, "344 jobs")
        await pilot.click(EstimateLine, offset=(75, 0))
        await until(pilot, lambda: isinstance(app.screen, Confirm))
    app = an_app(work, drive=False)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "Submit" not in await says(pilot, "344 jobs")


async def test_a_check_counts_every_job_of_a_large_source(work: Path) -> None:
    (work / "penguins.csv").write_text("species\n" + "Adelie\n" * 3000)
    app = an_app(work)
    async with app.run_test(size=(170, 40)) as pilot:
        await says(pilot, "3,000 jobs, by the first 1,000", "at most about $12.", "over the limit")
        await pilot.press("f5")
        told = await says(pilot, "3,000 jobs  ", "at most $12.")
        assert "by the first" not in told


async def test_a_narrow_line_says_about_instead_of_by_how_many(work: Path) -> None:
    (work / "penguins.csv").write_text("species\n" + "Adelie\n" * 3000)
    app = an_app(work)
    async with app.run_test(size=(80, 24)) as pilot:
        await says(pilot, "3,000 jobs  at most about $12.", "over the limit, $5.00")


def a_spec(rows_limit: int | None = None, cost_usd: float | None = None) -> BatchSpec:
    return BatchSpec(
        name="x",
        backend="openai",
        source=SourceSpec(file="penguins.csv", limit=rows_limit),
        job={"model": "gpt-test", "prompt": "{{ species }}", "max_tokens": 100},
        limits=LimitsSpec(cost_usd=cost_usd),
    )


def a_config(work: Path) -> Config:
    config = sample_config(work)
    config.prices = {"gpt-test": Price(input=10.0, output=40.0)}
    return config


def test_only_so_many_jobs_are_made_for_it_however_many_there_are(work: Path) -> None:
    backends = Backends(a_config(work))
    spec = a_spec()
    spec.sweep["max_tokens"] = [*range(1, 101)]
    found = estimate(spec, work, backends, 344, lambda: False)
    assert (found.flight.jobs, found.jobs) == (MOST_JOBS, 34_400)
    assert estimate(a_spec(7), work, backends, 344, lambda: False).jobs == 7
    unknown = estimate(a_spec(), work, backends, None, lambda: False)
    assert words(unknown, 100)[0][0] == "the first 344 jobs"


def test_the_tighter_limit_is_told(work: Path) -> None:
    config = a_config(work)
    config.limits.cost_usd_per_day = 0.5
    told = words(estimate(a_spec(cost_usd=3.0), work, Backends(config), 344, lambda: False), 200)[-1][0]
    assert told.endswith("over the limit of a day, $0.50")


def test_one_that_is_no_longer_wanted_stops(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchtui.engine.plan.compose.composition.TICK_SECONDS", 0)
    with pytest.raises(Stopped):
        estimate(a_spec(), work, Backends(a_config(work)), 344, lambda: True)
