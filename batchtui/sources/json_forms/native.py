"""Files in a provider's own batch form: recognised by their rows, held to that form's rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from batchtui.model import Json, Problem, Row
from batchtui.sources.json_forms.strict_json import kind_of
from batchtui.sources.source import Implied, Rows

Values = dict[str, Json]
Faults = list[tuple[str, str]]
RESULTS = "results"


@dataclass(frozen=True)
class Form:
    """`native` and `default_job` of a source, and the checks of its rows: (key, message) pairs."""

    native: str | None = None
    default_job: dict[str, Json] = field(default_factory=dict)
    check: Callable[[Values], Faults] | None = None
    own_id: str | None = None
    """What the id of a row is where no column holds it, as a template."""
    results_of: str | None = None
    """Whose answers these are; such rows are no requests."""


def recognise(rows: list[Row], columns: list[str]) -> Form:
    """The form that at least half of the first rows are in: a stray one takes a file no form, and gives it none."""
    forms = [form_of(row.values, columns) for row in rows]
    counts = Counter(form.native for form in forms if form.native)
    native, count = counts.most_common(1)[0] if counts else (None, 0)
    return next(form for form in forms if form.native == native) if count * 2 >= len(rows) > 0 else Form()


def form_of(row: Values, columns: list[str]) -> Form:
    """The form that this row is in. A file of answers is told before one of requests: it may repeat those."""
    if provider := _answered_by(row):
        return Form(RESULTS, results_of=provider)
    if "body" in row and ("custom_id" in row or row.keys() <= {"body", "method", "url"}):
        endpoint = {"endpoint": "{{ url }}"} if "url" in columns else {}
        return Form("openai-batch", {"body": "{{ body }}", **endpoint}, _check_named("body"))
    if "params" in row and "custom_id" in row:
        return Form("anthropic-batch", {"body": "{{ params }}"}, _check_named("params"))
    if isinstance(row.get("modelInput"), dict) and row.keys() <= {"recordId", "modelInput"}:
        return Form("bedrock-batch", {"body": "{{ modelInput }}"}, _check_of("modelInput"), "{{ recordId }}")
    request = row.get("request")
    if isinstance(request, dict) and _REQUEST & request.keys():
        return Form("gemini-batch", {"body": "{{ request }}"}, _check_of("request"), _id_of_request(row))
    if isinstance(row.get("messages"), list):
        return Form("messages", {"messages": "{{ messages }}"}, None)
    return Form()


_REQUEST = frozenset({"contents", "content", "messages"})
"""What a request of Google's files asks by: Gemini's own, its embeddings, and Anthropic's models on Vertex AI."""


def _id_of_request(row: Values) -> str | None:
    """Rows that came inside a create of Gemini's hold their key in `metadata`."""
    told = row.get("metadata")
    return "{{ metadata.key }}" if "key" not in row and isinstance(told, dict) and "key" in told else None


def _answered_by(row: Values) -> str | None:
    """Whose result line this row is; None for one that holds no answer."""
    keys, response, result = row.keys(), row.get("response"), row.get("result")
    if "custom_id" in row and isinstance(result, dict) and "type" in result:
        return "Anthropic"
    if (
        "custom_id" in row
        and keys <= {"id", "custom_id", "response", "error"}
        and keys & {"response", "error"}
    ):
        return "OpenAI (or another in its form)"
    if "recordId" in row and keys & {"modelOutput", "error"}:
        return "Bedrock"
    if isinstance(response, dict) and "candidates" in response:
        return "Gemini"
    if (
        "key" in row
        and keys <= {"key", "response", "error", "metadata"}
        and isinstance(row.get("error"), dict)
    ):
        return "Gemini"
    return None


def implied_by(name: str, form: Form) -> Implied:
    """What a form says of the batch."""
    if form.results_of is None:
        return Implied()
    words = (
        f"these are answers of {form.results_of}, not requests; the batch that they belong to comes home with "
        "`batchtui adopt BACKEND REMOTE_ID`; to ask a model about them, give job.prompt"
    )
    return Implied(no_jobs=Problem(file=name, message=words))


def checked(name: str, rows: Rows, form: Form) -> Rows:
    """The rows, those that break the form's rules as one Problem each."""
    if form.check is None:
        yield from rows
        return
    for item in rows:
        faults = form.check(item.values) if isinstance(item, Row) else []
        if not faults:
            yield item
            continue
        key, message = faults[0]
        message += "".join(f"; {also}: {text}" for also, text in faults[1:])
        yield Problem(file=name, line=item.line, row=_number(item), key=key, message=message)


def _number(item: Row | Problem) -> int | None:
    return item.number if isinstance(item, Row) else item.row


def _check_named(key: str) -> Callable[[Values], Faults]:
    """Of a form whose rows name themselves by `custom_id`."""
    return lambda values: _check_id(values) + _check_request(values, key)


def _check_of(key: str) -> Callable[[Values], Faults]:
    return lambda values: _check_request(values, key)


def _check_id(values: Values) -> Faults:
    if "custom_id" not in values:
        return [("custom_id", "missing; every request of a batch file names itself")]
    custom_id = values["custom_id"]
    if not isinstance(custom_id, str):
        return [("custom_id", f"expected a string, got {kind_of(custom_id)}")]
    return [] if custom_id else [("custom_id", "empty; every request of a batch file names itself")]


def _check_request(values: Values, key: str) -> Faults:
    request = values.get(key)
    if not isinstance(request, dict):
        return [(key, f"expected an object, got {kind_of(request)}")]
    if request.get("stream"):
        return [(f"{key}.stream", "a batch cannot stream; leave stream out")]
    return []
