"""Calls and places of kind `rest`, compiled once from its table: templates in, requests out; replies in, values out."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from batchtui.backends.rest.places import PlaceError, Places, getter_of, inside_of
from batchtui.backends.rest.settings import Call, Later, Place
from batchtui.config.checks import is_inline_secret, is_secret_header, variable_fault
from batchtui.errors import ConfigError, KeyMissing, nearest
from batchtui.model import Json, seconds
from batchtui.sources.templates.filters import as_text
from batchtui.sources.templates.template import Template, TemplateError, compile_template
from batchtui.text import cell

_EXPRESSION = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]{0,99})")
_ENV_NAME = re.compile(r"\benv\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(slots=True)
class Request:
    """A call with its values filled in. `path` is under `base_url`, or the whole address that the API gave."""

    method: str
    path: str
    params: dict[str, str | int]
    headers: dict[str, str]
    body: Json
    given: bool = False
    """Whether `path` is an address that the API gave."""


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

    def call(self, call: Call | Later, key: str, names: Collection[str]) -> CompiledCall:
        for header, value in call.headers.items():
            if is_secret_header(header, value) and "{{" not in value:
                raise self.fault(f"{key}.headers.{cell(header, 40)}", _NO_SECRET)
        names = {*names, "env"}
        if isinstance(call, Later) and call.path is None and call.url is None:
            raise self.fault(f"{key}.path", "missing; or a url, for an address that the API gave")
        return CompiledCall(
            key=key,
            method=call.method,
            parts=None if call.path is None else self.path(call.path, f"{key}.path", names),
            url=self._url(call.url, f"{key}.url", names) if isinstance(call, Later) else None,
            query=self.template(call.query, f"{key}.query", names),
            headers=self.template(call.headers, f"{key}.headers", names),
            body=self.template(call.body, f"{key}.body", names),
        )

    def _url(self, text: str | None, key: str, names: Collection[str]) -> Template | None:
        if text is None:
            return None
        if not (text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1):
            raise self.fault(key, "expected one {{ name }} of an address that a reply gave and keep holds")
        return self.template(text, key, names)

    def place(self, given: Place | None, key: str, inside: str | None = None) -> Places:
        """`inside`: the text around an id, such as jobs/{{ id }}. Raises ConfigError for what cannot be read."""
        sources = [given] if isinstance(given, str) else given or []
        found = []
        for source in sources:
            try:
                found.append(getter_of(source))
            except PlaceError as fault:
                raise self.fault(key, f'"{cell(source, 60)}" is no place in a reply: {fault}') from None
        if inside is None:
            return Places(key, sources, found)
        try:
            return Places(key, sources, found, inside_of(inside), inside)
        except PlaceError as fault:
            raise self.fault(f"{key}_in", str(fault)) from None

    def places(self, given: Mapping[str, Place], key: str, reserved: Collection[str]) -> dict[str, Places]:
        for name in given:
            if not name.isidentifier() or name in reserved:
                raise self.fault(f"{key}.{cell(name, 40)}", "not a name that can be kept; take another")
        return {name: self.place(place, f"{key}.{name}") for name, place in given.items()}

    def seconds(self, given: float | str | None, key: str, most: float | None = None) -> float:
        """Raises ConfigError for what is no duration; 0 for none."""
        try:
            found = 0.0 if given is None else seconds(given)
        except ValueError as fault:
            raise self.fault(key, str(fault)) from None
        if most is not None and not 0 <= found <= most:
            raise self.fault(key, f"expected at most {most:g} s")
        return found

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
    parts: list[str | Template] | None
    url: Template | None
    query: Template
    headers: Template
    body: Template

    @property
    def names(self) -> set[str]:
        """Those of an address that is only preferred are not among them."""
        found = self.query.names | self.headers.names | self.body.names
        if self.parts is None:
            return found | self.url.names if self.url else found
        return found.union(*(part.names for part in self.parts if isinstance(part, Template)))

    def render(self, values: Mapping[str, Json]) -> Request:
        """Raises TemplateError for what the values do not fill, or what no address or header can carry."""
        query: dict[str, Json] = self.query.render(values)
        headers: dict[str, Json] = self.headers.render(values)
        address = self._given(values)
        path = "".join(self._part(part, values) for part in self.parts or ())
        return Request(
            method=self.method,
            path=path if address is None else address,
            params={name: _word(value) for name, value in query.items() if value is not None},
            headers={name: self._header(name, as_text(value)) for name, value in headers.items()},
            body=self.body.render(values),
            given=address is not None,
        )

    def _given(self, values: Mapping[str, Json]) -> str | None:
        """The address that the API gave; None where it gave none and there is a path to take instead."""
        if self.url is None:
            return None
        try:
            address = self.url.render(values)
        except TemplateError:
            if self.parts is None:
                raise
            return None
        if isinstance(address, str) and address.strip():
            return address.strip()
        raise TemplateError(f"{self.key}.url", f'"{cell(as_text(address), 40)}" is no address')

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
