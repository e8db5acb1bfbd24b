"""Calls and places of kind `rest`, compiled once from its table: templates in, requests out; replies in, values out."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from batchtui.backends.rest.settings import Call, Place
from batchtui.config.checks import is_inline_secret, is_secret_header, variable_fault
from batchtui.errors import ConfigError, KeyMissing, nearest
from batchtui.model import Json
from batchtui.sources.expressions import Expression, ExpressionError
from batchtui.sources.filters import as_text
from batchtui.sources.template import Template, TemplateError, compile_template
from batchtui.text import cell

_EXPRESSION = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]{0,99})")
_ENV_NAME = re.compile(r"\benv\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(slots=True)
class Request:
    """A call with its values filled in."""

    method: str
    path: str
    params: dict[str, str | int]
    headers: dict[str, str]
    body: Json


@dataclass(slots=True)
class Compiler:
    """Compiles the parts of one table; `where` begins its messages, `secrets` are the variables that it referred to."""

    where: str
    secrets: dict[str, str] = field(default_factory=dict)

    def fault(self, key: str, message: str) -> ConfigError:
        return ConfigError(f"{self.where}.{key}: {message}")

    def template(self, value: Json, key: str, names: Collection[str]) -> Template:
        """Raises ConfigError for a template that cannot be read, a name that is not there, a secret in clear."""
        try:
            template = compile_template(self._referred(value, key), where=key)
        except TemplateError as fault:
            raise self.fault(fault.key, fault.message) from None
        self._known(template.names, key, names)
        return template

    def path(self, text: str, key: str, names: Collection[str]) -> list[str | Template]:
        """The parts of an address, the templates apart from the texts, so that their values can be quoted."""
        if "://" in text or text.startswith("//") or any(not c.isprintable() or c == "\\" for c in text):
            raise self.fault(key, "expected a path under base_url, such as tasks/{{ id }}")
        parts = [part for part in _EXPRESSION.split(text) if part]
        return [self.template(part, key, names) if part.startswith("{{") else part for part in parts]

    def call(self, call: Call, key: str, names: Collection[str]) -> CompiledCall:
        for header, value in call.headers.items():
            if is_secret_header(header, value) and "{{" not in value:
                raise self.fault(f"{key}.headers.{cell(header, 40)}", _NO_SECRET)
        names = {*names, "env"}
        return CompiledCall(
            key=key,
            method=call.method,
            parts=self.path(call.path, f"{key}.path", names),
            query=self.template(call.query, f"{key}.query", names),
            headers=self.template(call.headers, f"{key}.headers", names),
            body=self.template(call.body, f"{key}.body", names),
        )

    def place(self, given: Place | None, key: str) -> Places:
        """Raises ConfigError for a place that cannot be read."""
        sources = [given] if isinstance(given, str) else given or []
        found = []
        for source in sources:
            try:
                found.append(Expression(source))
            except ExpressionError as fault:
                raise self.fault(key, f'"{cell(source, 60)}" is no place in a reply: {fault}') from None
        return Places(key, sources, found)

    def places(self, given: Mapping[str, Place], key: str, reserved: Collection[str]) -> dict[str, Places]:
        for name in given:
            if not name.isidentifier() or name in reserved:
                raise self.fault(f"{key}.{cell(name, 40)}", "not a name that can be kept; take another")
        return {name: self.place(place, f"{key}.{name}") for name, place in given.items()}

    def _known(self, used: Iterable[str], key: str, names: Collection[str]) -> None:
        for name in used:
            if name not in names:
                hint = nearest(name, names) or f"; there are {', '.join(sorted(names))}"
                raise self.fault(key, f'no name "{cell(name, 40)}" here{hint}')

    def _referred(self, value: Json, key: str) -> Json:
        """The value with its references as templates, their variables looked up."""
        if isinstance(value, dict):
            of_the_job = key.startswith(_OF_THE_JOB)  # "key" and "token" are words like others there
            for name, inner in value.items():
                plain = isinstance(inner, str) and "{{" not in inner and not _REFERENCE.fullmatch(inner)
                if plain and is_inline_secret("" if of_the_job else name, inner):
                    raise self.fault(f"{key}.{cell(name, 40)}", _NO_SECRET)
            return {name: self._referred(inner, f"{key}.{cell(name, 40)}") for name, inner in value.items()}
        if isinstance(value, list):
            return [self._referred(inner, f"{key}[{at}]") for at, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        if value.startswith("env:"):
            variable = value.removeprefix("env:")
            if fault := variable_fault(variable):
                raise self.fault(key, fault)
            value = "{{ env." + variable + " }}"
        for expression in _EXPRESSION.findall(value):
            for variable in _ENV_NAME.findall(expression):
                self._look_up(variable, key)
        return value

    def _look_up(self, variable: str, key: str) -> None:
        found = os.environ.get(variable)
        if not found:
            raise KeyMissing(f"{self.where}.{key}: the variable {cell(variable, 60)} is not set")
        if not (found.isascii() and found.isprintable()):
            raise self.fault(key, f"{cell(variable, 60)} holds characters no header can carry")
        self.secrets[variable] = found


_OF_THE_JOB = ("submit.body", "submit.each", "submit.set")
_NO_SECRET = 'a key does not belong in this file; write "env:NAME" with the variable that holds it'


@dataclass(slots=True)
class CompiledCall:
    key: str
    method: str
    parts: list[str | Template]
    query: Template
    headers: Template
    body: Template

    @property
    def names(self) -> set[str]:
        found = self.query.names | self.headers.names | self.body.names
        return found.union(*(part.names for part in self.parts if isinstance(part, Template)))

    def render(self, values: Mapping[str, Json]) -> Request:
        """Raises TemplateError for what the values do not fill, or what no address or header can carry."""
        query: dict[str, Json] = self.query.render(values)
        headers: dict[str, Json] = self.headers.render(values)
        return Request(
            method=self.method,
            path="".join(self._part(part, values) for part in self.parts),
            params={name: _word(value) for name, value in query.items() if value is not None},
            headers={name: self._header(name, as_text(value)) for name, value in headers.items()},
            body=self.body.render(values),
        )

    def _part(self, part: str | Template, values: Mapping[str, Json]) -> str:
        if isinstance(part, str):
            return part
        text = as_text(part.render(values))
        if not text.strip(". "):
            raise TemplateError(f"{self.key}.path", f'"{cell(text, 40)}" cannot stand in an address')
        return quote(text, safe="", errors="replace")

    def _header(self, name: str, text: str) -> str:
        if text.isascii() and text.isprintable():
            return text
        raise TemplateError(f"{self.key}.headers.{name}", "holds characters no header can carry")


def _word(value: Json) -> str | int:
    return value if isinstance(value, int) and not isinstance(value, bool) else as_text(value)


@dataclass(slots=True)
class Places:
    """Where something stands in a reply; calling it gives the first value that is not null, else None."""

    key: str
    sources: list[str]
    expressions: list[Expression]

    def __bool__(self) -> bool:
        return bool(self.expressions)

    def __str__(self) -> str:
        return f"{self.key} ({', '.join(cell(source, 60) for source in self.sources)})"

    def __call__(self, reply: Json) -> Json:
        values = {"reply": reply, **reply} if isinstance(reply, dict) else {"reply": reply}
        for expression in self.expressions:
            try:
                value = expression.value(values)
            except ExpressionError:
                continue
            if value is not None:
                return value
        return None

    def id(self, reply: Json) -> str | None:
        """What stands there as an id: a text or a whole number."""
        value = self(reply)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        usable = isinstance(text, str) and text.isprintable() and text.strip(". ")
        return text if usable else None

    def id_fault(self, reply: Json) -> str | None:
        """Why what stands there is no id; None where it is one, or where nothing stands there."""
        value = self(reply)
        if value is None or value == "" or self.id(reply) is not None:
            return None
        return f'{self} holds "{cell(value, 60)}", which is no id that can be asked for'

    def secret(self, reply: Json) -> str | None:
        """What stands there as a token: of any length, for a header to carry."""
        value = self(reply)
        return value if isinstance(value, str) and value and value.isascii() and value.isprintable() else None

    def count(self, reply: Json) -> int | None:
        value = self(reply)
        whole = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
        return int(value) if whole else None

    def number(self, reply: Json) -> float | None:
        value = self(reply)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
