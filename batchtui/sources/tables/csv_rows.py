"""CSV and TSV: cells stay texts, every row as long as the header."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

from batchtui.model import Problem, Row
from batchtui.sources.faults import BadSource
from batchtui.sources.inputs import ENCODING_ADVICE, LINE_LIMIT, Input
from batchtui.sources.rows.content import warnings
from batchtui.sources.source import Rows
from batchtui.sources.tables.dialect import WORDS, Dialect, grouping_doubt, with_point
from batchtui.text import cell

if TYPE_CHECKING:
    from _csv import Reader as CsvReader


def csv_columns(source: Input, dialect: Dialect) -> list[str]:
    """Names of the header, blanks around them gone, unnamed columns called `column_N`; empty for no header.

    Raises BadSource for a name that stands twice, a header that is no text, and another separator than ours.
    """
    top = 1 + dialect.sep_line
    with source.open() as stream:
        lines = _Lines(stream, dialect)
        try:
            header: list[str] = next((row for row in _reader(lines, dialect) if not _is_blank(row)), [])
        except (csv.Error, _TooLong):
            message = f"the header is no line of {_form(dialect)}"
            raise BadSource(message, file=source.name, line=top) from None
    if lines.fault:
        line, message = lines.fault
        raise BadSource(message, file=source.name, line=line)
    names = [name.strip() or f"column_{index}" for index, name in enumerate(header, 1)]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        message = f'column "{cell(twice[0], 60)}" stands twice in the header'
        raise BadSource(message, file=source.name, line=top)
    if len(names) == 1 and not dialect.explicit:
        for other, word in WORDS.items():
            if other != dialect.separator and other in names[0]:
                written = "\\t" if other == "\t" else other
                raise BadSource(
                    f'one column "{cell(names[0], 60)}": the separator seems to be {word}, '
                    f'not {WORDS[dialect.separator]}; write separator = "{written}" under [source]',
                    file=source.name,
                    line=top,
                )
    return names


def csv_rows(source: Input, dialect: Dialect, columns: list[str]) -> Rows:
    """Rows below the header; a row of another length, a NUL, bytes that are not UTF-8 are Problems."""
    with source.open() as stream:
        lines = _Lines(stream, dialect)
        reader = _reader(lines, dialect)
        number = -1
        grouped = False
        while True:
            start = reader.line_num + 1 + dialect.sep_line
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _TooLong:
                yield Problem(
                    file=source.name, line=lines.number, message=f"longer than {LINE_LIMIT:,} characters"
                )
                return
            except csv.Error as fault:
                number += 1
                yield Problem(file=source.name, line=start, row=number, message=_explain(fault))
                if "field limit" in str(fault):
                    return
                continue
            blank = _is_blank(cells)
            if not cells or (blank and number < 0):
                continue
            number += 1
            if number == 0:
                continue
            if lines.fault:
                line, message = lines.fault
                lines.fault = None
                yield Problem(file=source.name, line=line, row=number, message=message)
            elif len(cells) != len(columns) and not blank:
                message = _ragged(cells, columns)
                yield Problem(file=source.name, line=start, row=number, message=message)
            else:
                for warning in warnings("\n".join(cells)):
                    yield Problem(file=source.name, line=start, row=number, message=warning, fatal=False)
                if dialect.decimal_comma:
                    if not grouped and (doubt := grouping_doubt(cells)):
                        grouped = True
                        yield Problem(file=source.name, line=start, row=number, message=doubt, fatal=False)
                    cells = [with_point(text) for text in cells]
                yield Row(
                    number,
                    start,
                    dict.fromkeys(columns, "") if blank else dict(zip(columns, cells, strict=True)),
                )


def _is_blank(cells: list[str]) -> bool:
    return not any(text and not text.isspace() for text in cells)


def _ragged(cells: list[str], columns: list[str]) -> str:
    count = f"{len(cells)} cell{'s' * (len(cells) != 1)}, the header has {len(columns)}"
    if len(cells) < len(columns):
        return f'{count}; nothing for "{cell(columns[len(cells)], 60)}"'
    beyond = cells[len(columns) :]
    if _is_blank(beyond):
        return f"{count}; the row ends in separators with nothing behind them: take them away, or name their columns"
    return f'{count}; too many from "{cell(beyond[0], 60)}" on (a separator that wants quotes?)'


def _explain(fault: csv.Error) -> str:
    if "unexpected end" in str(fault) or "field limit" in str(fault):
        return 'a quote (") is opened in this row and never closed'
    if "expected after" in str(fault):
        return 'a cell that begins with a quote (") goes on after the closing one; write quotes inside twice'
    return f"not a row of cells: {cell(fault)}"


def _form(dialect: Dialect) -> str:
    return "TSV" if dialect.separator == "\t" else "CSV"


def _reader(lines: _Lines, dialect: Dialect) -> CsvReader:
    csv.field_size_limit(LINE_LIMIT)
    return csv.reader(lines, delimiter=dialect.separator, strict=True)


class _TooLong(Exception):
    pass


class _Lines:
    """Text lines for csv.reader. A fault is kept, not raised: an iterator that raises would end the file."""

    def __init__(self, stream: BinaryIO, dialect: Dialect) -> None:
        self._text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
        self.number = 0
        self.fault: tuple[int, str] | None = None
        if dialect.sep_line:
            next(self, None)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LINE_LIMIT)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LINE_LIMIT:
            raise _TooLong
        if "\0" in line:
            self.fault = self.fault or (self.number, "a NUL byte; the file is damaged or not text")
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError as fault:
                byte = ord(line[fault.start]) - 0xDC00
                self.fault = self.fault or (
                    self.number,
                    f"not UTF-8 (byte 0x{byte:02x} at character {fault.start + 1}); {ENCODING_ADVICE}",
                )
        return line
