"""What a file of one's own holds, and a batch that could be made of it. No Textual here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from batchtui import batchfile
from batchtui.amounts import counted
from batchtui.catalog import cards
from batchtui.config import Config
from batchtui.config.providers import THIS_MACHINE
from batchtui.model import BatchSpec, Json, Row, SourceSpec
from batchtui.sources.readers import open_source
from batchtui.text import cell
from batchtui.toml_file import dump_toml
from batchtui.tui.models.compose_model import column_template, table_of
from batchtui.tui.models.form_fields import asks_a_model
from batchtui.tui.models.scan import Scan, scan

LOOKED_AT = 50
"""Rows by which a column's kind is told."""
_COLUMNS_TOLD = 40
_EXAMPLE = 44
_A_TEXT = 20
"""Characters from which a value is a text to be read, rather than a name."""


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    example: Json


@dataclass(frozen=True)
class Contents:
    """What is known of the file, what was found in its columns, and the batch that is proposed for it."""

    scan: Scan
    columns: Sequence[Column]
    spec: BatchSpec

    @property
    def fault(self) -> str:
        """Why no batch can be made of it; empty where one can."""
        if self.scan.fault or self.scan.rows:
            return self.scan.fault or ""
        return str(self.scan.problems[0]) if self.scan.problems else "it has no rows"

    def lines(self) -> Iterator[str]:
        """As the screen shows it, a line each."""
        yield f"{self.scan.words()}{self.scan.about()}"
        if self.columns:
            yield ""
            width = min(24, max(len(column.name) for column in self.columns))
            for column in self.columns[:_COLUMNS_TOLD]:
                yield f"{cell(column.name, width).ljust(width)}  {column.kind.ljust(7)}  {cell(column.example, _EXAMPLE)}"
            if (more := len(self.columns) - _COLUMNS_TOLD) > 0:
                yield f"and {counted(more, 'more column')}"

    def batch_file(self) -> str:
        """The batch that is proposed, as it would be saved."""
        return dump_toml(table_of(self.spec)).strip()


def usual_place(config: Config) -> tuple[str, bool]:
    """Where jobs of a new batch go, and whether a model answers there: the default, else a model, else this machine."""
    ready = {name: backend.kind for name, backend in config.backends.items()}
    models = [name for name, kind in ready.items() if asks_a_model(kind)]
    name = config.defaults.backend or next(iter(models), THIS_MACHINE)
    return name, asks_a_model(ready.get(name))


def look_into(path: Path, backend: str, *, language: bool) -> Contents:
    """Blocks: for a thread. `backend` is where jobs usually go, `language` whether a model answers there.

    A file that cannot be read has its fault in `scan`; raises nothing.
    """
    source = SourceSpec(file=path.name)
    spec = batchfile.bare_source(path.name)
    found = scan(source, path.parent, lambda: False, lambda _: None)
    if found.fault:
        return Contents(found, (), spec)
    if owner := _OWNERS.get(found.native or ""):
        return Contents(found, (), replace(spec, backend=backend if language else owner))
    if found.native:  # a manifest says itself what its jobs are; answers want a question first
        return Contents(found, (), spec)
    rows = (item for item in open_source(source, path.parent).rows() if isinstance(item, Row))
    columns = _columns(found.columns, [row.values for row in islice(rows, LOOKED_AT)])
    folder = path.is_dir()
    job = _asked(columns, folder) if language else _counted(columns, folder)
    return Contents(found, columns, replace(spec, backend=backend, job=job))


_OWNERS = {form: card.name for card in cards().values() for form in card.requests}
"""Forms of whole requests, by the backend that takes them as they are."""


def _columns(names: Sequence[str], rows: Sequence[dict[str, Json]]) -> list[Column]:
    """Every column with the kind of what stands in it, and its first value that is not empty."""
    known = list(dict.fromkeys([*names, *(name for row in rows for name in row)]))
    columns = []
    for name in known:
        values = [row[name] for row in rows if row.get(name) not in (None, "")]
        kinds = dict.fromkeys(map(_kind, values))
        columns.append(Column(name, " or ".join(kinds) or "empty", values[0] if values else ""))
    return columns


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "yes/no"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "number" if _is_number(value) else "text"
    return "list" if isinstance(value, list) else "object"


def _is_number(text: str) -> bool:
    """As a table without types has them."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _main(columns: Sequence[Column]) -> list[Column]:
    """What a job is most likely about: the column with the longest text, else the first few."""
    texts = [column for column in columns if column.kind == "text"]
    longest = max(texts, key=lambda column: len(str(column.example)), default=None)
    if longest and len(str(longest.example)) >= _A_TEXT:
        return [longest]
    return texts[:3] or list(columns[:3])


def _asked(columns: Sequence[Column], folder: bool) -> dict[str, Json]:
    """A question to a model."""
    if folder:
        return {"file": "{{ path }}", "prompt": "Summarise this in three sentences.", "max_tokens": 300}
    told = "\n".join(f"{column.name}: {column_template(column.name)}" for column in _main(columns))
    return {"prompt": f"Say in one sentence what this is about.\n\n{told}", "max_tokens": 100}


def _counted(columns: Sequence[Column], folder: bool) -> dict[str, Json]:
    """A program that every machine has: it counts the words of a text, or says what stands in the row."""
    if folder:
        return {"command": ["wc", "-w", "{{ path }}"]}
    main = _main(columns)
    if len(main) == 1 and len(str(main[0].example)) >= _A_TEXT:
        return {"command": ["wc", "-w"], "stdin": column_template(main[0].name)}
    return {
        "command": ["echo", ", ".join(f"{column.name}: {column_template(column.name)}" for column in main)]
    }
