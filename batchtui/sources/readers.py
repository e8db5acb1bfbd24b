"""From `[source]` to rows: finds out what the user brought and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from batchtui.errors import nearest
from batchtui.model import SourceSpec
from batchtui.sources import folder
from batchtui.sources.encodings import known_encoding
from batchtui.sources.faults import BadSource
from batchtui.sources.inputs import Input, from_file, from_stdin, need_text
from batchtui.sources.json_forms import json_rows
from batchtui.sources.json_forms.native import Form, checked, implied_by, recognise
from batchtui.sources.manifests import FORM, Manifest, manifest_readers
from batchtui.sources.rows.picking import Picking
from batchtui.sources.rows.where import parse_where
from batchtui.sources.settings import check_ranges, check_settings
from batchtui.sources.source import Rows, Source, id_column
from batchtui.sources.tables import csv_rows, parquet, spreadsheet
from batchtui.sources.tables.dialect import dialect_of
from batchtui.text import cell

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "sheet",
    ".xlsm": "sheet",
    ".xlsb": "sheet",
    ".xls": "sheet",
    ".ods": "sheet",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_PEEK = 100
"""Rows of a JSON form that are looked at for its columns, of JSON Lines no more than _PEEK_BYTES of them."""
_PEEK_BYTES = 4 * 1024 * 1024


def open_source(
    spec: SourceSpec,
    base: Path,
    *,
    stdin: BinaryIO | None = None,
    allow_outside: bool = True,
    with_text: bool = True,
) -> Source:
    """The source that `spec` names; a relative path is relative to `base`, the folder of the batch file.

    `stdin` stands in for standard input (`file = "-"`), which is read to its end here. With `allow_outside` off,
    a path that leads out of `base` is refused. `with_text` off leaves the texts of a folder's files unread.
    Raises BadSource for what spoils the whole source; faults of single rows come out of `Source.rows`.
    """
    check_ranges(spec)
    encoding = known_encoding(spec.encoding)
    if not spec.file:
        raise BadSource('empty; name a file or a folder, or "-" for standard input', key="source.file")
    if spec.file == "-":
        source = from_stdin(stdin, encoding)
        return _json_source(spec, source, _sniff(source), base, allow_outside)
    path = _located(spec.file, base, allow_outside=allow_outside)
    if path.is_dir():
        return _folder_source(spec, path, with_text=with_text, inside=None if allow_outside else base)
    source = from_file(path, spec.file, encoding)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    if ending in ("", ".gz"):
        return _json_source(spec, source, _sniff(source), base, allow_outside)
    if ending not in FORMATS:
        raise BadSource(
            f'"{cell(ending, 20)}" is no form of source{nearest(ending, FORMATS)}; '
            "csv, tsv, json, jsonl (each also .gz), parquet, xlsx, ods, folders and scenario manifests are",
            file=spec.file,
        )
    if FORMATS[ending] in ("parquet", "sheet"):
        check_settings(spec, FORMATS[ending])
        return _parquet_source(spec, path) if ending == ".parquet" else _sheet_source(spec, path)
    if ending == ".json":  # often JSON Lines under another name
        return _json_source(spec, source, _sniff(source, otherwise="json"), base, allow_outside)
    if FORMATS[ending] == "yaml":
        return _yaml_source(spec, source, base, allow_outside)
    return _text_source(spec, source, FORMATS[ending])


def _located(file: str, base: Path, *, allow_outside: bool) -> Path:
    try:
        path = base / Path(file).expanduser()
        inside = allow_outside or path.resolve().is_relative_to(base.resolve())
    except (OSError, ValueError, RuntimeError) as fault:
        raise BadSource(f"{cell(file)} is not a usable path: {cell(fault)}", key="source.file") from None
    if not inside:
        raise BadSource(f"{cell(file)} leads out of {cell(base)}", key="source.file")
    return path


def _sniff(source: Input, otherwise: str = "csv") -> str:
    """csv, tsv, json or jsonl by the first bytes."""
    head = source.head.lstrip()
    if json_rows.looks_like_lines(source):
        return "jsonl"
    if head.startswith((b"{", b"[")) or otherwise == "json":
        return "json"
    first = head.split(b"\n", 1)[0]
    return "tsv" if b"\t" in first and b"," not in first else otherwise


def _json_source(spec: SourceSpec, source: Input, form: str, base: Path, allow_outside: bool) -> Source:
    """A manifest where the text is one, else rows of it."""
    for reader in manifest_readers() if form == "json" and spec.rows is None else ():
        if read := reader.from_json(source, _folder_of(source, base), only_inside=not allow_outside):
            return _scenarios(spec, source, read)
    return _text_source(spec, source, form)


def _yaml_source(spec: SourceSpec, source: Input, base: Path, allow_outside: bool) -> Source:
    """YAML holds manifests alone."""
    reader = next(iter(manifest_readers()), None)
    if reader is None:
        raise BadSource(
            "YAML is read of scenario manifests alone, and nothing here does them", file=source.name
        )
    return _scenarios(
        spec, source, reader.from_yaml(source, _folder_of(source, base), only_inside=not allow_outside)
    )


def _folder_of(source: Input, base: Path) -> Path:
    return (source.path.parent if source.path else base).absolute()


def _scenarios(spec: SourceSpec, source: Input, read: Manifest) -> Source:
    check_settings(spec, FORM)
    form = Form(FORM, read.default_job)
    made = _source(spec, source.name, read.columns, lambda: iter(read.items), form=form, count=read.count)
    return replace(made, implied=read.implied)


def _text_source(spec: SourceSpec, source: Input, form: str) -> Source:
    need_text(source)
    check_settings(spec, form)
    if form in ("csv", "tsv"):
        dialect = dialect_of(source, "\t" if form == "tsv" else ",", spec.separator, spec.decimal)
        columns = csv_rows.csv_columns(source, dialect)
        lines = source.count_hint()
        return _source(
            spec,
            source.name,
            columns,
            lambda: csv_rows.csv_rows(source, dialect, columns),
            count=None if lines is None else max(0, lines - 1 - dialect.sep_line),
            table=True,
            zipped=source.zipped,
        )

    def read(room: int | None = None) -> Rows:
        return (
            json_rows.json_rows(source, spec.rows) if form == "json" else json_rows.jsonl_rows(source, room)
        )

    columns, first = json_rows.peek_columns(islice(read(_PEEK_BYTES), _PEEK))
    what = recognise(first, columns)
    return _source(
        spec,
        source.name,
        columns,
        lambda: checked(source.name, read(), what),
        form=what,
        count=source.count_hint() if form == "jsonl" else None,
        zipped=source.zipped,
    )


def _parquet_source(spec: SourceSpec, path: Path) -> Source:
    with parquet.parquet_file(path, spec.file) as file:
        columns, count = list(file.schema_arrow.names), file.metadata.num_rows
    return _source(
        spec, spec.file, columns, lambda: parquet.parquet_rows(path, spec.file), count=count, table=True
    )


def _sheet_source(spec: SourceSpec, path: Path) -> Source:
    sheet = spreadsheet.read_sheet(path, spec.file, spec.sheet)

    def read() -> Rows:
        return spreadsheet.sheet_rows(sheet, spec.file)

    return _source(spec, spec.file, sheet.columns, read, count=len(sheet.rows), table=True)


def _folder_source(spec: SourceSpec, path: Path, *, with_text: bool, inside: Path | None) -> Source:
    check_settings(spec, "folder")
    columns = folder.COLUMNS if with_text else [name for name in folder.COLUMNS if name != "text"]

    def read() -> Rows:
        return folder.folder_rows(path, spec.file, with_text=with_text, inside=inside)

    made = _source(spec, spec.file, columns, read, count=len(folder.folder_files(path, spec.file)))
    return replace(made, made=True)


def _source(
    spec: SourceSpec,
    name: str,
    columns: list[str],
    read: Callable[[], Rows],
    *,
    form: Form | None = None,
    count: int | None = None,
    zipped: bool = False,
    table: bool = False,
) -> Source:
    form = form or Form()
    where = parse_where(spec.where) if spec.where else None
    if where is not None:
        count = None
    elif count is not None:
        count = max(0, count - (spec.skip or 0))
        count = count if spec.limit is None else min(count, spec.limit)
    return Source(
        name=name,
        columns=columns,
        read=read,
        id_column=id_column(columns),
        own_id=form.own_id,
        native=form.native,
        default_job=form.default_job,
        implied=implied_by(name, form),
        count_hint=count,
        picking=Picking(spec.skip or 0, where, table),
        limit=spec.limit,
        shuffle=spec.shuffle,
        seed=spec.seed or 0,
        zipped=zipped,
    )
