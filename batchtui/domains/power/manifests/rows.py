"""Scenario manifests as a source: one row a scenario, with the `[job]`, limits and output folder that they imply.

Four shapes are read: an object with `scenarios`, `solver`, `timeout_secs` and `max_jobs`; a list of artifacts
(`scenario_id`, `grid_file`); scenarios with `load_scale`, `offline_branches` and `offline_generators` over one grid;
a specification with `defaults` and `outages`. They share one vocabulary (`keys`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.catalog import cards
from batchtui.domains.power.manifests.file import Written
from batchtui.domains.power.manifests.keys import COLUMNS, SYNONYMS, Faults, understood
from batchtui.domains.power.manifests.settings import settings_of
from batchtui.model import Json, Problem, Row
from batchtui.sources.json_forms.strict_json import kind_of
from batchtui.sources.manifests import Manifest
from batchtui.sources.source import Implied
from batchtui.text import cell

KINDS = tuple(card.name for card in cards().values() if "task" in card.works)
OUTPUT = "runs/batch"
_NEEDS_GRID = frozenset({"grid", "command", "call"})


def manifest_of(found: Written, name: str, folder: Path, *, only_inside: bool = False) -> Manifest:
    """What a manifest comes to. `folder` is where its paths start from, `name` what messages call it.

    A path that leads out of the folder is a warning, and with `only_inside` a fault.
    """
    settings = settings_of(found, name)
    work = _Scenarios(name, folder, settings.shared, found.artifacts, only_inside)
    for number, (line, value) in enumerate(found.scenarios, 1):
        work.take(number, line, value)
    return Manifest(
        items=[*found.problems, *settings.problems, *work.items],
        columns=list(work.columns),
        count=sum(isinstance(item, Row) for item in work.items),
        default_job=settings.default_job,
        implied=Implied(
            limits=settings.limits, kinds=KINDS, output=OUTPUT, unless=(*settings.unless, *work.unless)
        ),
    )


@dataclass
class _Scenarios:
    name: str
    folder: Path
    shared: dict[str, Json]
    artifacts: bool
    only_inside: bool
    items: list[Row | Problem] = field(default_factory=list)
    unless: list[tuple[frozenset[str], Problem]] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=lambda: dict.fromkeys(COLUMNS))
    _ids: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Ids without their case, each as it was first met and on which line."""
    _places: dict[str, str] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)
    """Folders that were looked at."""

    def take(self, number: int, line: int, value: Json) -> None:
        if not isinstance(value, dict):
            message = f"scenario {number}: expected an object, got {kind_of(value)}"
            self.items.append(Problem(file=self.name, line=line, row=number, message=message))
            return
        values, faults, warnings = understood(value, ignore_unknown=self.artifacts)
        job_id = values.get("id")
        if job_id is not None:
            faults += self._clash(str(job_id), line)
        elif not any(SYNONYMS.get(key, key) == "id" for key, _ in faults):
            faults.append(("id", "missing; every scenario names itself"))
        if self.artifacts:
            _set_aside(values)
        values = self.shared | values
        for key in ("grid", "loads"):
            if isinstance(path := values.get(key), str):
                values[key] = self._place(path)
                (faults if self.only_inside else warnings).extend(self._outside(key, self._places[path]))
        who = f"scenario {number}" if job_id is None else f'scenario "{cell(job_id, 60)}"'

        def problem(key: str, message: str, *, fatal: bool = True) -> Problem:
            text = f"{who}: {message}"
            return Problem(file=self.name, line=line, row=number, key=key, message=text, fatal=fatal)

        self.items += [problem(key, message, fatal=False) for key, message in warnings]
        self.items += [problem(key, message) for key, message in faults]
        if faults:
            return
        if values.get("grid") is None:
            missing = "missing; it stands here, beside the scenarios for all of them, or in [job] grid"
            self.unless.append((_NEEDS_GRID, problem("grid", missing)))
        row = {name: values.get(name) for name in COLUMNS} | values | {"id": str(job_id)}
        self.columns |= dict.fromkeys(row)
        self.items.append(Row(number, line, row))

    def _clash(self, job_id: str, line: int) -> Faults:
        """An id that differs from another by case; one that is quite the same is told with the ids of all jobs."""
        other, place = self._ids.setdefault(job_id.casefold(), (job_id, line))
        if other == job_id:
            return []
        message = (
            f'differs only by case from "{cell(other, 60)}" of line {place}, so their folders would be one'
        )
        return [("id", message)]

    def _place(self, path: str) -> str:
        """The absolute path, from the manifest's folder; an artifact's, where it is not there, from the working one."""
        if path not in self._places:
            place = os.path.normpath(os.path.join(self.folder, path))
            if self.artifacts and not os.path.exists(place) and os.path.exists(path):
                place = os.path.abspath(path)
            self._places[path] = place
        return self._places[path]

    def _outside(self, key: str, place: str) -> Faults:
        """A word on the first path that leads into a folder outside the manifest's."""
        folder = os.path.dirname(place)
        if folder in self._met:
            return []
        self._met.add(folder)
        roots = [os.path.realpath(self.folder), *([os.getcwd()] if self.artifacts else [])]
        real = os.path.realpath(folder)
        if any(os.path.commonpath((root, real)) == root for root in roots):
            return []
        return [(key, f"reads in {cell(folder, 120)}, outside the manifest's folder")]


def _set_aside(values: dict[str, Json]) -> None:
    """An artifact's scales are in its grid already: they stay with the row under other names."""
    for name in ("load_scale", "generation_scale"):
        if name in values:
            values[f"made_with_{name}"] = values.pop(name)
