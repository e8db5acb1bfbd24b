"""Batches of scenarios as they lie in the store, with nothing that drives them."""

from __future__ import annotations

import csv
from pathlib import Path

from batchtui.config import load_config
from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, Json, Outcome, OutputSpec, SourceSpec
from batchtui.store.disk.commit import Committer
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter
from tests import extras


def batch(
    tmp_path: Path,
    ids: list[str],
    job: dict[str, Json] | None = None,
    *,
    out: str | None = None,
    source: str = "rows.csv",
) -> BatchFolder:
    """A stored batch of tasks."""
    extras.require("power")
    (tmp_path / "grid.m").write_text("no grid, but a file")
    with (tmp_path / source).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id"], *([one] for one in ids)])
    spec = BatchSpec(
        name="grid",
        backend="local",
        source=SourceSpec(file=str(tmp_path / source)),
        output=OutputSpec(dir=out),
        job={"task": "ac", "grid": "grid.m", **(job or {})},
    )
    library = Library(tmp_path / "data")
    draft = library.draft()
    (tmp_path / "config.toml").touch()
    backends = Backends(load_config(tmp_path / "config.toml", env={}), env={})
    planned = plan(spec, tmp_path, backends, draft=draft)
    assert not planned.preflight.stopped, planned.preflight.problems
    return create(planned, draft)


def store(folder: BatchFolder, outcomes: dict[int, Outcome]) -> None:
    committer = Committer(lambda fault: None)
    writer = BatchWriter(folder, committer, lambda batch_id: None)
    for n, outcome in outcomes.items():
        writer.record("start", n=n, **{"try": 1})
        writer.store(n, 1, folder.jobs.ids[n], outcome, backend="local")
    writer.close()
    committer.stop()
