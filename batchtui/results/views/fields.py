"""The figures of a result: every number in what came back and in its row, by a path as `--where` takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from batchtui.model import Json, Result
from batchtui.results.views.figures import is_figure
from batchtui.store.disk import clock

OF_A_JOB = ("seconds", "attempts", "input_tokens", "output_tokens", "cost_usd")
"""Figures that any job may have, whatever its kind."""
_DEPTH = 6
_ANSWER_LIMIT = 64_000
"""Characters of an answer that is read as JSON where the batch has no schema."""
_JSON_STARTS = tuple("{[-0123456789")


def figures(result: Result) -> dict[str, float]:
    """Every number by its path, such as `output.summary.loss_mw`, `parsed_response.total` or `row.price`.

    Numbers of a row may stand there as text, as they do in a CSV file.
    """
    found: dict[str, float] = {}
    for head in ("output", "parsed_response"):
        found |= _numbers(getattr(result, head), head)
    if result.parsed_response is None and result.raw_response:
        found |= _numbers(_answer(result.raw_response), "raw_response")
    for path, value in _leaves(result.row, "row", 0):
        if (parsed := _parsed(value)) is not None:
            found[path] = parsed
    for name in OF_A_JOB:
        value = _seconds(result) if name == "seconds" else getattr(result, name)
        if is_figure(value):
            found[name] = value
    return found


def texts(result: Result) -> dict[str, str]:
    """Every other plain value of the row and of what came back, by its path; the answer's words as `raw_response`."""
    found: dict[str, str] = {}
    for head in ("output", "parsed_response", "row"):
        for path, value in _leaves(getattr(result, head), head, 0):
            if value is not None and not (is_figure(value) or (head == "row" and _parsed(value) is not None)):
                found[path] = value if isinstance(value, str) else json.dumps(value)
    if result.raw_response is not None:
        found["raw_response"] = result.raw_response
    return found


def short_names(paths: list[str]) -> dict[str, str]:
    """Each path without its head where no other path then has the same name: `output.loss_mw` as `loss_mw`."""
    tails = [_tail(path) for path in paths]
    return {path: tail if tails.count(tail) == 1 else path for path, tail in zip(paths, tails, strict=True)}


def _tail(path: str) -> str:
    head, dot, rest = path.partition(".")
    return rest if dot and head in ("output", "parsed_response", "raw_response", "row") else path


def _numbers(value: Json, head: str) -> dict[str, float]:
    return {path: leaf for path, leaf in _leaves(value, head, 0) if is_figure(leaf)}


def _leaves(value: Json, path: str, depth: int) -> Iterator[tuple[str, Json]]:
    """Plain values under a table, by their paths; lists hold no figures of their own."""
    if isinstance(value, dict):
        if depth < _DEPTH:
            for key, inner in value.items():
                yield from _leaves(inner, f"{path}.{key}", depth + 1)
    elif not isinstance(value, list):
        yield path, value


def _answer(words: str) -> Json:
    """The answer as JSON; None where it is none, or a long one."""
    if len(words) > _ANSWER_LIMIT or not words.lstrip().startswith(_JSON_STARTS):
        return None
    try:
        return json.loads(words)
    except (ValueError, RecursionError):
        return None


def _parsed(value: Json) -> float | None:
    """A number, also where it stands as text."""
    if is_figure(value):
        return value
    if not isinstance(value, str) or not 0 < len(value) < 40:
        return None
    try:
        number = float(value) if not value.strip().lstrip("+-").isdecimal() else int(value)
    except ValueError:
        return None
    return number if is_figure(number) else None


def _seconds(result: Result) -> float | None:
    """How long the job took, by the clock."""
    if not result.started or not result.ended:
        return None
    try:
        taken = round(clock.unix(result.ended) - clock.unix(result.started), 3)
        return taken if taken >= 0 else None  # the clock was set back meanwhile
    except ValueError:
        return None
