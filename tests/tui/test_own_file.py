"""A file of one's own on the first screen: typed or dropped, what it holds, and the batch that is proposed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.events import Paste

from batchtui.batchfile import loads
from batchtui.engine.plan.planning import preview
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.beginning.first_run import FirstRunScreen
from batchtui.tui.screens.beginning.own_file import OwnFile
from batchtui.tui.screens.beginning.proposing import look_into, usual_place
from batchtui.tui.screens.composing.screen import ComposeScreen
from tests.tui.samples import NOW, sample_config
from tests.tui.waiting import screen_text, until

REVIEWS = 'id,review,stars\na,"Lovely little place, we shall come back",5\nb,Cold soup and a long wait,1\n'
SIZES = [(80, 24), (160, 48), (60, 16)]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchtuiApp:
    monkeypatch.chdir(tmp_path)
    Path("my reviews.csv").write_text(REVIEWS)
    return BatchtuiApp(sample_config(Path("home"), "local"), Path("data"), worker=False, now=lambda: NOW)


@pytest.mark.parametrize("size", SIZES)
async def test_a_dropped_file_is_told_and_opened_in_the_editor(
    app: BatchtuiApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        app.post_message(Paste(f"'{Path.cwd()}/my reviews.csv'"))
        await until(pilot, lambda: "CSV, 2 rows" in screen_text(pilot))
        text = screen_text(pilot)
        assert "review  text     Lovely little place" in text
        assert "stars   number   5" in text
        assert "enter opens it in the editor" in text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        values = app.screen.form.form.values
        await until(pilot, lambda: values.get("source.file") == "my reviews.csv")
        assert values["job.command"] == "wc -w"
        assert values["job.stdin"] == "{{ review }}"
        assert app.screen.elsewhere is None
        await pilot.press("escape")
        await until(pilot, lambda: "No batches yet" in screen_text(pilot))


async def test_a_typed_file(app: BatchtuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("f", *"my", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, OwnFile) and "CSV, 2 rows" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))


async def test_what_cannot_be_read_says_why_and_nothing_opens(app: BatchtuiApp) -> None:
    Path("bad.json").write_text("{")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        app.post_message(Paste("gone.csv"))
        await until(pilot, lambda: any("gone.csv: no such file" in words for _, words in app.notes))
        app.post_message(Paste("bad.json"))
        await until(pilot, lambda: "not JSON" in screen_text(pilot))
        await pilot.press("enter")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))


async def test_a_batch_file_is_opened_at_once_also_from_the_list(app: BatchtuiApp) -> None:
    Path("mine.toml").write_text(
        'backend = "local"\n[source]\nfile = "my reviews.csv"\n[job]\ncommand = ["true"]\n'
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("escape")
        await until(pilot, lambda: "No batches yet" in screen_text(pilot))
        app.post_message(Paste("mine.toml"))
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        await until(pilot, lambda: app.screen.form.form.values.get("job.command") == "true")


FILES: dict[str, tuple[str, str]] = {
    "reviews.csv": (REVIEWS, "{{ review }}"),
    "names.csv": ("name,island\nAdelie,Dream\n", "{{ name }}"),
    "numbers.tsv": ("x\ty\n1\t2\n", "{{ x }}"),
    "odd names.csv": ("Body Mass (g),Full Name\n1,Bob\n", '{{ row["Full Name"] }}'),
    "lists.jsonl": ('{"a": [1], "b": {"c": 1}, "d": true}\n', "{{ a }}"),
}


@pytest.mark.parametrize("language", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_what_is_proposed_fills_its_template(name: str, language: bool, tmp_path: Path) -> None:
    from batchtui.engine.shared.pool import Backends

    text, column = FILES[name]
    (tmp_path / name).write_text(text)
    config = sample_config(tmp_path, "local", "openai")
    backend = "openai" if language else "local"
    found = look_into(tmp_path / name, backend, language=language)
    assert loads(found.batch_file(), "proposed") == found.spec
    assert column in json.dumps(found.spec.job).replace('\\"', '"')
    seen = preview(found.spec, tmp_path, Backends(config), 1)
    assert [str(problem) for problem in seen.problems if problem.key not in ("job.model", "backend")] == []


def test_a_file_of_whole_requests_goes_to_whom_it_speaks_to(tmp_path: Path) -> None:
    line = {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": []},
    }
    (tmp_path / "requests.jsonl").write_text(json.dumps(line) + "\n")
    found = look_into(tmp_path / "requests.jsonl", "local", language=False)
    assert (found.spec.backend, found.spec.job) == ("openai", {})
    assert "It holds whole requests" in "\n".join(found.lines())


def test_a_folder_has_a_program_or_a_question_over_its_files(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.txt").write_text("Some words.")
    assert look_into(tmp_path / "texts", "local", language=False).spec.job == {
        "command": ["wc", "-w", "{{ path }}"]
    }
    assert look_into(tmp_path / "texts", "openai", language=True).spec.job["file"] == "{{ path }}"


def test_a_model_is_asked_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usual_place(sample_config(tmp_path, "local")) == ("local", False)
    assert usual_place(sample_config(tmp_path, "local", "openai")) == ("openai", True)


async def test_the_tour_turns_its_pages_and_any_key_leaves(
    app: BatchtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batchtui.tui.screens.beginning import tour

    assert len(tour.PAGES) * tour.SECONDS == 120
    monkeypatch.setattr(tour, "SECONDS", 0.2)
    async with app.run_test(size=(60, 16)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("t")
        for number in (2, 3):
            await until(pilot, lambda number=number: f"{number} of 8" in screen_text(pilot))
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))  # past the last page
        monkeypatch.setattr(tour, "SECONDS", 15.0)
        for key in ("z", "escape", "space", "q"):
            await pilot.press("t")
            await until(pilot, lambda: isinstance(app.screen, tour.Tour) and "1 of 8" in screen_text(pilot))
            await pilot.press("right")
            await until(pilot, lambda: "2 of 8" in screen_text(pilot))
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_of_the_tour_fits(app: BatchtuiApp, size: tuple[int, int]) -> None:
    from batchtui.tui.screens.beginning.tour import PAGES, Tour

    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        app.push_screen(Tour())
        for number, (_, words) in enumerate(PAGES, 1):
            await until(pilot, lambda number=number: f"{number} of 8" in screen_text(pilot))
            assert words.split()[-1] in screen_text(pilot)
            await pilot.press("right")
