"""The work of a program kind in the editor: a command, a call, or a task on a grid, and manifests that say one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from batchtui import batchfile
from batchtui.config import load_config
from batchtui.model import BatchSpec
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.models.compose_model import FieldFault, Form, field_key, form_of, opened, spec_of
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.composing import screen as compose
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.widgets.form.estimate_line import EstimateLine
from batchtui.tui.widgets.text_view import TextView
from tests import extras
from tests.tui.samples import app_over
from tests.tui.test_compose_screen import (
    choose_backend,
    compose_screen,
    note,
    pane_text,
    set_backend,
    start,
    title,
)
from tests.tui.waiting import screen_text, until

SMALL = (80, 24)


def an_app(case14: Path, **options: object) -> BatchtuiApp:
    return app_over(Library(case14.parent / "data"), **options)


def shown_fields(app: BatchtuiApp) -> set[str]:
    return {row.key for row in compose_screen(app).form.rows if row.display and row.key.startswith("job.")}


# ---- the form as data

CALL = BatchSpec(job={"call": "model.run:one", "arguments": {"site": "{{ site }}", "n": 3}, "chunk": 8})
TASK = BatchSpec(job={"task": "dcopf", "grid": "case14.m", "loads": "{{ loads }}", "dc_model": "powermodels"})


@pytest.mark.parametrize("spec", [CALL, TASK], ids=["call", "task"])
@pytest.mark.parametrize("kind", ["local", "slurm", "chat"])
def test_every_form_of_work_survives_the_form(spec: BatchSpec, kind: str) -> None:
    form = form_of(spec, kind, Path("/data"))
    assert spec_of(form) == spec
    assert (form.other == "") == (kind != "chat")
    form.set_kind("slurm")
    assert spec_of(form) == spec
    assert form.other == ""


def test_work_that_is_not_in_use_is_kept_and_not_written() -> None:
    form = form_of(TASK, "local", Path("/data"))
    form.values |= {"work": "command", "job.command": "echo 1"}
    assert spec_of(form).job == {"command": ["echo", "1"]}
    form.values["work"] = "task"
    assert spec_of(form) == TASK


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("job.task", "dcof", 'did you mean "dcopf"?'),
        ("job.dc_model", "matpowr", 'did you mean "matpower"?'),
    ],
)
def test_a_word_that_is_none_is_refused_at_its_field(key: str, text: str, words: str) -> None:
    with pytest.raises(FieldFault) as told:
        spec_of(Form(values={"job.task": "dc", key: text}, kind="local"))
    assert (told.value.key, words in str(told.value)) == (key, True)


def test_problems_of_a_task_stand_at_its_fields() -> None:
    form = Form(values={"job.task": "ac"}, kind="local")
    assert field_key("job.loads", form) == "job.loads"
    assert field_key("grid", form) == "job.grid"
    assert field_key("job.outages", form) == "other"


def test_a_manifest_opens_with_its_task_and_a_backend_that_does_it(case14: Path) -> None:
    for default, backend in ((None, "local"), ("chat", "local"), ("slurm", None)):
        form = opened(case14 / "manifest_ac.json", lambda _, kind=default: kind)
        assert (form.values["job.task"], form.work, form.backend) == ("ac", "task", backend)
        assert spec_of(form).job == {"task": "ac"}
    assert opened(case14 / "case14.json", lambda _: "chat").values.keys() == {"source.file", "name"}
    (case14 / "broken.json").write_text('{"scenarios": [')
    assert opened(case14 / "broken.json", lambda _: "local").values["source.file"] == "broken.json"


# ---- on screen


async def open_manifest(pilot: Pilot[None], file: str = "manifest_ac.json") -> None:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.focused)
    await until(pilot, lambda: "scenario manifest" in note(app, "source.file"))


@extras.needs("power")
async def test_a_manifest_is_submitted_as_n1_in_six_keys_or_fewer(case14: Path) -> None:
    """From `batchtui new manifest_ac.json`: the task, submit, yes."""
    app = an_app(case14, new_from=Path("manifest_ac.json"))
    async with app.run_test(size=SMALL) as pilot:
        await open_manifest(pilot)
        keys = ["ctrl+t", "f9", "y"]
        assert len(keys) <= 6
        await pilot.press(keys[0])
        await until(pilot, lambda: '"n1"' in pane_text(app))
        await pilot.press(keys[1])
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        words = screen_text(pilot)
        assert "Submit manifest_ac: 24 jobs to local?" in words
        assert "n1 of case14.m" in words
        assert "runs/batch/manifest_ac" in words
        await pilot.press(keys[2])
        await until(pilot, lambda: app.link.folders())
        (folder,) = app.link.folders()
        header = folder.header
        assert (header.kind, header.template["task"]) == ("local", "n1")
        assert header.spec.output.dir == str(case14 / "runs" / "batch" / "manifest_ac")
        assert (header.spec.limits.timeout, header.spec.limits.concurrency) == (60, 4)


async def test_the_task_steps_round(case14: Path) -> None:
    app = an_app(case14, new_from=Path("manifest_dc.json"))
    async with app.run_test(size=SMALL) as pilot:
        await open_manifest(pilot)
        met = [compose_screen(app).form.form.values["job.task"]]
        for _ in range(5):
            await pilot.press("ctrl+t")
            met.append(compose_screen(app).form.form.values["job.task"])
        assert met == ["dc", "ac", "n1", "dcopf", "acopf", "dc"]


async def test_a_manifest_that_is_typed_in_brings_its_task(case14: Path) -> None:
    app = an_app(case14)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await pilot.press(*"manifest_ac.json")
        await until(pilot, lambda: compose_screen(app).form.form.values.get("job.task") == "ac")
        form = compose_screen(app).form.form
        assert (form.backend, form.work) == ("local", "task")
        await until(pilot, lambda: '"ac"' in pane_text(app))
        assert "It says ac, 60 s each, 4 at once" in note(app, "source.file")


@extras.needs("power")
async def test_a_check_outlives_what_the_source_turns_out_to_be(
    case14: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F5 at once, before the file has been read and found to be a manifest."""
    (case14 / "twice.json").write_text(
        '{"scenarios": [{"id": "s", "case": "case14.m"}, {"id": "S", "case": "case14.m"}]}'
    )
    (case14 / "own.toml").write_text('backend = "local"\n[source]\nfile = "twice.json"\n')
    read, really = threading.Event(), compose.scan

    def late(*args: Any) -> Any:
        read.wait(60)
        return really(*args)

    monkeypatch.setattr(compose, "scan", late)
    app = an_app(case14, new_from=Path("own.toml"))
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.focused)
        await pilot.press("f5")
        await until(pilot, lambda: title(app).startswith("Check"))
        read.set()
        await until(pilot, lambda: "scenario" in note(app, "source.file"))
        await until(pilot, lambda: "1 problem to mend" in title(app))
        assert "1 problem to mend" in title(app)
        assert "differs only by case" in pane_text(app)


async def test_a_batch_that_says_its_work_keeps_it_over_a_manifest(case14: Path) -> None:
    (case14 / "own.toml").write_text(
        'backend = "local"\n[source]\nfile = "manifest_ac.json"\n[job]\ncommand = ["echo", "{{ id }}"]\n'
    )
    app = an_app(case14, new_from=Path("own.toml"))
    async with app.run_test(size=SMALL) as pilot:
        await open_manifest(pilot)
        form = compose_screen(app).form.form
        assert (form.work, form.values["job.command"]) == ("command", "echo {{ id }}")
        await pilot.press("ctrl+t")
        assert compose_screen(app).form.form.work == "task"


async def test_the_form_shows_the_fields_of_the_work_in_use(case14: Path) -> None:
    app = an_app(case14)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        await set_backend(pilot, "local")
        form = compose_screen(app).form
        assert shown_fields(app) == {"job.command", "job.cwd", "job.stdin"}
        for work, keys in {
            "call": {"job.call", "job.arguments", "job.chunk"},
            "task": {"job.task", "job.grid", "job.loads", "job.dc_model"},
        }.items():
            form.row("work").text = work
            await until(pilot, lambda keys=keys: shown_fields(app) == keys)


async def test_work_is_chosen_by_keyboard(case14: Path) -> None:
    (case14 / "model.py").write_text("def one(site):\n    return site\n")
    (case14 / "sites.csv").write_text("site\nOslo\n")
    app = an_app(case14)
    async with app.run_test(size=SMALL) as pilot:
        await start(pilot)
        form = compose_screen(app).form
        form.row("source.file").text = "sites.csv"
        await set_backend(pilot, "local")
        form.row("work").control.focus()
        await pilot.press("enter", "down", "enter")
        await until(pilot, lambda: form.form.work == "call")
        await pilot.press("tab", *"model:one", "tab", *'{"site": "{{ site }}"}')
        await until(pilot, lambda: "Oslo" in pane_text(app))
        assert spec_of(form.form).job == {"call": "model:one", "arguments": {"site": "{{ site }}"}}


async def test_slurm_in_place_of_local_is_the_only_change(case14: Path) -> None:
    config = case14.parent / "config.toml"
    config.write_text('[backends.local]\nkind = "local"\n[backends.cluster]\nkind = "slurm"\n')
    data = case14.parent / "data"
    app = BatchtuiApp(load_config(config, env={}), data, worker=False, new_from=Path("manifest_ac.json"))
    async with app.run_test(size=SMALL) as pilot:
        await open_manifest(pilot)
        before = spec_of(compose_screen(app).form.form)
        shown = shown_fields(app)
        form = compose_screen(app).form
        await choose_backend(pilot, "cluster")
        await until(pilot, lambda: form.form.kind == "slurm")
        after = spec_of(form.form)
        assert (before.backend, after.backend) == ("local", "cluster")
        assert (after.job, after.source) == (before.job, before.source)
        assert shown_fields(app) == shown


@extras.needs("power")
async def test_a_fault_of_a_scenario_is_told_and_may_be_submitted(case14: Path) -> None:
    app = an_app(case14, new_from=Path("manifest_faults.json"))
    async with app.run_test(size=SMALL) as pilot:
        await open_manifest(pilot)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: "will fail" in screen_text(pilot))


async def test_a_saved_manifest_batch_reads_the_same(case14: Path) -> None:
    form = opened(case14 / "manifest_ac.json", lambda _: None)
    batchfile.save(spec_of(form), case14 / "kept.toml")
    kept = opened(case14 / "kept.toml", lambda name: name)
    assert kept.values["job.task"] == "ac"
    assert json.loads((case14 / "manifest_ac.json").read_text())["solver"] == "ac"


# ---- how it looks

CALL_FILE = """backend = "local"
[source]
file = "sites.csv"
[job]
call = "model.run:one"
arguments = {site = "{{ site }}", years = 20}
chunk = 16
"""


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
@pytest.mark.parametrize("file", ["manifest_ac.json", "call.toml"])
def test_work_fields(
    snap_compare: Callable[..., bool], case14: Path, size: tuple[int, int], file: str
) -> None:
    (case14 / "sites.csv").write_text("site\nOslo\nBergen\n")
    (case14 / "call.toml").write_text(CALL_FILE)

    async def composed(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, BatchtuiApp)
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.focused)
        told = "scenario manifest" if file.endswith(".json") else "CSV, 2 rows"
        await until(pilot, lambda: told in note(app, "source.file"))
        await until(pilot, lambda: "row 1 of" in title(app))
        compose_screen(app).pane.show_text(
            "Preview", "the job as it would be sent"
        )  # its paths are of this machine
        compose_screen(app).pane.query_one(TextView).focus()
        await until(pilot, lambda: "would be sent" in screen_text(pilot))
        await until(
            pilot, lambda: "? Help" in screen_text(pilot)
        )  # the line of keys has seen that one types no more
        estimate = compose_screen(app).query_one(EstimateLine)
        await until(pilot, lambda: "nothing to count yet" not in str(estimate.render()))
        estimate.show(None)  # what it says depends on what is installed here
        await pilot.pause()

    assert snap_compare(an_app(case14, new_from=Path(file)), terminal_size=size, run_before=composed)
