"""MATPOWER's `.m` case files (version 2): the data tables, and the calculations that `matpower_idioms` knows.

Any other calculation is refused with its line. Fields of the case that a power flow does not use are passed over.
Format: MATPOWER User's Manual, appendix B.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case, checked, notes_of, shown
from batchtui.domains.power.readers.matlab_numbers import number_of
from batchtui.domains.power.readers.matpower_idioms import Idioms
from batchtui.errors import nearest

_FUNCTION: Final = re.compile(r"function\s+(?:(\w+)\s*=\s*)?\w+\s*(?:\([\w\s,~]*\))?\s*;?$")
_FIELD: Final = re.compile(r"(\w+)\.(\w+)([^\w=][^=]*)?=(?!=)\s*(.*)$")
_LONGEST: Final = 10_000
"""Characters of a statement outside the tables."""
_TABLES: Final = ("bus", "gen", "branch", "gencost")
_USED: Final = (*_TABLES, "baseMVA", "version")
_QUOTED: Final = re.compile(r"'(?:[^'\n]|'')*'|\"(?:[^\"\n]|\"\")*\"")
_COMMENT: Final = re.compile(r"(\.\.\.)|[%#]")
"""What begins a comment; behind three dots, which stay, stands one as well."""
_SILENT: Final = frozenset({"end", "endfunction", "return", "1", "clc", "clear"})


def read_matpower(path: str | Path, text: str) -> Case:
    """The case that the file's text describes. Raises Fault (bad_input) with file and line."""
    reader = _Reader(path)
    for number, line in enumerate(text.split("\n"), 1):
        reader.take(line, number)
    return reader.case()


class _Reader:
    """Takes a file line by line: outside, in a table, in a field that is passed over, or in a block comment."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._struct = "mpc"
        self._tables: dict[str, list[list[float]]] = {}
        self._lines: dict[str, list[int]] = {}
        self._values: dict[str, str] = {}
        self._idioms = Idioms(self._tables, self._values)
        self._passed: dict[str, bool] = {}  # fields that are not used, and whether there is anything in them
        self._open = ""  # the table that is read
        self._passing = ""  # the field that is passed over
        self._depth = 0  # of brackets in it
        self._since = 0
        self._comments = 0
        self._begun = ""  # a statement that goes on in the next line
        self._row: list[float] = []  # the beginning of a row that does
        self._number = 0

    def take(self, line: str, number: int) -> None:
        self._number = number
        bare = line.strip()
        if bare in ("%{", "#{"):
            self._comments += 1
        elif self._comments:
            self._comments -= bare in ("%}", "#}")
        elif self._open:
            self._rows(_without_comment(bare))
        elif self._passing:
            self._pass(bare)
        else:
            self._statement(bare)

    def case(self) -> Case:
        """What was read. Raises Fault where the file ends too early or lacks a table."""
        unended = f"table {self._open}" if self._open else self._passing or (self._idioms.skipping and "if")
        if unended:
            raise Fault("bad_input", f"{unended} has no end; is the file cut?", self._path, self._since)
        for name in ("bus", "gen", "branch"):
            if name not in self._tables:
                near = nearest(name, self._tables.keys() | self._values.keys() | self._passed.keys())
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
        case = checked(self._tables, base, self._path, self._lines)
        case.notes += notes_of(name for name, full in self._passed.items() if full)
        return case

    def _statement(self, bare: str) -> None:
        bare, self._begun = self._begun + bare, ""
        while bare and bare[0] not in "%#":
            if self._idioms.skipping:
                self._idiom(bare)
                return
            found = _FIELD.match(bare)
            if found is None or (found.group(2) in _USED and (found.group(3) or "").strip()):
                bare = self._bare_statement(bare)
                continue
            struct, name, _, rest = found.groups()
            if struct != self._struct:
                raise self._fault(f"{shown(struct)} is not the case, which is called {self._struct}")
            if name not in _USED:
                self._passing, self._since, self._depth = name, self._number, 0
                self._passed.setdefault(name, False)
                self._pass(rest)
                return
            if rest.startswith("[") and name in _TABLES:
                self._open, self._since = name, self._number
                self._tables[name], self._lines[name] = [], []
                self._rows(_without_comment(rest[1:]))
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
            try:
                number = self._idioms.number(value.strip())
            except ValueError:
                raise self._calculation(value.strip()) from None
            value = value.strip() if name == "version" else repr(number)
        self._values[name] = value
        return rest.lstrip("; \t")

    def _bare_statement(self, bare: str) -> str:
        """Take one statement; what follows it in the line. One that goes on in the next line is kept for then."""
        bare = _without_comment(bare)
        if bare.endswith("...") and len(bare) < _LONGEST:
            self._begun = bare.removesuffix("...") + " "
            return ""
        statement, _, rest = bare.partition(";")
        statement = statement.strip()
        function = _FUNCTION.match(statement)
        if function is not None:
            self._struct = function.group(1) or self._struct
        elif re.match(r"function\s*\[", statement):
            raise self._fault("is a case of version 1; convert it with MATPOWER's savecase")
        elif statement and statement not in _SILENT:
            self._idiom(statement)
        return rest.strip()

    def _idiom(self, statement: str) -> None:
        try:
            if self._idioms.skipping:
                self._idioms.skip(_without_comment(statement))
            else:
                self._since = self._number
                self._idioms.take(statement, self._struct)
        except ValueError:
            raise self._calculation(statement) from None

    def _pass(self, bare: str) -> None:
        """Go on past the field that is not used, up to where its brackets are closed."""
        bare = _without_comment(_QUOTED.sub("x", bare))
        for place, mark in enumerate(bare):
            if mark in "[{(":
                self._depth += 1
            elif mark in ")}]":
                self._depth -= 1
            elif mark == ";" and self._depth <= 0:
                self._passing = ""
                self._statement(bare[place + 1 :].strip())
                return
            elif not mark.isspace() and mark not in ",;.":
                self._passed[self._passing] = True
        if self._depth <= 0 and not bare.endswith("..."):
            self._passing = ""

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
                self._row.append(self._fraction(word))

    def _fraction(self, word: str) -> float:
        try:
            return number_of(word)
        except ValueError:
            raise self._fault(f"{shown(word)} in table {self._open} is no number") from None

    def _after(self, rest: str) -> None:
        rest = rest.strip()
        if rest and not rest.startswith(";"):
            raise self._calculation(rest)
        self._statement(rest.lstrip("; \t"))

    def _calculation(self, text: str) -> Fault:
        return self._fault(
            f"{shown(text)} is no table of numbers; such calculations are not run: let MATPOWER write the case out "
            "(savecase)"
        )

    def _fault(self, message: str) -> Fault:
        return Fault("bad_input", message, self._path, self._number)


def _without_comment(line: str) -> str:
    found = _COMMENT.search(line)
    return line[: found.end(1) if found[1] else found.start()].rstrip() if found else line
