"""What the views of scenarios read: the tables of a whole batch chunk by chunk, or of one scenario."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from batchtui.errors import BadInput, NotFound
from batchtui.model import ENDED_BATCH_STATES, LIVE_JOB_STATES, JobState, Json
from batchtui.results.scenarios.columns import parquet
from batchtui.results.scenarios.files import SUMMARY, folder_name
from batchtui.results.scenarios.place import holds_scenarios, place_of
from batchtui.results.scenarios.rows import aggregated, finished, value_of
from batchtui.results.scenarios.tables import read_table, table_file
from batchtui.store.folder import BatchFolder

MOST_SCENARIOS: Final = 20_000
MOST_FOLDERS: Final = 500
"""Scenarios whose own tables are read while those of the whole batch are not written yet."""
_WHOLE: Final = {"branch": "branches", "bus": "buses", "contingency": "contingencies"}
_LINES: Final = 50_000

Columns = dict[str, list[Json]]


class Grid:
    """The scenarios of a batch and their tables. Reads when asked, in the caller's thread."""

    def __init__(self, folder: BatchFolder) -> None:
        self.folder = folder
        self.place = place_of(folder) if holds_scenarios(folder.header) else None

    def tasks(self) -> set[str]:
        """Of the first completed scenarios; empty where none has completed."""
        done = islice(self._completed(), 5)
        return {task for n in done if (task := _task_of(self._value(n)))}

    def scenarios(self) -> tuple[list[dict[str, Json]], str]:
        """A row a scenario that has ended, as in `aggregated_results`, and what was left out."""
        states = self.folder.columns()
        ended = [n for n in range(len(self.folder.jobs)) if states.state(n) not in LIVE_JOB_STATES]
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
            yield from _parquet(whole, names) if whole.suffix == ".parquet" else _json_lines(whole, names)
            return
        for n in islice(self._completed(), MOST_FOLDERS):
            scenario = self.folder.jobs.ids[n]
            if found := read_table(self.place / folder_name(scenario), table):
                count = len(next(iter(found.values())))
                nothing = [None] * count
                yield {"scenario_id": [scenario] * count} | {c: found.get(c, nothing) for c in columns}

    def table(self, scenario: str, name: str) -> Columns:
        """A table of one scenario. Raises NotFound where it has none, BadInput where it cannot be read."""
        found = read_table(self.place / folder_name(scenario), name) if self.place else None
        if found is None:
            raise NotFound(f"batch {self.folder.id}: {scenario} has no table of that kind")
        return found

    def has(self, table: str) -> bool:
        """Whether the first completed scenario has this table."""
        n = next(self._completed(), None)
        if self.place is None or n is None:
            return False
        return table_file(self.place / folder_name(self.folder.jobs.ids[n]), table) is not None

    def _completed(self) -> Iterator[int]:
        states = self.folder.columns()
        return (n for n in range(len(self.folder.jobs)) if states.state(n) is JobState.COMPLETED)

    def _value(self, n: int) -> Json:
        return value_of(self.folder.result(n).output)


def _task_of(value: Json) -> str:
    return str(((value or {}).get("summary") or {}).get("task") or "")


def _parquet(path: Path, names: Sequence[str]) -> Iterator[Columns]:
    reader = parquet()
    if reader is None:
        raise BadInput(
            f"{path}: reading Parquet needs pyarrow; install it with `pip install 'batchtui[power]'`"
        )
    try:
        with reader.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(names), use_threads=False):
                yield batch.to_pydict()
    except (OSError, ValueError) as fault:
        raise BadInput(f"{path}: cannot be read ({fault})") from None


def _json_lines(path: Path, names: Sequence[str]) -> Iterator[Columns]:
    try:
        with path.open("rb") as file:
            while lines := list(islice(file, _LINES)):
                rows = [json.loads(line) for line in lines]
                yield {name: [row.get(name) for row in rows] for name in names}
    except (OSError, ValueError) as fault:
        raise BadInput(f"{path}: cannot be read ({fault})") from None
