"""Files in a provider's own batch form: recognised by their rows, held to that form's rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from batchtui.model import Json, Problem, Row
from batchtui.sources.source import Rows
from batchtui.sources.strict_json import kind_of


@dataclass(frozen=True)
class Form:
    """`native` and `default_job` of a source, and the checks of its rows: (key, message) pairs."""

    native: str | None = None
    default_job: dict[str, Json] = field(default_factory=dict)
    check: Callable[[dict[str, Json]], list[tuple[str, str]]] | None = None


def recognise(rows: list[Row], columns: list[str]) -> Form:
    """The form of the first rows."""
    if not rows:
        return Form()
    first = rows[0].values
    if "body" in first and ("custom_id" in first or first.keys() <= {"body", "method", "url"}):
        endpoint = {"endpoint": "{{ url }}"} if "url" in columns else {}
        return Form("openai-batch", {"body": "{{ body }}", **endpoint}, _check_openai)
    if "params" in first and "custom_id" in first:
        return Form("anthropic-batch", {"body": "{{ params }}"}, _check_anthropic)
    if isinstance(first.get("messages"), list):
        return Form("messages", {"messages": "{{ messages }}"}, None)
    return Form()


def checked(name: str, rows: Rows, form: Form) -> Rows:
    """The rows, those that break the form's rules as Problems."""
    if form.check is None:
        yield from rows
        return
    for item in rows:
        faults = form.check(item.values) if isinstance(item, Row) else []
        for key, message in faults:
            yield Problem(file=name, line=item.line, row=_number(item), key=key, message=message)
        if not faults:
            yield item


def _number(item: Row | Problem) -> int | None:
    return item.number if isinstance(item, Row) else item.row


def _check_openai(values: dict[str, Json]) -> list[tuple[str, str]]:
    return _check_id(values) + _check_request(values, "body")


def _check_anthropic(values: dict[str, Json]) -> list[tuple[str, str]]:
    return _check_id(values) + _check_request(values, "params")


def _check_id(values: dict[str, Json]) -> list[tuple[str, str]]:
    if "custom_id" not in values:
        return [("custom_id", "missing; every request of a batch file names itself")]
    custom_id = values["custom_id"]
    if not isinstance(custom_id, str):
        return [("custom_id", f"expected a string, got {kind_of(custom_id)}")]
    return [] if custom_id else [("custom_id", "empty; every request of a batch file names itself")]


def _check_request(values: dict[str, Json], key: str) -> list[tuple[str, str]]:
    request = values.get(key)
    if not isinstance(request, dict):
        return [(key, f"expected an object, got {kind_of(request)}")]
    if request.get("stream"):
        return [(f"{key}.stream", "a batch cannot stream; leave stream out")]
    return []
