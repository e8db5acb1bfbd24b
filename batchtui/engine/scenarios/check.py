"""Which scenarios of a batch no longer are what their results were made from, or have lost their results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.errors import BatchtuiError
from batchtui.model import Json
from batchtui.results.scenarios.files import (
    folder_name,
    read_result,
    standing,
    taken_over,
    value_standing,
)
from batchtui.results.scenarios.rows import tables_gone, value_of
from batchtui.store.folder import BatchFolder
from batchtui.text import cell
from batchtui.work.job import ProgramWork
from batchtui.work.scenarios.inputs import input_hash, same_inputs

_NAMED = 5


@dataclass(slots=True)
class Stale:
    """Numbers of the jobs whose inputs `changed` since they were solved, and of those whose files are `gone`."""

    changed: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


def stale(folder: BatchFolder, renderer: Renderer, place: Path, finished: Iterable[int]) -> Stale:
    """Of these jobs, which the store holds as completed, those that are to run again. Reads all their files."""
    found = Stale()
    for n in finished:
        result = folder.result(n)
        value = value_of(result.output, result.parsed_response)
        scenario = _scenario(folder, renderer, n)
        now = input_hash(scenario) if scenario else None
        if value is None or now is None:
            continue  # of another kind of work, or not to be solved now: what is stored stays
        if not same_inputs(told := value.get("input_hash"), now):
            found.changed.append(n)
        elif not ("files" in value or tables_gone(value)):
            continue  # its tables can be written from where they lie
        elif standing(place / folder_name(result.job_id), told) is None:
            found.gone.append(n)
    return found


def changed_since(folder: BatchFolder, renderer: Renderer, place: Path, pending: Iterable[int]) -> list[int]:
    """Of these jobs, which are to run, those that the folder holds a finished result of other inputs of."""
    found = []
    for n in pending:
        scenario = _scenario(folder, renderer, n)
        if scenario is not None and _differs(place / folder_name(folder.jobs.ids[n]), scenario):
            found.append(n)
    return found


def results_of(
    folder: BatchFolder, renderer: Renderer, place: Path, earlier: Sequence[Path], pending: Iterable[int]
) -> list[tuple[int, dict[str, Json]]]:
    """The values of those of these jobs whose result stands in the folder, or in one of the earlier ones."""
    found = []
    for n in pending:
        scenario = _scenario(folder, renderer, n)
        if scenario is None:
            continue
        own, hash_ = place / folder_name(folder.jobs.ids[n]), input_hash(scenario)
        result = standing(own, hash_) or taken_over(own, earlier, hash_)
        if result is not None:
            found.append((n, value_standing(result)))
    return found


class ScenarioPreflight:
    """Looks at the scenarios of a batch before it is made, and at what earlier ones left in these folders."""

    def __init__(self, earlier: Sequence[Path]) -> None:
        self._earlier = earlier
        self._names: dict[str, str] = {}
        self._changed: list[str] = []
        self.count = 0

    def fault(self, job_id: str, work: msgspec.Struct) -> str | None:
        """Why this scenario cannot be one of the batch; notes where its inputs are not those of the result there."""
        if not isinstance(work, ProgramWork) or work.form != "task":
            return None
        name = folder_name(job_id)
        other = self._names.setdefault(name.casefold(), job_id)
        if other != job_id:
            return f'ids "{cell(other, 60)}" and "{cell(job_id, 60)}" would be one folder; rename one of them'
        self.count += 1
        if self._earlier and _changed(name, self._earlier, work.table(job_id, 1, None)):
            self._changed.append(job_id)
        return None

    @property
    def notice(self) -> str:
        """What a person is to know of it; empty where nothing changed."""
        return changed_text(self._changed) if self._changed else ""


def changed_text(ids: Sequence[str]) -> str:
    return f"the inputs of {named(ids)} changed since they were solved: run again"


def named(ids: Sequence[str]) -> str:
    """`3 scenarios (a, b, c)`, the first few by their ids."""
    some = ", ".join(cell(one, 40) for one in ids[:_NAMED])
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return f"{len(ids):,} scenario{'s' if len(ids) != 1 else ''} ({some}{more})"


def _changed(name: str, earlier: Sequence[Path], scenario: dict[str, Json]) -> bool:
    """Whether it was solved by this task, and never from these inputs."""
    now, was = input_hash(scenario), False
    if now is None:
        return False
    for place in earlier:
        result = read_result(place / name)
        if result is None or result.get("status") != "ok" or result.get("task") != scenario["task"]:
            continue
        if same_inputs(result.get("input_hash"), now):
            return False
        was = True
    return was


def _differs(folder: Path, scenario: dict[str, Json]) -> bool:
    """Whether the folder holds a finished result, and of other inputs than these."""
    result = read_result(folder)
    if result is None or result.get("status") != "ok":
        return False
    now = input_hash(scenario)
    return now is not None and not same_inputs(result.get("input_hash"), now)


def _scenario(folder: BatchFolder, renderer: Renderer, n: int) -> dict[str, Json] | None:
    """The job's arguments; None where it no longer renders, or is no task."""
    try:
        _, job = renderer.rendered(folder.jobs.record(n), 1, folder.id)
    except BatchtuiError:
        return None
    work = job.work
    if not isinstance(work, ProgramWork) or work.form != "task":
        return None
    scenario: dict[str, Json] = work.table(job.id, 1, None)
    return scenario
