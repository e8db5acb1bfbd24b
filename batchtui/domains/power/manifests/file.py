"""Scenario manifests as they stand in their files: each value with its line, nothing understood yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchtui.domains.power.manifests.keys import OFFLINE, SYNONYMS
from batchtui.model import Json, Problem
from batchtui.sources.inputs import READ_FAULTS, Input
from batchtui.sources.json_forms.json_reader import Damaged, JsonReader, document
from batchtui.sources.json_forms.strict_json import NotJson, kind_of
from batchtui.text import cell

SCENARIOS = "scenarios"


@dataclass
class Written:
    """A manifest of any shape. `artifacts`: a list of grids that are made already, their scales in them."""

    settings: dict[str, tuple[int, Json]] = field(default_factory=dict)
    """What stands beside the scenarios, with its line."""
    scenarios: list[tuple[int, Json]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    artifacts: bool = False


def written(source: Input) -> Written | None:
    """The manifest in a JSON source; None for what is none, or cannot be read as text at all."""
    try:
        reader = JsonReader(document(source))
    except (Damaged, *READ_FAULTS):
        return None
    try:
        if reader.opens("{"):
            return _object(reader, source.name)
        return _array(reader, source.name) if reader.opens("[") else None
    except NotJson:
        return None


def looks_like_scenario(value: Json) -> bool:
    """Whether the first object of a plain list is a scenario, and not any row with an id."""
    if not isinstance(value, dict) or not value.keys() & {"id", "scenario_id"}:
        return False
    names = {SYNONYMS.get(key, key) for key in value}
    return is_artifact(value) or bool(names & OFFLINE.keys()) or (
        "grid" in names and bool(names & {"loads", "outages", "load_scale"})
    )  # fmt: skip


def is_artifact(value: Json) -> bool:
    return isinstance(value, dict) and "scenario_id" in value and "grid_file" in value


def _object(reader: JsonReader, name: str) -> Written | None:
    """Raises NotJson before the scenarios are met; what is wrong after them is a problem of the manifest."""
    found, met = Written(), False
    try:
        line = reader.line
        for key in reader.members():
            line = reader.line
            if key in found.settings or (key == SCENARIOS and met):
                found.problems.append(_problem(name, line, cell(key, 60), "stands twice in the manifest"))
                reader.value()
            elif key != SCENARIOS:
                found.settings[key] = line, reader.value()
            elif reader.opens("["):
                met = True
                _take_scenarios(reader, found, name)
            else:
                met = True
                message = f"expected a list, got {kind_of(reader.value())}"
                found.problems.append(_problem(name, line, SCENARIOS, message))
        reader.end()
    except NotJson as fault:
        if not met:
            raise
        found.problems.append(_problem(name, reader.line_of(fault.at), None, fault.message))
        return found
    if not met:
        return None
    if not found.scenarios and not found.problems:
        found.problems.append(_problem(name, line, SCENARIOS, "empty: name at least one scenario"))
    return found


def _array(reader: JsonReader, name: str) -> Written | None:
    found = Written()
    start = reader.at
    for _ in reader.elements():
        first = reader.value()
        if not looks_like_scenario(first):
            return None
        found.artifacts = is_artifact(first)
        break
    else:
        return None
    reader.at = start
    try:
        _take_scenarios(reader, found, name)
        reader.end()
    except NotJson as fault:
        found.problems.append(_problem(name, reader.line_of(fault.at), None, fault.message))
    return found


def _take_scenarios(reader: JsonReader, found: Written, name: str) -> None:
    """Raises NotJson for bad syntax; a bad number or a repeated key spoils one scenario."""
    for number, _ in enumerate(reader.elements(), 1):
        line = reader.line
        try:
            found.scenarios.append((line, reader.value()))
        except NotJson as fault:
            if fault.end is None:
                raise
            message = f"scenario {number}: {fault.message}"
            found.problems.append(_problem(name, line, None, message))


def _problem(name: str, line: int, key: str | None, message: str) -> Problem:
    return Problem(file=name, line=line, key=key, message=message)
