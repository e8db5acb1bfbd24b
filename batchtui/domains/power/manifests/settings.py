"""What a scenario manifest says once for all its scenarios: the `[job]` and limits it implies, and values to share."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchtui.domains.power.manifests.file import SCENARIOS, Written
from batchtui.domains.power.manifests.keys import (
    COLUMNS,
    DC_MODELS,
    OFFLINE,
    OTHER_SOLVERS,
    SYNONYMS,
    solver_of,
    understood,
)
from batchtui.errors import nearest
from batchtui.limit_ranges import limit_problems
from batchtui.model import Json, LimitsSpec, Problem
from batchtui.sources.json_forms.strict_json import kind_of
from batchtui.text import cell

TIMEOUT = 60.0
"""Seconds of a scenario, where the manifest says nothing else."""
WORK = frozenset({"task", "command", "call"})
_LIMITS = {"timeout_secs": "timeout", "max_jobs": "concurrency", "retries": "retries"}
_SHARED = {*COLUMNS[1:], *OFFLINE}
"""Values of a scenario that may stand once for all of them."""
_ABOUT = ("name", "description", "version", "tags", "metadata", "created_at", "time_slices", "weight")
_KNOWN = (
    SCENARIOS, "solver", "task", "dc_model", "slack", "defaults", *_LIMITS, *_SHARED, *SYNONYMS, *_ABOUT,
)  # fmt: skip


@dataclass
class Settings:
    """Read with `settings_of`. `name` is the file's, for messages."""

    name: str
    shared: dict[str, Json] = field(default_factory=dict)
    """Values that scenarios take where they have none of their own."""
    default_job: dict[str, Json] = field(default_factory=dict)
    limits: LimitsSpec = field(default_factory=lambda: LimitsSpec(timeout=TIMEOUT))
    problems: list[Problem] = field(default_factory=list)
    unless: list[tuple[frozenset[str], Problem]] = field(default_factory=list)
    """Problems, each told unless the batch says one of these keys of `[job]` itself."""

    def tell(self, line: int, key: str, message: str, *, fatal: bool = True) -> None:
        self.problems.append(self.problem(line, key, message, fatal=fatal))

    def problem(self, line: int, key: str, message: str, *, fatal: bool = True) -> Problem:
        return Problem(file=self.name, line=line, key=key, message=message, fatal=fatal)


def settings_of(found: Written, name: str) -> Settings:
    """What is wrong with them stands in `problems`."""
    settings = Settings(name)
    for key, (line, value) in found.settings.items():
        if key not in _KNOWN:
            settings.tell(line, cell(key, 60), f"unknown key{nearest(key, _KNOWN)}")
        elif key in _LIMITS and value is not None:
            _take_limit(settings, line, key, value)
        elif SYNONYMS.get(key, key) in _SHARED:
            _share(settings, line, "", {key: value})
    line, defaults = found.settings.get("defaults", (0, None))
    if isinstance(defaults, dict):
        _share(settings, line, "defaults.", defaults)
    elif defaults is not None:
        settings.tell(line, "defaults", f"expected an object, got {kind_of(defaults)}")
    _take_job(settings, found)
    return settings


def _share(settings: Settings, line: int, prefix: str, given: dict[str, Json]) -> None:
    values, faults, warnings = understood(given)
    if values.pop("id", None) is not None:
        faults.append(("id", "names one scenario, so it cannot stand for all of them"))
    for key, message in faults:
        settings.tell(line, prefix + key, message)
    for key, message in warnings:
        settings.tell(line, prefix + key, message, fatal=False)
    settings.shared |= values


def _take_limit(settings: Settings, line: int, key: str, value: Json) -> None:
    if key == "max_jobs" and value == 0 and value is not False:  # as many as there are cores
        return
    kinds = (int, float) if key == "timeout_secs" else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds):
        what = "number" if float in kinds else "whole number"
        settings.tell(
            line, key, f"expected a {what}, got {value if isinstance(value, float) else kind_of(value)}"
        )
        return
    asked = LimitsSpec()
    setattr(asked, _LIMITS[key], value)
    if problems := limit_problems(asked, None):
        settings.tell(line, key, problems[0].message)
    else:
        setattr(settings.limits, _LIMITS[key], value)


def _take_job(settings: Settings, found: Written) -> None:
    """Templates that are one column each, so that a null stays a null."""
    given = {
        key: place
        for key in ("solver", "task")
        if (place := found.settings.get(key)) and place[1] is not None
    }
    solver = "dc"
    for key, (line, value) in given.items():
        try:
            solver = solver_of(value)
        except ValueError as fault:
            settings.tell(line, key, str(fault))
            return
        if solver in OTHER_SOLVERS:
            wanted = "command" if solver == "command" else "call"
            message = f"{solver}, so [job] {wanted} of a batch file has to say which"
            settings.unless.append((WORK, settings.problem(line, key, message)))
            return
    if len(given) == 2:
        settings.tell(given["task"][0], "task", "stands beside solver; keep one of the two")
    if not given:
        first = found.scenarios[0][0] if found.scenarios else 1
        message = "not named, so dc; another is said here or by [job] task"
        settings.unless.append((WORK, settings.problem(first, "solver", message, fatal=False)))
    settings.default_job = {"task": solver} | {name: f"{{{{ {name} }}}}" for name in COLUMNS[1:]}
    for key in ("dc_model", "slack"):
        line, value = found.settings.get(key, (0, None))
        if value is None:
            continue
        if unfit := _option_fault(key, value):
            settings.tell(line, key, unfit)
        else:
            settings.default_job[key] = value


def _option_fault(key: str, value: Json) -> str | None:
    shown = f'"{cell(value, 40)}"' if isinstance(value, str) else kind_of(value)
    if key == "slack":
        fits = isinstance(value, int) and not isinstance(value, bool)
        return None if fits else f"expected the number of a bus, got {shown}"
    if value in DC_MODELS:
        return None
    hint = nearest(value, DC_MODELS) if isinstance(value, str) else ""
    return f"expected {' or '.join(DC_MODELS)}, got {shown}{hint}"
