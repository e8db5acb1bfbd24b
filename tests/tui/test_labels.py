"""Labels and notes on results: by a key, kept on the disk, found by a filter, exported."""

from __future__ import annotations

import json
from pathlib import Path

from batchtui.results.export.file import export_batch
from batchtui.results.reading.query import parse
from batchtui.store.files import labels
from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.reading.result import ResultScreen
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until


async def test_a_key_labels_the_result_that_is_read(library: Library) -> None:
    app = app_over(library, open_batch="k7fq2m")
    folder = library.open("k7fq2m")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.screen.table.numbers)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ResultScreen) and app.screen.result)
        await pilot.press("plus")
        await until(pilot, lambda: "a1-00000  good" in screen_text(pilot))
        await pilot.press("a", *"fine", "enter")
        await until(pilot, lambda: "a1-00000  good: fine" in screen_text(pilot))
        result = folder.result(0)
        assert (result.label, result.label_note) == ("good", "fine")
        await pilot.press("minus")
        await until(pilot, lambda: "a1-00000  bad: fine" in screen_text(pilot))
        await pilot.press("minus")
        await until(pilot, lambda: folder.result(0).label is None)
        await pilot.press("escape")
        await until(pilot, lambda: "[note] The site" in screen_text(pilot))


async def test_marked_jobs_are_labelled_filtered_and_exported(library: Library, tmp_path: Path) -> None:
    app = app_over(library, open_batch="k7fq2m")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.screen.table.numbers)
        screen = app.screen
        assert isinstance(screen, BatchScreen)
        await pilot.press("space", "space", "equals_sign")
        await until(pilot, lambda: screen_text(pilot).count("[again]") == 2)
        await pilot.press("U", "G", "plus", "slash", *"label:again", "enter")
        await until(pilot, lambda: list(screen.table.numbers) == [0, 1])
    out = tmp_path / "out.jsonl"
    export_batch(library.open("k7fq2m"), str(out), format=None, fields=None, query=parse("label:good"))
    (line,) = out.read_text().splitlines()
    assert (json.loads(line)["job_id"], json.loads(line)["label"]) == ("a1-01199", "good")


def test_a_torn_or_foreign_line_hides_no_other(library: Library) -> None:
    folder = library.open("k7fq2m")
    labels.add(folder.path, [labels.Label(job_id="a", label="good")])
    with (folder.path / labels.FILE).open("ab") as file:
        file.write(b'nonsense\n{"job_id": 5}\n{"job_id": "b", "label": "b')
    labels.add(folder.path, [labels.Label(job_id="c", label="bad")])
    assert {job: one.label for job, one in labels.read(folder.path).of_jobs.items()} == {
        "a": "good",
        "c": "bad",
    }
