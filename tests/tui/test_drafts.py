"""Drafts: what was typed comes back with its time, one a form, whatever took its place."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.model import BatchSpec
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.models.compose_model import Form
from batchtui.tui.models.drafts import MOST, Draft, Drafts
from batchtui.tui.screens.asking.dialogs import Choose
from tests.tui.samples import app_over
from tests.tui.test_compose_screen import compose_screen, start
from tests.tui.waiting import screen_text, until

KEY = "sk-ant-api03-" + "a1B2" * 24


def form(base: Path, path: Path | None = None, **values: str) -> Form:
    return Form(values={key.replace("_", "."): text for key, text in values.items()}, base=base, path=path)


def typed(drafts: Drafts, tmp_path: Path, *prompts: str, path: Path | None = None) -> None:
    """A form that is opened, and into which this is typed."""
    drafts.begin(form(tmp_path, path), None)
    for prompt in prompts:
        drafts.note(form(tmp_path, path, job_prompt=prompt), None)
        drafts.flush()


def prompts(drafts: Drafts) -> list[str]:
    return [one.values["job.prompt"] for one in drafts.all()]


def test_a_form_is_one_file_of_its_own_and_holds_no_key(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    typed(drafts, tmp_path, "S", "Say", f"Say {KEY}")
    (path,) = (tmp_path / "drafts").glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KEY not in path.read_text()
    assert json.loads(path.read_text())["values"]["job.prompt"] == "Say •••key•••"


def test_a_form_that_is_as_it_was_is_no_draft(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    typed(drafts, tmp_path, "S", "")
    drafts.note(form(tmp_path), None)
    drafts.flush()
    assert list((tmp_path / "drafts").glob("*.json")) == []
    typed(drafts, tmp_path, "Say")
    drafts.done()
    assert list((tmp_path / "drafts").glob("*.json")) == []


def test_what_another_app_has_open_stays_with_it_until_that_ends(tmp_path: Path) -> None:
    first, second = Drafts(tmp_path), Drafts(tmp_path)
    typed(first, tmp_path, "Of the first")
    assert (second.newest(), second.all()) == (None, [])
    first.close()
    found = second.newest()
    assert found is not None
    assert found.values["job.prompt"] == "Of the first"
    second.begin(found.form(lambda _: None), None, found)
    assert Drafts(tmp_path).all() == []
    second.close()
    assert prompts(Drafts(tmp_path)) == ["Of the first"]


def test_a_form_that_another_one_replaced_comes_back_when_it_is_asked_for(tmp_path: Path) -> None:
    drafts, file = Drafts(tmp_path), tmp_path / "a.toml"
    typed(drafts, tmp_path, "First", path=file)
    typed(drafts, tmp_path, "Second", path=file)
    assert prompts(drafts) == ["First"]
    assert drafts.newest() is None
    drafts.close()
    later = Drafts(tmp_path)
    assert sorted(prompts(later)) == ["First", "Second"]
    for found in (later.newest(), later.of(file)):
        assert found is not None
        assert found.values["job.prompt"] == "Second"


def test_a_disk_that_takes_nothing_leaves_the_draft_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = Drafts(tmp_path)
    typed(drafts, tmp_path, "Say")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as refusing:
        refusing.setattr("batchtui.tui.models.drafts.replace_file", full)
        typed(drafts, tmp_path)  # another form takes its place
    assert prompts(drafts) == ["Say"]


def test_no_more_are_kept_than_can_be_looked_through(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    for n in range(MOST + 5):
        typed(drafts, tmp_path, f"{n}")
        for path in (tmp_path / "drafts").glob("*.json"):  # each older than the next
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert len(list((tmp_path / "drafts").glob("*.json"))) == MOST
    assert f"{MOST + 3}" in prompts(drafts)
    assert "0" not in prompts(drafts)


def test_what_is_damaged_or_of_a_newer_version_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    folder.mkdir()
    newer = Draft(id="form-b", time="2026-01-01T00:00:00Z", base="/", schema=9)
    (folder / "form-b.json").write_text(
        json.dumps({"id": newer.id, "time": newer.time, "base": "/", "schema": 9})
    )
    for name, text in (("form-a", "{"), ("form-c", "[1]"), ("form-d", '{"id": "x"}'), ("form-e", "")):
        (folder / f"{name}.json").write_text(text)
    assert Drafts(tmp_path).all() == []


# ---- on the screen


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    monkeypatch.chdir(folder)
    return folder


def an_app(work: Path) -> BatchtuiApp:
    return app_over(Library(work.parent / "data"), now=time.time)


def command(app: BatchtuiApp) -> str:
    return compose_screen(app).form.row("job.command").text


async def type_command(pilot: Pilot[None], text: str) -> None:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    await start(pilot)
    form = compose_screen(app).form
    form.row("backend").text = "local"
    await until(pilot, lambda: form.form.kind == "local")
    form.row("job.command").control.focus()
    await pilot.press(*text)
    await until(pilot, lambda: command(app) == text)


async def test_it_comes_back_with_its_time_and_start_over_keeps_it(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=(80, 24)) as pilot:
        await type_command(pilot, "echo hi")
        folder = work.parent / "data/drafts"
        await until(pilot, lambda: [*folder.glob("*.json")] and not app.drafts.pending)
        made = max(path.stat().st_mtime for path in folder.glob("*.json"))
        app.drafts.close()
    again = an_app(work)
    async with again.run_test(size=(80, 24), notifications=True) as pilot:
        await start(pilot)
        await until(pilot, lambda: "draft of " in screen_text(pilot))
        assert time.strftime("draft of %H:", time.localtime(made)) in screen_text(pilot)
        assert command(again) == "echo hi"
        await pilot.press("ctrl+n")
        await until(pilot, lambda: command(again) == "")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(again.screen, Choose))
        assert "echo hi" in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: command(again) == "echo hi")


async def test_a_clone_or_a_file_that_takes_its_place_loses_nothing(work: Path) -> None:
    (work / "b.toml").write_text('name = "b"\nbackend = "local"\n[job]\ncommand = ["true"]\n')
    app = an_app(work)
    async with app.run_test(size=(80, 24)) as pilot:
        await type_command(pilot, "echo hi")
        app.compose_batch(spec=BatchSpec(name="k", backend="local", job={"command": ["false"]}), base=work)
        await until(pilot, lambda: command(app) == "false")
        app.compose_batch(path=work / "b.toml")
        await until(pilot, lambda: command(app) == "true")
        assert [one.values["job.command"] for one in app.drafts.all()] == ["echo hi"]
        compose_screen(app).form.row("job.command").control.focus()
        await pilot.press("end", *"ly")
        await until(pilot, lambda: command(app) == "truely")
        app.drafts.close()
    again = an_app(work)
    async with again.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await until(pilot, lambda: command(again) == "truely")
        assert compose_screen(again).form.form.path == work / "b.toml"


async def test_what_was_only_opened_is_no_draft(work: Path) -> None:
    (work / "b.toml").write_text(
        'name = "b"\nbackend = "local"\n[job]\ncall = "m:f"\n[job.arguments]\nx = 1\n[source]\nfile = "a.csv"\n'
    )
    app = an_app(work)
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        for path in ("b.toml", "a.csv"):
            app.compose_batch(path=work / path)
            await until(pilot, lambda: "CSV, 1 row" in screen_text(pilot))
            await pilot.pause(1.0)
        app.drafts.close()
    assert not [*(work.parent / "data").glob("drafts/*")]


async def test_a_draft_of_a_file_from_elsewhere_is_still_from_elsewhere(work: Path) -> None:
    (work / "b.toml").write_text('name = "b"\nbackend = "local"\n[job]\ncommand = ["rm", "x"]\n')
    app = an_app(work)
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        app.compose_batch(path=work / "b.toml")
        await until(pilot, lambda: command(app) == "rm x")
        compose_screen(app).form.row("name").text = "c"
        await until(pilot, lambda: app.drafts.pending or [*(work.parent / "data/drafts").glob("*.json")])
        app.drafts.close()
    again = an_app(work)
    async with again.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await until(pilot, lambda: command(again) == "rm x")
        brought = compose_screen(again).elsewhere
        assert brought is not None
        assert brought["job.command"] == "rm x"
        assert brought["name"] == "b"
