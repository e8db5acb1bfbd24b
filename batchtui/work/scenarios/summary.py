"""The end of a batch of scenarios, in a process of its own: `python -m batchtui.work.scenarios.summary BATCH PLACE`.

It waits for a line on its input, so that it can be started while the last scenarios run, and prints one line of JSON:
`{"scenarios": …, "ok": …}`, or `{"error": …}`. The batch is only read; all that is written is under PLACE.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from batchtui.errors import BatchtuiError
from batchtui.model import LIVE_JOB_STATES, JobState, Json
from batchtui.results.scenarios.columns import AGGREGATED, BRANCH, BRANCH_OPF, BUS, CONTINGENCY
from batchtui.results.scenarios.files import (
    MANIFEST,
    SUMMARY,
    folder_name,
    keep,
    keep_failure,
    standing,
    value_standing,
)
from batchtui.results.scenarios.manifest import SEPARATOR, Tally, head, line, tail
from batchtui.results.scenarios.rows import Finished, aggregated, by_column, entry, finished, tables_of
from batchtui.results.scenarios.writer import TableWriter
from batchtui.store.folder import BatchFolder
from batchtui.work.scenarios.tasks import Tasks
from batchtui.work.without import import_pyarrow

CHUNK = 256
"""Scenarios whose tables are held at a time; a row group of each summary table."""


def write_summary(folder: BatchFolder, place: Path) -> dict[str, int]:
    """Write what is missing of the job folders, the summary tables and the manifest; how many, and how many are ok.

    Raises OSError, BadInput.
    """
    tasks, tally = Tasks(folder), Tally()
    counts = folder.progress.counts()
    ended = sum(count for state, count in counts.items() if state not in LIVE_JOB_STATES)
    (place / SUMMARY).mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        rows = files.enter_context(TableWriter(place / SUMMARY / "aggregated_results", AGGREGATED))
        joined = {table: files.enter_context(writer) for table, writer in _joined(place, tasks.only)}
        manifest = files.enter_context(_replacing(place / MANIFEST))
        manifest.write(head(tasks.only or "mixed", folder.header.created, ended, counts[JobState.COMPLETED]))
        for chunk in _chunks(folder, tasks):
            for one in chunk:
                _complete(one, place / folder_name(one.scenario_id))
                found = entry(one)
                manifest.write((SEPARATOR if tally.count else b"") + line(found))
                tally.add(found)
            rows.append(by_column([aggregated(one) for one in chunk], AGGREGATED))
            done = [one.scenario_id for one in chunk if one.state is JobState.COMPLETED]
            for table, writer in joined.items():
                writer.append_tables(table, [(name, place / folder_name(name)) for name in done])
        manifest.write(tail(tally))
    return {"scenarios": tally.count, "ok": tally.ok}


def _joined(place: Path, task: str | None) -> Iterator[tuple[str, TableWriter]]:
    """The tables that hold all scenarios of one task, or of several."""
    branch = BRANCH_OPF if task is None or task.endswith("opf") else BRANCH
    tables = [("branch", "branches", branch), ("bus", "buses", BUS)]
    if task in ("n1", None):
        tables.append(("contingency", "contingencies", CONTINGENCY))
    for table, name, columns in tables:
        yield table, TableWriter(place / SUMMARY / name, ("scenario_id", *columns))


def _chunks(folder: BatchFolder, tasks: Tasks) -> Iterator[list[Finished]]:
    chunk: list[Finished] = []
    for n in range(len(folder.jobs)):
        result = folder.result(n)
        if result.status in LIVE_JOB_STATES:
            continue
        chunk.append(finished(result, tasks.of(n)))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _complete(one: Finished, folder: Path) -> None:
    """Write the job's folder where the worker did not: its tables came with the result, or it failed."""
    facts: dict[str, Json] = {"scenario_id": one.scenario_id, "task": one.task}
    if one.state is not JobState.COMPLETED:
        if one.state is JobState.CANCELLED and not folder.exists():
            return
        facts |= {"status": "error", "error_kind": one.error_kind, "error": one.error}
        keep_failure(folder, facts | {"attempts": one.attempts, "input_hash": None})
    elif one.value and "files" not in one.value:
        there = standing(folder, one.value.get("input_hash"))  # from an earlier end of this batch
        tables = tables_of(one.value) if there is None else None
        if there is not None:
            one.value["files"] = value_standing(there)["files"]
        elif tables is not None:
            value = {name: one.value.get(name) for name in ("summary", "input_hash")}
            facts |= {"status": "ok", "attempts": one.attempts, **value}
            one.value["files"] = keep(folder, facts, tables)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process at a time: after a crash of the app an earlier one may still be writing here."""
    import fcntl

    summary = place / SUMMARY
    summary.mkdir(parents=True, exist_ok=True)
    fd = os.open(summary, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file under a temporary name, in the place of `path` once it is whole."""
    part = path.with_name(f".{path.name}.whole")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def main(arguments: list[str]) -> int:
    """As the module says. Exit code 1 where it could not be written."""
    batch, place = map(Path, arguments)
    import_pyarrow()  # while there is nothing else to do
    if not sys.stdin.readline():
        return 0  # whoever started it is gone
    said: dict[str, Json]
    try:
        with _alone(place):
            said = dict(write_summary(BatchFolder(batch), place))
    except (OSError, ValueError, BatchtuiError) as fault:
        said = {"error": str(fault)}
    except Exception as fault:
        said = {"error": f"a fault of batchtui itself: {type(fault).__name__}: {fault}"}
    print(json.dumps(said), flush=True)
    return 1 if "error" in said else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # at once: what was imported takes a tenth of a second to take down
