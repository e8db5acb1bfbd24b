"""The fields of the compose form: how each is shown as text and read back. No Textual here."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from batchtui.backends.registry import form_of_kind
from batchtui.catalog.card import Work as KindWork
from batchtui.catalog.domains import tasks
from batchtui.catalog.form import FormField, Reads
from batchtui.errors import nearest
from batchtui.limit_ranges import ERROR_POLICIES
from batchtui.model import Json, seconds
from batchtui.text import clean
from batchtui.tui.models.sweep_text import read_sweep, show_sweep
from batchtui.work.job import DC_MODELS
from batchtui.work.job import Form as Work

_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class Field:
    """One key of the batch file as a line of text. `read` raises ValueError with what is wrong.

    `write` gives the text of a value, or None; without it a value is written as usual.
    """

    key: str
    label: str
    hint: str
    read: Callable[[str], Json]
    lines: bool = False
    """Whether it may hold several lines."""
    path: bool = False
    """Whether it names a file or folder."""
    about: str = ""
    """What stands below it while there is nothing else to say."""
    write: Callable[[Json], str | None] | None = None

    def show(self, value: Json) -> str | None:
        """The text that reads back as exactly `value`; None where no text of this field does."""
        texts = _texts(value) if self.write is None else [self.write(value) or ""]
        return next((text for text in texts if self._holds(text, value)), None)

    def _holds(self, text: str, value: Json) -> bool:
        if not text.strip() or clean(text) != text or ("\n" in text and not self.lines):
            return False
        try:
            back = self.read(text)
        except ValueError:
            return False
        return bool(back == value) and type(back) is type(value)


def read_text(text: str) -> str:
    return text


def read_whole(text: str) -> Json:
    """A whole number, or a template that gives one."""
    if "{{" in text:
        return text
    try:
        return int(text.strip())
    except ValueError:
        raise ValueError(f'expected a whole number, got "{text.strip()[:40]}"') from None


def read_number(text: str) -> Json:
    """A number, or a template that gives one."""
    if "{{" in text:
        return text
    try:
        return int(text) if text.strip().lstrip("-").isdigit() else float(text)
    except ValueError:
        raise ValueError(f'expected a number, got "{text.strip()[:40]}"') from None


def read_amount(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'expected a number, got "{text.strip()[:40]}"') from None


def read_duration(text: str) -> Json:
    """Seconds as a number, or text such as `90s`, `2h`."""
    seconds(text)
    try:
        return read_amount(text)
    except ValueError:
        return text


def read_truth(text: str) -> Json:
    """yes or no, or a template that gives one."""
    if "{{" in text:
        return text
    word = text.strip().lower()
    if word not in _TRUTHS:
        raise ValueError(f'expected yes or no, got "{text.strip()[:40]}"')
    return _TRUTHS[word]


def read_table(text: str) -> dict[str, Json]:
    """A JSON object, its strings templates."""
    try:
        value = json.loads(text)
    except ValueError as fault:
        raise ValueError(f'expected a JSON object such as {{"key": 1}}: {fault}') from None
    if not isinstance(value, dict):
        raise ValueError('expected a JSON object such as {"key": 1}')
    return value


def read_input(text: str) -> Json:
    """JSON, its strings templates, or a text as it stands."""
    try:
        value: Json = json.loads(text)
    except ValueError as fault:
        if text.lstrip()[:1] in ("[", '"') or (text.lstrip()[:1] == "{" and text.lstrip()[:2] != "{{"):
            raise ValueError(f'expected JSON such as {{"key": 1}}: {fault}') from None
        return text
    return value


def show_input(value: Json) -> str | None:
    """The text that `read_input` reads back."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_policy(text: str) -> str:
    if text.strip() not in ERROR_POLICIES:
        raise ValueError(f'expected "continue" or "stop", got "{text.strip()[:40]}"')
    return text.strip()


def read_task(text: str) -> str:
    """A task, or a template that gives one."""
    return _one_of(text, tasks())


def read_dc_model(text: str) -> str:
    return _one_of(text, DC_MODELS)


def _one_of(text: str, known: tuple[str, ...]) -> str:
    word = text.strip()
    if "{{" not in word and word not in known:
        raise ValueError(f'expected one of {", ".join(known)}, got "{word[:40]}"{nearest(word, known)}')
    return word


def read_words(text: str) -> list[str]:
    """A program and its arguments, split as a shell would, each `{{ … }}` kept in one piece."""
    held, templates, mark = _held(text)
    try:
        words = shlex.split(held)
    except ValueError as fault:
        raise ValueError(f"{str(fault).lower()}: close the quote") from None
    return [_restored(word, templates, mark) for word in words]


def show_words(value: Json) -> str | None:
    """The line that `read_words` reads back; None for what is no list of texts."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return None
    shown = []
    for word in value:
        held, templates, mark = _held(word)
        shown.append(_restored(shlex.quote(held), templates, mark))
    return " ".join(shown)


def _held(text: str) -> tuple[str, list[str], str]:
    """The text with each template held by `mark number mark`, the templates, and a mark the text does not hold."""
    mark, templates = "__", list[str]()
    while mark in text:
        mark += "_"

    def hold(match: re.Match[str]) -> str:
        templates.append(match[0])
        return f"{mark}{len(templates) - 1}{mark}"

    return _TEMPLATE.sub(hold, text), templates, mark


def _restored(word: str, templates: list[str], mark: str) -> str:
    for number, template in enumerate(templates):
        word = word.replace(f"{mark}{number}{mark}", template)
    return word


def _texts(value: Json) -> list[str]:
    """Ways to write the value, the shortest first."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, dict):
        return [json.dumps(value, ensure_ascii=False)]
    if not isinstance(value, int | float):
        return []
    short = [str(int(value))] if isinstance(value, float) and value.is_integer() else []
    return [*short, str(value)]


SOURCE = Field("source.file", "Source", "a file or a folder; Tab completes", read_text, path=True)
WORKS: dict[Work, str] = {
    "command": "a program for each job",
    "call": "a Python function, in warm processes",
    "task": "power flow, contingencies and OPF on a grid",
}
TASK_STEPS = ("dc", "ac", "n1", "dcopf", "acopf")
"""The tasks in the order in which they are stepped through."""
SWEEP = Field(
    "sweep", "Sweep", "key = [1, 2]: a job for each value", read_sweep, lines=True, write=show_sweep
)
MORE = (
    Field("name", "Name", "the source's name", read_text),
    Field("source.id", "Job id", "the row's own id", read_text),
    Field("source.skip", "Skip", "none, or first n", read_whole),
    Field("source.where", "Where", "as status=open", read_text),
    Field("source.limit", "Rows", "all, or first n", read_whole),
)
LIMITS = (
    Field("limits.cost_usd", "Cost", "USD, no limit", read_amount),
    Field("limits.time", "Time", "as 2h; no limit", read_duration),
    Field("limits.concurrency", "At once", "backend's default", read_whole),
    Field("limits.timeout", "Timeout", "of a job, as 60s", read_duration),
    Field("limits.retries", "Retries", "backend's default", read_whole),
    Field("limits.error_policy", "On error", "continue, or stop", read_policy),
    Field("limits.canary", "Canary", "off, or first n", read_whole),
)
OUTPUT = (Field("output.dir", "Output dir", "none", read_text),)
BACKEND_KEY, WORK_KEY, OTHER_KEY = "backend", "work", "other"


_READERS: dict[Reads, Callable[[str], Json]] = {
    "text": read_text,
    "whole": read_whole,
    "number": read_number,
    "truth": read_truth,
    "duration": read_duration,
    "table": read_table,
    "input": read_input,
    "words": read_words,
    "policy": read_policy,
    "task": read_task,
    "dc model": read_dc_model,
}
_WRITERS: dict[Reads, Callable[[Json], str | None]] = {"input": show_input, "words": show_words}


@cache
def _of(field: FormField) -> Field:
    return Field(
        field.key,
        field.label,
        field.hint,
        _READERS[field.reads],
        field.lines,
        field.path,
        field.about,
        _WRITERS.get(field.reads),
    )


def job_fields(kind: str | None, work: Work = "command") -> tuple[Field, ...]:
    """The fields of a job's template on a backend of this kind; none for a kind that nobody knows.

    `work` is what a job does where its kind leaves that open.
    """
    form = _form(kind)
    found = form[work] if work in form else next(iter(form.values()), ())
    return tuple(map(_of, found))


def rows(kinds: Iterable[str]) -> list[Field]:
    """One field for each key that a job has on any of these kinds, in the order of their forms."""
    found: dict[str, Field] = {}
    for kind in kinds:
        for fields in _form(kind).values():
            for field in map(_of, fields):
                if field.key not in found or (field.lines and not found[field.key].lines):
                    found[field.key] = field
    return list(found.values())


def picks_work(kind: str | None) -> bool:
    """Whether a job of this kind may be one of several things, of which the form lets one choose."""
    return len(_form(kind)) > 1


def does_tasks(kind: str | None) -> bool:
    """Whether a job of this kind may be a task on a grid."""
    return "task" in _form(kind)


def asks_a_model(kind: str | None) -> bool:
    """Whether a job of this kind is a prompt."""
    return "prompt" in _form(kind)


def _form(kind: str | None) -> Mapping[KindWork, tuple[FormField, ...]]:
    return form_of_kind(kind) if kind else {}


def fields_of(kind: str | None, work: Work = "command") -> tuple[Field, ...]:
    return (SOURCE, *job_fields(kind, work), SWEEP, *MORE, *LIMITS, *OUTPUT)
