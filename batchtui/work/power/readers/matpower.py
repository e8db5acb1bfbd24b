"""MATPOWER's `.m` case files (version 2): the data tables. Nothing is evaluated; a calculation is refused.

Format: MATPOWER User's Manual, appendix B.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from batchtui.errors import nearest
from batchtui.work.power.case import Case, checked, shown
from batchtui.work.power.fault import Fault

_FUNCTION: Final = re.compile(r"function\s+(?:(\w+)\s*=\s*)?\w+\s*(?:\(\s*\))?\s*;?$")
_ASSIGNMENT: Final = re.compile(r"(\w+)\.(\w+)\s*=\s*(.*)$")
_QUOTED: Final = re.compile(r"'(?:[^'\n]|'')*'|\"(?:[^\"\n]|\"\")*\"")
_COMMENT: Final = re.compile(r"[%#]")
_SILENT: Final = frozenset({"end", "end;", "endfunction", "return", "return;", ";", "1;"})


def read_matpower(path: str | Path, text: str) -> Case:
    """The case that the file's text describes. Raises Fault (bad_input) with file and line."""
    reader = _Reader(path)
    for number, line in enumerate(text.split("\n"), 1):
        reader.take(line, number)
    return reader.case()


class _Reader:
    """Takes a file line by line: outside, in a table, in a cell array, or in a block comment."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._struct = "mpc"
        self._tables: dict[str, list[list[float]]] = {}
        self._lines: dict[str, list[int]] = {}
        self._values: dict[str, str] = {}
        self._open = ""  # the table that is read, or "{" for a cell array
        self._since = 0
        self._comments = 0
        self._row: list[float] = []  # the beginning of a row that goes on in the next line
        self._number = 0

    def take(self, line: str, number: int) -> None:
        self._number = number
        bare = line.strip()
        if bare in ("%{", "#{"):
            self._comments += 1
        elif self._comments:
            self._comments -= bare in ("%}", "#}")
        elif self._open == "{":
            self._cells(_without_comment(_QUOTED.sub("''", bare)))
        elif self._open:
            self._rows(_without_comment(bare))
        else:
            self._statement(bare)

    def case(self) -> Case:
        """What was read. Raises Fault where the file ends too early or lacks a table."""
        if self._open:
            what = "a list of names" if self._open == "{" else f"table {self._open}"
            raise Fault("bad_input", f"{what} has no end; is the file cut?", self._path, self._since)
        for name in ("bus", "gen", "branch"):
            if name not in self._tables:
                near = nearest(name, self._tables.keys() | self._values.keys())
                hint = near or "; is it a MATPOWER case, and whole?"
                raise Fault("bad_input", f"there is no {self._struct}.{name}{hint}", self._path)
        if self._values.get("version", "2") != "2":
            raise Fault(
                "bad_input", "is no case of version 2; convert it with MATPOWER's savecase", self._path
            )
        try:
            base = float(self._values["baseMVA"])
        except (KeyError, ValueError):
            raise Fault("bad_input", f"{self._struct}.baseMVA is missing or no number", self._path) from None
        return checked(self._tables, base, self._path, self._lines)

    def _statement(self, bare: str) -> None:
        while bare and bare[0] not in "%#":
            found = _ASSIGNMENT.match(bare)
            if found is None:
                self._bare_statement(_without_comment(bare))
                return
            struct, name, rest = found.groups()
            if struct != self._struct:
                raise self._fault(f"{shown(struct)} is not the case, which is called {self._struct}")
            if rest.startswith("["):
                self._open, self._since = name, self._number
                self._tables[name], self._lines[name] = [], []
                self._rows(_without_comment(rest[1:]))
                return
            if rest.startswith("{"):
                self._open, self._since = "{", self._number
                self._cells(_without_comment(_QUOTED.sub("''", rest[1:])))
                return
            bare = self._value(name, rest)

    def _value(self, name: str, rest: str) -> str:
        """Keep a single value; what follows it in the line."""
        quoted = _QUOTED.match(rest)
        if quoted is not None:
            value, rest = quoted.group()[1:-1], rest[quoted.end() :].lstrip()
        else:
            value, mark, rest = _without_comment(rest).partition(";")
            rest = mark + rest
            value = value.strip()
            try:
                float(value)
            except ValueError:
                raise self._calculation(value) from None
        self._values[name] = value
        return rest.lstrip("; \t")

    def _bare_statement(self, bare: str) -> None:
        if not bare or bare in _SILENT:
            return
        function = _FUNCTION.match(bare)
        if function is not None:
            self._struct = function.group(1) or self._struct
        elif re.match(r"function\s*\[", bare):
            raise self._fault("is a case of version 1; convert it with MATPOWER's savecase")
        else:
            raise self._calculation(bare)

    def _rows(self, bare: str) -> None:
        """Rows of the open table, up to its end where this line has it."""
        body, end, rest = bare.partition("]")
        pieces = body.split(";")
        for place, piece in enumerate(pieces):
            last = place == len(pieces) - 1
            goes_on = last and piece.rstrip().endswith("...")
            self._numbers(piece.rstrip().removesuffix("...") if goes_on else piece)
            if self._row and not goes_on:
                self._tables[self._open].append(self._row)
                self._lines[self._open].append(self._number)
                self._row = []
        if end:
            self._open = ""
            self._after(rest)

    def _numbers(self, piece: str) -> None:
        for word in piece.replace(",", " ").split():
            try:
                if "_" in word:
                    raise ValueError(word)
                self._row.append(float(word))
            except ValueError:
                raise self._fault(f"{shown(word)} in table {self._open} is no number") from None

    def _cells(self, bare: str) -> None:
        _, end, rest = bare.partition("}")
        if end:
            self._open = ""
            self._after(rest)

    def _after(self, rest: str) -> None:
        rest = rest.strip()
        if rest and not rest.startswith(";"):
            raise self._calculation(rest)
        self._statement(rest.lstrip("; \t"))

    def _calculation(self, text: str) -> Fault:
        return self._fault(
            f"{shown(text)} is no table of numbers; calculations are not run: let MATPOWER write the case out "
            "(savecase)"
        )

    def _fault(self, message: str) -> Fault:
        return Fault("bad_input", message, self._path, self._number)


def _without_comment(line: str) -> str:
    found = _COMMENT.search(line)
    return line[: found.start()].rstrip() if found else line
