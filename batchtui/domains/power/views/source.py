"""What the views of scenarios read: the tables of a whole batch chunk by chunk, or of one scenario."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from batchtui.errors import BadInput, NotFound
from batchtui.model import ENDED_BATCH_STATES, LIVE_JOB_STATES, JobState, Json
from batchtui.results.scenarios.columns import parquet, type_of
from batchtui.results.scenarios.files import SUMMARY, folder_name
from batchtui.results.scenarios.place import holds_scenarios, lost, place_of
from batchtui.results.scenarios.rows import aggregated, finished, value_of
from batchtui.results.scenarios.tables import read_table, table_file
from batchtui.results.views.figures import is_figure
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

MOST_SCENARIOS: Final = 20_000
MOST_FOLDERS: Final = 500
"""Scenarios whose own tables are read while those of the whole batch are not written yet."""
_WHOLE: Final = {"branch": "branches", "bus": "buses", "contingency": "contingencies"}
_LINES: Final = 50_000

Columns = dict[str, list[Json]]


class Grid:
    """The scenarios of a batch and their tables. Reads when asked, in the caller's thread."""

    def __init__(self, folder: BatchFolder, among: frozenset[str] | None = None) -> None:
        """`among`: the only scenarios that are read; None for all."""
        self.folder, self.among = folder, among
        self.place = place_of(folder) if holds_scenarios(folder.header) else None

    def tasks(self) -> set[str]:
        """Of the first completed scenarios; while none has completed, what the batch asks for."""
        done = islice(self._completed(), 5)
        header = self.folder.header
        asked = (template.get("task") for template in (header.template, *header.templates.values()))
        found = {task for n in done if (task := _task_of(self._value(n)))}
        return found or {str(task) for task in asked if task}

    def scenarios(self) -> tuple[list[dict[str, Json]], str]:
        """A row a scenario that has ended, as in `aggregated_results`, and what was left out."""
        states = self.folder.columns()
        ended = [n for n in range(len(self.folder.jobs)) if states.state(n) not in LIVE_JOB_STATES]
        ended = [n for n in ended if self._meant(n)]
        chosen, note = ended, ""
        if len(ended) > MOST_SCENARIOS:
            chosen = [ended[at * len(ended) // MOST_SCENARIOS] for at in range(MOST_SCENARIOS)]
            note = f"{MOST_SCENARIOS:,} of {len(ended):,} scenarios, taken evenly"
        rows = []
        for n in chosen:
            result = self.folder.result(n)
            task = _task_of(value_of(result.output)) or str(result.row.get("task") or "")
            rows.append(aggregated(finished(result, task)))
        return rows, note

    def chunks(self, table: str, columns: Sequence[str]) -> Iterator[Columns]:
        """These columns of a table of all scenarios, `scenario_id` before them. Raises BadInput."""
        if self.place is None:
            return
        names = ("scenario_id", *columns)
        whole = table_file(self.place / SUMMARY, _WHOLE[table])
        if whole is not None and self.folder.state() in ENDED_BATCH_STATES:
            found = _parquet(whole, names) if whole.suffix == ".parquet" else _json_lines(whole, names)
            yield from (self._only(chunk) for chunk in found)
            return
        for n in islice(self._completed(), MOST_FOLDERS):
            scenario = self.folder.jobs.ids[n]
            if held := read_table(self.place / folder_name(scenario), table):
                count = len(next(iter(held.values())))
                yield {"scenario_id": [scenario] * count} | _told(held, columns, count)

    def table(self, scenario: str, name: str, columns: Sequence[str]) -> Columns:
        """These columns of a table of one scenario.

        Raises NotFound where it has none, BadInput where it cannot be read.
        """
        if self.place is None:
            raise NotFound(f"batch {self.folder.id}: {self.without('branch')}")
        found = read_table(self.place / folder_name(scenario), name)
        if found is None:
            raise NotFound(
                f'batch {self.folder.id}: {cell(scenario, 60) or "no scenario"} has no table "{name}"'
            )
        return _told(found, columns, len(next(iter(found.values()), [])))

    def without(self, table: str) -> str:
        """Why `chunks` has no rows of this table; empty where it has some to read."""
        if next(self._completed(), None) is None:
            ended = self.folder.state() in ENDED_BATCH_STATES
            return "no scenario completed" if ended else "no scenario has completed yet"
        if self.place is None:
            return cell(lost(self.folder), 400)
        if table_file(self.place / SUMMARY, _WHOLE[table]) or self.has(table):
            return ""
        return f'no table "{table}" of its scenarios is in {cell(self.place, 300)}: its task has none, or its files are gone'

    def has(self, table: str) -> bool:
        """Whether the first completed scenario has this table."""
        n = next(self._completed(), None)
        if self.place is None or n is None:
            return False
        return table_file(self.place / folder_name(self.folder.jobs.ids[n]), table) is not None

    def _completed(self) -> Iterator[int]:
        states = self.folder.columns()
        completed = (n for n in range(len(self.folder.jobs)) if states.state(n) is JobState.COMPLETED)
        return (n for n in completed if self._meant(n))

    def _meant(self, n: int) -> bool:
        return self.among is None or self.folder.jobs.ids[n] in self.among

    def _only(self, chunk: Columns) -> Columns:
        """The rows of the scenarios that are meant."""
        if self.among is None:
            return chunk
        kept = [at for at, scenario in enumerate(chunk["scenario_id"]) if str(scenario) in self.among]
        return {name: [values[at] for at in kept] for name, values in chunk.items()}

    def _value(self, n: int) -> Json:
        return value_of(self.folder.result(n).output)


def _task_of(value: Json) -> str:
    return str(((value or {}).get("summary") or {}).get("task") or "")


def _told(found: Columns, columns: Sequence[str], count: int) -> Columns:
    """These columns; empty cells where the table has none, or where a value is not of its column's type."""
    nothing: list[Json] = [None] * count
    told: Columns = {}
    for name in columns:
        fits = _FITS[type_of(name, ())]
        told[name] = [value if fits(value) else None for value in found.get(name, nothing)]
    if "scenario_id" in told:
        told["scenario_id"] = [value or "" for value in told["scenario_id"]]
    return told


_FITS: Final[dict[str, Callable[[Json], bool]]] = {
    "int": lambda value: type(value) is int and abs(value) < 2**63,
    "float": is_figure,
    "text": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
}


def _parquet(path: Path, names: Sequence[str]) -> Iterator[Columns]:
    reader = parquet()
    if reader is None:
        raise BadInput(
            f"{path}: reading Parquet needs pyarrow; install it with `pip install 'batchtui[power]'`"
        )
    try:
        with reader.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(names), use_threads=False):
                yield _told(batch.to_pydict(), names, batch.num_rows)
    except (OSError, ValueError, NotImplementedError) as fault:
        raise _unreadable(path, fault) from None


def _json_lines(path: Path, names: Sequence[str]) -> Iterator[Columns]:
    try:
        with path.open("rb") as file:
            while lines := list(islice(file, _LINES)):
                rows = [json.loads(line) for line in lines]
                if not all(isinstance(row, dict) for row in rows):
                    raise ValueError("a line is no object")
                found = {name: [row.get(name) for row in rows] for name in names}
                yield _told(found, names, len(rows))
    except (OSError, ValueError, RecursionError) as fault:
        raise _unreadable(path, fault) from None


def _unreadable(path: Path, fault: Exception) -> BadInput:
    return BadInput(
        f"{path}: cannot be read ({fault}); run the batch's file again: that writes it anew, and solves no finished "
        "scenario twice"
    )
