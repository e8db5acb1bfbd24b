"""What answers must fit: one schema for the batch, or one a job where a template or a sweep chooses it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from batchtui.engine.plan.compose.rendering import BadField
from batchtui.errors import BadInput
from batchtui.model import BatchSpec, Json
from batchtui.results.judging.schema import read_schema, schema_path
from batchtui.sources.templates.template import Template, compile_template
from batchtui.text import cell

KEY = "schema"
MOST_SCHEMAS = 100
"""They stand in the batch's header, which is written often."""


class Schemas:
    """`fixed` is the batch's own; where jobs choose theirs, `table` fills with those that were chosen, by name."""

    def __init__(self, spec: BatchSpec, given: Json, base: Path) -> None:
        """`given` is `[job] schema`, or what the config has for it. Raises BadField, TemplateError."""
        self._base = base
        self._known: dict[str, str] = {}
        self._template: Template | None = None
        self.fixed: dict[str, Json] | None = None
        self.table: dict[str, dict[str, Json]] = {}
        deep = next((path for path in spec.sweep if path.startswith(f"{KEY}.")), None)
        if deep:
            raise BadField("a sweep takes whole schemas, as schema = [...]", f"sweep.{deep}")
        self._chosen = KEY in spec.sweep
        if isinstance(given, str) and "{{" in given:
            self._template = compile_template({KEY: given}, where="job")
        elif given is not None and not self._chosen:
            self.fixed = self._read(given)

    def name(self, row: dict[str, Json], sweep: dict[str, Json]) -> str | None:
        """The name in `table` of the schema that this job chooses; None where it leaves that to the batch, or has none.

        Raises TemplateError, BadField.
        """
        if self._chosen:
            value = sweep.get(KEY)
        elif self._template:
            value = self._template.render(row)[KEY]
        else:
            return None
        if value is None or value == "":
            return None
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        if text not in self._known:
            self._known[text] = self._kept(self._inside(value))
        return self._known[text]

    def of(self, row: dict[str, Json], sweep: dict[str, Json]) -> dict[str, Json] | None:
        """What this job's answer must fit. Raises as `name`."""
        name = self.name(row, sweep)
        return self.table[name] if name else self.fixed

    def _inside(self, value: Json) -> dict[str, Json]:
        """A row may name a schema of the batch file's folder only: its words go to the provider."""
        if isinstance(value, str):
            root = os.path.realpath(self._base)
            try:
                inside = os.path.commonpath((root, os.path.realpath(schema_path(value, self._base)))) == root
            except ValueError:  # a NUL character
                raise BadField(f"{cell(value, 200)}: names no file", f"job.{KEY}") from None
            if not inside:
                text = f"{cell(value, 200)}: a schema that a row or a sweep names lies in the batch file's folder"
                raise BadField(text, f"job.{KEY}")
        return self._read(value)

    def _read(self, value: Json) -> dict[str, Json]:
        try:
            return read_schema(value, self._base)
        except BadInput as fault:
            raise BadField(str(fault), f"job.{KEY}") from None

    def _kept(self, schema: dict[str, Json]) -> str:
        name = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:16]
        self.table[name] = schema
        if len(self.table) > MOST_SCHEMAS:
            raise BadField(f"more than {MOST_SCHEMAS} schemas in a batch; split it", f"job.{KEY}")
        return name
