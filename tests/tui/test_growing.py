"""Jobs that are born while somebody looks at their batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui import batchfile
from batchtui.model import JobRecord, JobState
from batchtui.store.library import Library
from batchtui.tui.actions import job_actions
from batchtui.tui.actions.batch_actions import retry
from batchtui.tui.actions.scope import Scope
from batchtui.tui.models.compose_model import FieldFault, form_of, spec_of
from batchtui.tui.screens.batch import BatchScreen
from tests.tui.samples import Sample, app_over
from tests.tui.test_batches_screen import commands
from tests.tui.waiting import screen_text, until

FLOW = """
backend = "buttermilk"
[job]
flow = "demo"
shuffle = false
max_records = 3
concurrency = 2
error_policy = "stop"
interactive = true
[job.parameters]
model = "{{ model }}"
"""


async def test_jobs_join_the_table_as_they_are_born(tmp_path: Path) -> None:
    library = Library(tmp_path)
    said: list[str] = []
    sample = Sample(library, "zz9new", "flow", [], backend="buttermilk", growing=True)
    sample.record("intent", sub=1, token="t", jobs="", backend="buttermilk", seed=0, grows=True)
    sample.record("submitted", sub=1, remote_id="batch-0aB1cD2e")
    sample.record("poll", sub=1, state="processing", completed=0, failed=0, facts={"total": 3})
    app = app_over(library, open_batch="zz9new")
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        assert isinstance(app.screen, BatchScreen)
        for count in (1, 3):
            first = sample.folder.progress.total
            born = [JobRecord(n=n, id=f"record {n}") for n in range(first, count)]
            sample.writer.grow(1, born, more=True)
            await until(pilot, lambda count=count: len(app.screen.table.numbers) == count)
            await until(pilot, lambda count=count: f"record {count - 1}" in screen_text(pilot))
        sample.ids = ["record 0", "record 1", "record 2"]
        sample.finish(2)
        await until(pilot, lambda: "1/3" in screen_text(pilot) or "1 completed" in screen_text(pilot))
        sample.finish(1, state=JobState.FAILED, error_kind="flow", error="no way")
        sample.finish(0)
        sample.end()
        await until(pilot, lambda: "no way" in screen_text(pilot))
        app.say = lambda text, *_: said.append(str(text))  # type: ignore[method-assign]
        retry(app, ["zz9new"])
        job_actions.retry(app, "zz9new", Scope([1], [1], marked=True), lambda: None)
        assert [text[:4] for text in said] == ["jobs", "jobs"]
        assert commands(library, "zz9new") == []
    sample.close()


def test_a_flow_in_the_form() -> None:
    spec = batchfile.loads(FLOW, "test")
    form = form_of(spec, "buttermilk", Path("/data"))
    assert form.values["job.flow"] == "demo"
    assert (form.values["job.shuffle"], form.values["job.interactive"]) == ("no", "yes")
    assert form.values["job.parameters"] == '{"model": "{{ model }}"}'
    assert form.other.strip() == ""
    assert spec_of(form) == spec
    for key, text in (("job.shuffle", "perhaps"), ("job.parameters", "[1]"), ("job.parameters", "{")):
        form = form_of(spec, "buttermilk", Path("/data"))
        form.values[key] = text
        with pytest.raises(FieldFault, match="expected"):
            spec_of(form)
