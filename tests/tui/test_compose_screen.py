"""Compose a batch by keyboard alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Select

from batchtui.model import BatchState
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.widgets.form.field_row import FieldRow
from batchtui.tui.widgets.text_view import TextView
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until

INPUTS = Path(__file__).parent.parent / "data" / "inputs"
SMALL = (80, 24)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("penguins.csv", "demo_batch_10.jsonl"):
        shutil.copy(INPUTS / name, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-nobody")
    return folder


def an_app(work: Path, **options: object) -> BatchtuiApp:
    return app_over(Library(work.parent / "data"), **options)


def compose_screen(app: BatchtuiApp) -> ComposeScreen:
    screen = app.get_screen_stack("compose")[0]
    assert isinstance(screen, ComposeScreen)
    return screen


def pane_text(app: BatchtuiApp) -> str:
    return compose_screen(app).pane.query_one(TextView).plain


def title(app: BatchtuiApp) -> str:
    return str(compose_screen(app).pane.query_one(".pane-line").render())  # type: ignore[attr-defined]


def is_built(app: BatchtuiApp) -> bool:
    """Whether the form stands, down to the note under its source."""
    rows = app.screen.query(FieldRow) if app.current_mode == "compose" else ()
    return any(row.key == "source.file" and row.query(".field-note") for row in rows)


def note(app: BatchtuiApp, key: str) -> str:
    return str(compose_screen(app).form.row(key).query_one(".field-note").render())  # type: ignore[attr-defined]


async def start(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    app.action_screen_compose()
    await until(
        pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen.is_mounted and app.focused
    )


async def choose_backend(pilot: Pilot[None], name: str) -> None:
    """The field has the cursor: open it and go down to the name."""
    select = pilot.app.focused
    assert isinstance(select, Select)
    await pilot.press("enter")
    await until(pilot, lambda: select.expanded)
    await pilot.press(*name[:4])
    await pilot.press("enter")
    await until(pilot, lambda: not select.expanded)
    assert select.value == name


async def fill_penguins(pilot: Pilot[None], command: str = "echo {{ species }}") -> None:
    """What the first test types, with the cursor behind the command."""
    await start(pilot)
    form = compose_screen(pilot.app).form  # type: ignore[arg-type]
    form.row("source.file").text = "penguins.csv"
    await set_backend(pilot, "local")
    form.row("job.command").control.focus()
    form.row("job.command").text = command
    await until(pilot, lambda: "row 1 of" in title(pilot.app))  # type: ignore[arg-type]


async def set_backend(pilot: Pilot[None], name: str) -> None:
    form = compose_screen(pilot.app).form  # type: ignore[arg-type]
    form.row("backend").text = name
    await until(pilot, lambda: form.form.kind == name)


async def test_a_batch_from_a_table_by_keyboard_alone(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await pilot.press(*"peng", "tab", "tab")
        await choose_backend(pilot, "local")
        await pilot.press("tab", "tab", *"echo {{ species }}")
        await until(pilot, lambda: "Adelie" in pane_text(app))
        await until(pilot, lambda: "CSV, 344 rows" in note(app, "source.file"))
        assert '"echo"' in pane_text(app)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        words = screen_text(pilot)
        assert "Submit penguins: 344 jobs to local?" in words
        assert "Nothing was sent yet." in words
        assert app.focused is not None
        assert app.focused.id == "no"
        assert app.library.ids() == []
        await pilot.press("y")
        await until(pilot, lambda: app.library.ids())
        folder = app.library.open(app.library.ids()[0])
        assert folder.header.name == "penguins"
        assert folder.header.template == {"command": ["echo", "{{ species }}"]}
        assert len(folder.jobs) == 344
        assert folder.state() is BatchState.PENDING
        await until(pilot, lambda: app.current_mode == "batches")
        assert compose_screen(app).form.form.values.get("source.file") is None


async def test_a_submit_that_is_not_confirmed_leaves_nothing(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert list(app.library.batches_dir.iterdir()) == []
        assert compose_screen(app).form.form.values["job.command"] == "echo {{ species }}"


async def test_the_draft_stays_while_another_screen_is_shown(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "batches")
        app.action_screen_compose()
        await until(pilot, lambda: is_built(app))
        assert compose_screen(app).form.form.values["job.command"] == "echo {{ species }}"


async def test_rows_are_stepped_through_from_within_a_field(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot, "echo {{ row }}")
        await pilot.press("f8")
        await until(pilot, lambda: "row 2" in title(app))
        await pilot.press("f8")
        await until(pilot, lambda: "row 3" in title(app))
        await pilot.press("f7", "f7", "f7")
        await until(pilot, lambda: "row 1 of" in title(app))


async def test_a_check_counts_and_sends_nothing(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))
        assert "344" in pane_text(app)
        assert not app.library.batches_dir.exists()


async def test_a_missing_column_puts_the_cursor_into_its_field(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot, "echo {{ specie }}")
        await until(pilot, lambda: "specie" in pane_text(app) and "line 2" in title(app))
        await pilot.press("shift+tab", "f9")
        await until(pilot, lambda: "to mend" in title(app))
        form = compose_screen(app).form
        await until(pilot, lambda: app.focused is form.row("job.command").control)
        assert "specie" in note(app, "job.command")
        assert form.row("job.command").has_class("-bad")
        assert list(app.library.batches_dir.iterdir()) == []


async def test_a_value_of_the_wrong_type_is_refused_at_its_field(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        form = compose_screen(app).form
        form.row("limits.retries").text = "many"
        await pilot.press("f9")
        await until(pilot, lambda: app.focused is form.row("limits.retries").control)
        assert "whole number" in note(app, "limits.retries")


async def test_what_is_wrong_with_a_schema_stands_below_its_field(work: Path) -> None:
    (work / "answer.schema.json").write_text('{"type": "objec"}')
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        await set_backend(pilot, "openai")
        form = compose_screen(app).form
        assert not form.row("job.command").display
        form.row("job.model").text, form.row("job.prompt").text = "m", "{{ species }}"
        field = form.row("job.schema")
        field.control.focus()
        await pilot.press(*"answ", "tab")
        await until(pilot, lambda: field.text == "answer.schema.json")
        await pilot.press("f5")
        await until(pilot, lambda: "'objec' is not valid" in note(app, "job.schema"))
        (work / "answer.schema.json").write_text('{"type": "object"}')
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))


async def test_a_ready_made_batch_file_needs_no_prompt(work: Path) -> None:
    app = an_app(work, new_from=work / "demo_batch_10.jsonl")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: is_built(app))
        await until(pilot, lambda: "whole requests" in note(app, "source.file"))
        await set_backend(pilot, "openai")
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))


BATCH_FILE = """# by hand
backend = "local"
[source]
file = "penguins.csv"
shuffle = true
[job]
command = ["echo", "{{ species }}"]
env = {A = "b"}
"""


async def test_a_batch_file_is_opened_and_saved_whole(work: Path) -> None:
    path = work / "mine.toml"
    path.write_text(BATCH_FILE)
    app = an_app(work, new_from=path)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: is_built(app))
        form = compose_screen(app).form
        await until(pilot, lambda: form.form.values.get("job.command") == "echo {{ species }}")
        assert "shuffle = true" in form.row("other").text
        form.row("limits.cost_usd").text = "2.5"
        await pilot.press("f2")
        await until(pilot, lambda: app.screen.query("PathInput"))
        await pilot.press("enter")
        await until(pilot, lambda: (work / "mine.toml.bak").exists())
        assert (work / "mine.toml.bak").read_text() == BATCH_FILE
        text = path.read_text()
        for words in ("shuffle = true", "cost_usd = 2.5", 'command = [\n    "echo"', "A = "):
            assert words in text
        assert form.form.values["limits.cost_usd"] == "2.5"


async def test_a_bad_batch_file_is_refused_with_its_line(work: Path) -> None:
    (work / "bad.toml").write_text('name = "x"\nbackend = = 3\n')
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        await pilot.press("f4")
        await until(pilot, lambda: app.screen.query("PathInput"))
        await pilot.press(*"bad.toml", "enter")
        await until(pilot, lambda: any("line 2" in words for _, words in app.notes))
        assert compose_screen(app).form.form.values["job.command"] == "echo {{ species }}"


async def test_a_column_is_inserted_where_the_cursor_is(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot, "echo ")
        await until(pilot, lambda: "row 1 of" in title(app))
        await pilot.press("f3")
        await until(pilot, lambda: app.screen.query("OptionList"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert compose_screen(app).form.row("job.command").text == "echo {{ island }}"


HOSTILE = 'na\x1b]52;c;aGk=\x07me,"[/nope]",[@click=app.quit]x\n"\x1b[2J\u202egone",[bold,2\n'


async def test_a_hostile_source_is_shown_and_acts_on_nothing(work: Path) -> None:
    (work / "hostile.csv").write_text(HOSTILE)
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await pilot.press(*"hostile.csv", "enter")
        await choose_backend(pilot, "local")
        await pilot.press("tab", "tab", *'echo {{ row["[/nope]"] }}')
        await until(pilot, lambda: "bold" in pane_text(app))
        await pilot.press("f3")
        await until(pilot, lambda: app.screen.query("OptionList"))
        assert "\x1b" not in screen_text(pilot)
        await pilot.press("escape", "f5")
        await until(pilot, lambda: "Check" in title(app))
        assert "\x1b" not in app.export_screenshot()


async def test_another_backend_shows_its_fields_and_keeps_the_others(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        form = compose_screen(app).form
        form.row("backend").text = "openai"
        await until(pilot, lambda: form.row("job.prompt").display)
        assert not form.row("job.command").display
        await until(pilot, lambda: "OPENAI_API_KEY is set" in screen_text(pilot))
        assert "nobody" not in app.export_screenshot()
        form.row("backend").text = "local"
        await until(pilot, lambda: form.row("job.command").display)
        assert form.row("job.command").text == "echo {{ species }}"


async def test_a_key_that_is_missing_is_said_before_anything_is_sent(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        form = compose_screen(app).form
        await set_backend(pilot, "openai")
        form.row("job.prompt").text = "{{ species }}"
        await until(pilot, lambda: "OPENAI_API_KEY" in pane_text(app))
        await pilot.press("f9")
        await until(pilot, lambda: "to mend" in title(app))
        assert "OPENAI_API_KEY" in note(app, "backend")


@pytest.mark.parametrize("size", [SMALL, (160, 48), (40, 12)])
async def test_the_form_fits_the_terminal(work: Path, size: tuple[int, int]) -> None:
    app = an_app(work)
    async with app.run_test(size=size) as pilot:
        await fill_penguins(pilot)
        await until(pilot, lambda: "Adelie" in pane_text(app))
        text = screen_text(pilot)
        assert "Source" in text or size[1] < 24
        assert "Preview" in text


async def test_a_submitted_batch_runs_and_its_results_are_read(work: Path) -> None:
    app = an_app(work, worker=True)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot)
        compose_screen(app).form.row("source.limit").text = "3"
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: app.library.ids())
        batch_id = app.library.ids()[0]
        await until(
            pilot, lambda: (status := app.link.status(batch_id)) and status.completed == 3, seconds=30
        )
        app.read_result(batch_id, 0, [0, 1, 2])
        await until(pilot, lambda: "Adelie" in screen_text(pilot))


async def test_a_backend_has_to_be_chosen(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        form = compose_screen(app).form
        form.row("source.file").text = "penguins.csv"
        await until(pilot, lambda: "Choose a backend" in pane_text(app))
        await pilot.press("f9")
        await until(pilot, lambda: "choose where" in note(app, "backend"))
        assert app.focused is form.row("backend").control


async def test_keys_sent_in_one_burst_are_all_part_of_what_is_checked(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=SMALL) as pilot:
        await fill_penguins(pilot, "echo ")
        for key in (*"{{ species }}", "f9"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: app.library.ids())
        folder = app.library.open(app.library.ids()[0])
        assert folder.header.template == {"command": ["echo", "{{ species }}"]}
