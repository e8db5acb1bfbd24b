"""Results to a file: JSON Lines, JSON, CSV or Parquet, whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from batchtui.errors import BadInput, StoreDamaged, nearest
from batchtui.model import Json, Result
from batchtui.results.export.parquet_file import write_parquet
from batchtui.results.reading.query import Query, as_text, check_path, field_value, getter
from batchtui.results.reading.select import select
from batchtui.store.folder import BatchFolder

FORMATS = ("jsonl", "json", "csv", "parquet")
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
FIELDS = tuple(name for name in Result.__struct_fields__ if name != "body")
"""What is written where nothing else is asked: `body` repeats the whole reply and is left to `show`."""
ROW_COLUMNS_MAX = 200
_ACTS_IN_A_SHEET = re.compile(r"""["'\s]*[=+@\-＝＋－＠]|[\t\r\n]""")
"""How a cell begins that a spreadsheet may run: it passes over quotes and blanks."""
_ACTS_WITHIN = re.compile(r"""[;\t\r\n]["' ]*[=@＝＠]|;["' ]*[+\-＋－][\w(]""")
"""What a spreadsheet may take for the beginning of the next cell."""
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def format_of(path: str, wanted: str | None = None) -> str:
    """The format for a file, by its suffix where none is named. Raises BadInput."""
    if wanted:
        if wanted not in FORMATS:
            raise BadInput(
                f'unknown format "{wanted}"{nearest(wanted, FORMATS)}; formats are {", ".join(FORMATS)}'
            )
        return wanted
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise BadInput(
            f"{path}: no format follows from its name; name it with --format, one of {', '.join(FORMATS)}"
        )
    return _SUFFIXES[suffix]


def parse_fields(text: str | None) -> tuple[str, ...] | None:
    """`job_id,row.species` as paths; None where nothing is asked. Raises BadInput."""
    return tuple(check_path(part.strip()) for part in text.split(",") if part.strip()) if text else None


def record(result: Result, fields: Sequence[str] | None = None) -> dict[str, Json]:
    """The result as plain JSON types: these fields by their paths, or all but `body`."""
    if fields is None:
        whole: dict[str, Json] = msgspec.to_builtins(result)
        del whole["body"]
        return whole
    return {path: msgspec.to_builtins(field_value(result, path)) for path in fields}


def json_text(value: Json, *, indent: int | None = None) -> str:
    """ASCII JSON; what JSON cannot hold (NaN, infinities) becomes null."""
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(value, allow_nan=False, indent=indent, separators=separators)
    except ValueError:
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(finite, indent=indent, separators=separators)


def export_batch(
    folder: BatchFolder,
    path: str,
    *,
    format: str | None = None,  # noqa: A002
    fields: Sequence[str] | None = None,
    query: Query | None = None,
    finished: bool = False,
    raw: bool = False,
    numbers: Collection[int] | None = None,
    damaged: list[str] | None = None,
) -> int:
    """The results of a batch to `path`, its format by the suffix where none is named; how many there were.

    With `numbers` only those of these jobs; ids of results that are damaged are added to `damaged`. CSV and Parquet get
    the row's own columns one by one. Raises BadInput, and leaves what was there.
    """
    shape = format_of(path, format)
    columns = fields or (flat_columns(folder) if shape in ("csv", "parquet") else None)
    return export(
        select(folder, query, finished=finished, numbers=numbers, damaged=damaged),
        path,
        shape,
        columns=columns,
        raw=raw,
    )


def export(
    results: Iterable[Result],
    path: str,
    format: str,  # noqa: A002
    *,
    columns: Sequence[str] | None = None,
    raw: bool = False,
) -> int:
    """Write the results to `path`, at once when all are written; how many there were.

    `columns` are paths (None: all fields). Raises BadInput where the file cannot be written, and leaves what was there.
    """
    counted = _Counted(results)
    try:
        with replacing(path) as temporary:
            if format == "parquet":
                paths = columns or FIELDS
                write_parquet(temporary, (record(result, paths) for result in counted), paths)
            else:
                with open_text(temporary) as file:
                    write(file, counted, format=format, columns=columns, raw=raw)
    except OSError as fault:
        raise BadInput(f"{path}: cannot be written ({fault.strerror or fault})") from None
    return counted.count


def write(
    file: IO[str],
    results: Iterable[Result],
    *,
    format: str,  # noqa: A002
    columns: Sequence[str] | None = None,
    raw: bool = False,
) -> None:
    """Stream the results as text. `raw` leaves CSV cells as they are, also those that a spreadsheet would run."""
    if format == "jsonl":
        for result in results:
            file.write(json_text(record(result, columns)) + "\n")
    elif format == "json":
        before = "[\n"
        for result in results:
            file.write(before + json_text(record(result, columns)))
            before = ",\n"
        file.write("[]\n" if before == "[\n" else "\n]\n")
    else:
        paths = columns or FIELDS
        writer = csv.writer(file)
        cell = _plain_cell if raw else safe_cell
        getters = [getter(path) for path in paths]
        writer.writerow([cell(path) for path in paths])
        for result in results:
            writer.writerow([cell(_tabular(get(result))) for get in getters])


def flat_columns(folder: BatchFolder) -> tuple[str, ...]:
    """Fields for a flat table: the row's own columns one by one, in the order in which they first appear."""
    names: dict[str, None] = {}
    for n in range(len(folder.jobs)):
        with contextlib.suppress(StoreDamaged):  # the row is told to be damaged where it is shown
            names.update(dict.fromkeys(folder.jobs.record(n).row))
        if len(names) > ROW_COLUMNS_MAX:
            return FIELDS
    at = FIELDS.index("row")
    return (*FIELDS[:at], *(f"row.{name}" for name in names), *FIELDS[at + 1 :])


def safe_cell(value: Json) -> Json:
    """A cell that no spreadsheet runs as a formula; numbers stay numbers."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return _plain_cell(value)
    return "'" + value if _ACTS_IN_A_SHEET.match(value) or _ACTS_WITHIN.search(value) else value


def _plain_cell(value: Json) -> Json:
    return "" if value is None else value


def _tabular(value: Json) -> Json:
    """A value as one cell: nested ones as JSON, nothing where there is nothing."""
    if value is None or type(value) in (str, int, float):
        return value
    plain = msgspec.to_builtins(value)
    if plain in ({}, []):
        return None
    return plain if isinstance(plain, str) else as_text(plain)


def open_text(path: str | int) -> IO[str]:
    """UTF-8 with newlines as written; a lone half of an emoji, which UTF-8 cannot hold, is spelt out."""
    return open(path, "w", encoding="utf-8", errors="backslashreplace", newline="")


class _Counted:
    def __init__(self, results: Iterable[Result]) -> None:
        self._results = results
        self.count = 0

    def __iter__(self) -> Iterator[Result]:
        for result in self._results:
            self.count += 1
            yield result


@contextlib.contextmanager
def replacing(path: str) -> Iterator[str]:
    """A temporary name that takes the place of `path` at the end; a pipe or device is written straight."""
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        if target.is_dir():
            raise BadInput(f"{path}: is a folder; name a file in it")
        yield str(target)
        return
    fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    os.close(fd)
    try:
        yield name
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~umask)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
