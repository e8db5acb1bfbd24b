"""The little language that `--where` and the filter of the job table speak.

Terms stand beside one another and must all hold; letters count as the same in either case.

    adelie              in the id, the answer or the error        "two words"
    !adelie             not there; `!` turns any term round
    status:failed,invalid        id:row-1        error:rate        label:good
    row.species=Adelie  any field of a result, by its path: = != < <= > >=
    output_tokens>100   numbers compare as numbers, everything else as text
    cost>0.01           `cost`, `answer` and `state` are short for `cost_usd`, `raw_response` and `status`
    error=              the field is empty or missing
    /time ?out/         a regular expression over id, answer and error; also id:/…/ and error:/…/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, TypeVar

from batchtui.errors import BadInput, nearest
from batchtui.model import JOB_STATES, JobState, Json, Result
from batchtui.results.reading import terms

OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
TOKEN = re.compile(r'!?(?:\w+:)?/(?:[^/\s\\]|\\.|[ ])+/(?!\S)|(?:[^\s"]|"[^"]*"?)+')
"""One term: a pattern with its blanks, or words as far as the next blank that stands in no quotes."""
_PREFIXES = ("status", "state", "id", "error", "label")
_PREFIX = re.compile(rf"({'|'.join(_PREFIXES)}):(.*)", re.DOTALL)
SHORT = {"cost": "cost_usd", "answer": "raw_response", "state": "status"}
"""Fields by the names that screens give them."""
FIELDS = tuple(Result.__struct_fields__)

T = TypeVar("T")
Test = Callable[[Result], bool]


class Simple(NamedTuple):
    """A query that asks only for states, ids, errors and plain words; parts are in lower case, all must be found."""

    states: frozenset[JobState] | None
    id_parts: tuple[str, ...]
    error_parts: tuple[str, ...]
    text_parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. The empty one matches everything."""

    text: str
    tests: tuple[Test, ...]
    states: frozenset[JobState] | None
    """States that can match at all; None: any. Lets a reader pass over rows unread."""
    simple: Simple | None
    """What a table needs to filter by its columns alone; None where rows must be read."""

    def matches(self, result: Result) -> bool:
        return all(test(result) for test in self.tests)

    def __bool__(self) -> bool:
        return bool(self.tests)


def parse(text: str) -> Query:
    """Raises BadInput for an unknown state or field, with the nearest known one."""
    tests: list[Test] = []
    states: frozenset[JobState] | None = None
    ids: list[str] = []
    errors: list[str] = []
    words: list[str] = []
    simple = True
    for token in TOKEN.findall(text):
        negated = token.startswith("!") and len(token) > 1
        body = token[1:] if negated else token
        kind, value, test = _term(body)
        tests.append(_opposite(test) if negated else test)
        if kind == "status":
            wanted = _states(value)
            wanted = frozenset(JOB_STATES) - wanted if negated else wanted
            states = wanted if states is None else states & wanted
        elif negated or kind == "field":
            simple = False
        else:
            {"id": ids, "error": errors, "text": words}[kind].append(value.casefold())
    found = Simple(states, tuple(ids), tuple(errors), tuple(words)) if simple else None
    return Query(text, tuple(tests), states, found)


def lookup(value: Json, path: str) -> Json:
    """What stands at `row.species`, `output.runs[0]` or `row.Culmen Length (mm)`; None where nothing does."""
    rest = path
    while rest:
        if isinstance(value, dict):
            if rest in value:
                return value[rest]
            key = next((k for k in _heads(rest) if k in value), None)
            if key is None:
                return None
            value, rest = value[key], rest[len(key) :]
        elif isinstance(value, list) and (match := re.match(r"\[?(\d+)\]?", rest)):
            at = int(match[1])
            if at >= len(value):
                return None
            value, rest = value[at], rest[match.end() :]
        else:
            return None
        rest = rest.removeprefix(".")
    return value


def field_value(result: Result, path: str) -> Json:
    """The value at a path that starts with a field of the result."""
    return getter(path)(result)


def getter(path: str) -> Callable[[Result], Json]:
    """`field_value` for one path, prepared once for many results."""
    path = SHORT.get(path, path)
    if path in FIELDS:
        return attrgetter(path)
    match = re.match(r"\w+", path)
    head = match[0] if match else ""
    if head not in FIELDS:
        return lambda result: None
    rest = path[len(head) :].removeprefix(".")
    return lambda result: lookup(getattr(result, head), rest)


def check_path(path: str) -> str:
    """The path, where it starts with a field of a result. Raises BadInput."""
    match = re.match(r"\w+", path)
    head = match[0] if match else path
    if head not in FIELDS and path not in SHORT:
        known = nearest(head, (*FIELDS, *SHORT)) or f'; a column of the source is "row.{head}"'
        raise BadInput(f'unknown field "{head}"{known}')
    return path


def _heads(path: str) -> list[str]:
    """Beginnings of a path that may be one key, the longest first: keys may hold dots."""
    cuts = [match.start() for match in re.finditer(r"[.\[]", path)]
    return [path[:cut] for cut in reversed(cuts) if cut]


def _term(body: str) -> tuple[str, str, Test]:
    """(kind, value, test) of one term without its `!`."""
    if not body.startswith('"'):
        if match := _PREFIX.fullmatch(body):
            kind, value = match[1], match[2].replace('"', "")
            if kind in ("status", "state"):
                kind = "status"
                wanted = _states(value)
                return kind, value, lambda result: result.status in wanted
            if kind == "label":
                return "field", value, comparison(attrgetter("label"), "=", value)
            test = _id_test(value) if kind == "id" else _error_test(value)
            return "field" if terms.is_pattern(value) else kind, value, test
        if terms.is_pattern(body):
            return "field", body, _text_test(body)
        plain = body.replace('"', "")
        operator = OPERATOR.search(plain)
        if operator and operator.start():
            path, value = plain[: operator.start()], plain[operator.end() :]
            if path in ("status", "state") and operator[0] in ("=", "!=") and value:
                return _status_term(value, operator[0] == "=")
            return "field", value, comparison(getter(check_path(path)), operator[0], value)
        terms.refuse_misspelt(body, (*_PREFIXES, *FIELDS, *SHORT))
    text = body.replace('"', "")
    return "text", text, _text_test(body)


def _status_term(value: str, equal: bool) -> tuple[str, str, Test]:
    """`status=` as `status:`: a state that there is none of is told, and does not just match nothing."""
    wanted = _states(value)
    if equal:
        return "status", value, lambda result: result.status in wanted
    return "field", value, lambda result: result.status not in wanted


def _states(value: str) -> frozenset[JobState]:
    found = set()
    for word in value.casefold().split(","):
        if word not in JOB_STATES:
            hint = nearest(word, JOB_STATES) or f"; states are {', '.join(JOB_STATES)}"
            raise BadInput(f'unknown status "{word}"{hint}')
        found.add(JobState(word))
    return frozenset(found)


def _opposite(test: Test) -> Test:
    return lambda result: not test(result)


def _id_test(value: str) -> Test:
    has = terms.finder(value)
    return lambda result: has(result.job_id)


def _error_test(value: str) -> Test:
    has = terms.finder(value)
    return lambda result: has(f"{result.error_kind or ''}: {result.error or ''}")


def _text_test(value: str) -> Test:
    has = terms.finder(value)

    def found(result: Result) -> bool:
        return any(
            has(text) for text in (result.job_id, answer(result), result.error, result.error_kind) if text
        )

    return found


def answer(result: Result) -> str | None:
    """The answer as text: of a model its words, of anything else what it gave back."""
    if result.raw_response is not None:
        return result.raw_response
    value = result.parsed_response if result.parsed_response is not None else result.output
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def comparison(get: Callable[[T], Json], operator: str, literal: str) -> Callable[[T], bool]:
    """Whether what `get` finds is so: numbers compare as numbers, all else as text in either case."""
    number, folded = _number(literal), literal.casefold()

    def holds(found: T) -> bool:
        value = get(found)
        if operator in ("=", "!="):
            return _equal(value, folded, number) is (operator == "=")
        left = _number(value)
        if left is not None and number is not None:
            return _ordered(left, number, operator)
        if isinstance(value, str) and number is None:
            return _ordered(value.casefold(), folded, operator)
        return False

    return holds


def _equal(value: Json, folded: str, number: float | None) -> bool:
    if value is None:
        return folded in ("", "null")
    left = _number(value)
    if left is not None and number is not None:
        return left == number
    return as_text(value).casefold() == folded


def _ordered(left: float | str, right: float | str, operator: str) -> bool:
    below, above = left < right, left > right  # type: ignore[operator]
    return {"<": below, ">": above, "<=": not above, ">=": not below}[operator]


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number == number else None


def as_text(value: Json) -> str:
    """A JSON value as a person writes it: text bare, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
