"""The words of scenario manifests of every shape, and what may stand behind each of them."""

from __future__ import annotations

import os
from collections.abc import Callable

from batchtui.domains.power.domain import TASKS
from batchtui.errors import nearest
from batchtui.limit_ranges import number_text
from batchtui.model import Json
from batchtui.sources.json_forms.strict_json import kind_of
from batchtui.text import cell

Faults = list[tuple[str, str]]
"""(key, message) pairs; no pair where all is well."""

COLUMNS = ("id", "grid", "loads", "outages", "load_scale", "generation_scale")
"""Columns of every manifest's rows, null where a scenario does not give them."""
SYNONYMS = {
    "scenario_id": "id",
    "grid_file": "grid",
    "base_grid": "grid",
    "case": "grid",
    "loads_file": "loads",
    "renewable_scale": "generation_scale",
}
"""Other words for the same; what is called renewable is every generator there."""
OFFLINE = {"offline_branches": "branch", "offline_generators": "generator"}
OUTAGE_TYPES = ("branch", "generator", "gen")
OTHER_SOLVERS = ("command", "callable")
"""The batch file's own `[job]` says which."""
_GAT_TASKS = {"pfdc": "dc", "pfac": "ac", "opfdc": "dcopf", "opfac": "acopf"}
DC_MODELS = ("matpower", "powermodels")


def solver_of(value: Json) -> str:
    """One of TASKS or OTHER_SOLVERS; `DC-OPF`, `N-1` and gat's `opf-dc` are understood. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"expected one of {', '.join((*TASKS, *OTHER_SOLVERS))}, got {kind_of(value)}")
    word = value.strip().lower().replace("-", "").replace("_", "")
    word = _GAT_TASKS.get(word, word)
    if word not in (*TASKS, *OTHER_SOLVERS):
        hint = nearest(word, (*TASKS, *OTHER_SOLVERS))
        raise ValueError(f'"{cell(value, 40)}" is none of {", ".join((*TASKS, *OTHER_SOLVERS))}{hint}')
    return word


def understood(
    given: dict[str, Json], ignore_unknown: bool = False
) -> tuple[dict[str, Json], Faults, Faults]:
    """The values of a scenario under their one name each, its faults, and what deserves a warning.

    Nulls count as not given. With `ignore_unknown`, a key that nobody knows only warns and stays as it is.
    """
    values: dict[str, Json] = {}
    faults: Faults = []
    warnings: Faults = []
    offline: list[Json] = []
    for key, value in given.items():
        name = SYNONYMS.get(key, key)
        if name not in _CHECKS:
            (warnings if ignore_unknown else faults).append((cell(key, 60), _unknown(key, ignore_unknown)))
            if not ignore_unknown:
                continue
        if value is None:
            continue
        if name in values:
            faults.append((key, "stands here under another name as well; keep one of the two"))
            continue
        found = _CHECKS[name](value) if name in _CHECKS else []
        faults += [(key + path, message) for path, message in found]
        if found:
            continue
        if name in OFFLINE and isinstance(value, list):
            offline += [{"type": OFFLINE[name], "id": one} for one in value]
            continue
        if name == "dispatch_overrides" and value:
            warnings.append((key, "is kept with the row and not applied"))
        values[name] = value
    if offline:
        values["outages"] = [*(values.get("outages") or []), *offline]
    return values, faults, warnings


def _unknown(key: str, ignored: bool) -> str:
    known = (*COLUMNS, *SYNONYMS, *OFFLINE, *_METADATA)
    return f"unknown key{', not looked at' if ignored else ''}{nearest(key, known)}"


def path_fault(text: str) -> str | None:
    """Why no file can be called that."""
    try:
        return "holds a NUL character" if b"\0" in os.fsencode(text) else None
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"


def _id(value: Json) -> Faults:
    if isinstance(value, int) and not isinstance(value, bool):
        return []
    return _text(value)


def _text(value: Json) -> Faults:
    if not isinstance(value, str):
        return [("", f"expected a text, got {kind_of(value)}")]
    return [] if value.strip() else [("", "empty")]


def _path(value: Json) -> Faults:
    faults = _text(value)
    if not faults and isinstance(value, str) and (fault := path_fault(value)):
        faults = [("", fault)]
    return faults


def _scale(value: Json) -> Faults:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [("", f"expected a number, got {kind_of(value)}")]
    return [] if 0 <= value < 1e9 else [("", f"expected a number of 0 or more, got {number_text(value)}")]


def _outages(value: Json) -> Faults:
    if not isinstance(value, list):
        return [("", f'expected a list such as [{{"type": "branch", "id": 14}}], got {kind_of(value)}')]
    return [
        (f"[{number}]{path}", message) for number, one in enumerate(value) for path, message in _outage(one)
    ]


def _outage(value: Json) -> Faults:
    if not isinstance(value, dict):
        return [("", f'expected an object such as {{"type": "branch", "id": 14}}, got {kind_of(value)}')]
    known = ("type", "id")
    faults = [(f".{cell(key, 60)}", f"unknown key{nearest(key, known)}") for key in value if key not in known]
    faults += [(f".{key}", "missing") for key in known if key not in value]
    if "type" in value and value["type"] not in OUTAGE_TYPES:
        word = value["type"] if isinstance(value["type"], str) else ""
        shown = f'"{cell(word, 40)}"' if word else kind_of(value["type"])
        faults.append(
            (".type", f'expected "branch" or "generator", got {shown}{nearest(word, OUTAGE_TYPES)}')
        )
    if "id" in value:
        faults += [(".id", message) for _, message in _id(value["id"])]
    return faults


def _ids(value: Json) -> Faults:
    if not isinstance(value, list):
        return [("", f"expected a list of ids, got {kind_of(value)}")]
    return [(f"[{number}]", message) for number, one in enumerate(value) for _, message in _id(one)]


def _of(*kinds: type) -> Callable[[Json], Faults]:
    def check(value: Json) -> Faults:
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        example = [] if kinds[0] is list else {} if kinds[0] is dict else kinds[0]()
        return [] if fits else [("", f"expected {kind_of(example)}, got {kind_of(value)}")]

    return check


_METADATA = {
    "name": _of(str),
    "description": _of(str),
    "tags": _of(list),
    "metadata": _of(dict),
    "weight": _of(float, int),
    "time_slices": _of(list),
    "dispatch_overrides": _of(list, dict),
}
"""Kept with the row as they are."""
_CHECKS: dict[str, Callable[[Json], Faults]] = {
    "id": _id,
    "grid": _path,
    "loads": _path,
    "outages": _outages,
    "load_scale": _scale,
    "generation_scale": _scale,
    **dict.fromkeys(OFFLINE, _ids),
    **_METADATA,
}
