"""A JSON document read piece by piece, so that every piece of it has its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchtui.model import Json, Problem
from batchtui.sources.inputs import BOM, Input, encoding_fault
from batchtui.sources.json_forms.strict_json import NotJson, StrictDecoder

DOCUMENT_LIMIT = 64 * 1024 * 1024
"""Bytes of a document, which is held in memory whole; JSON Lines has no limit."""
_SPACE = re.compile(r"[ \t\r\n]*")


class Damaged(Exception):
    """A document that cannot be read as text; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def document(source: Input) -> str:
    """The whole text of a source. Raises Damaged, and READ_FAULTS."""
    with source.open() as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        message = f"more than {DOCUMENT_LIMIT >> 20} MB of JSON; bring it as JSON Lines"
        raise Damaged(Problem(file=source.name, message=message))
    raw = raw.removeprefix(BOM)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise Damaged(Problem(file=source.name, line=line, message=encoding_fault(fault))) from None


class JsonReader:
    """Stands at a place in the text, `at`; every method goes on from there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = after_space(text, 0)
        self._decoder = StrictDecoder()
        self._counted, self._line = 0, 1

    @property
    def empty(self) -> bool:
        return self.at == len(self.text)

    @property
    def line(self) -> int:
        return self.line_of(self.at)

    def line_of(self, place: int) -> int:
        """The line of a place; each stretch is counted once while places come in order."""
        if place < self._counted:
            self._counted, self._line = 0, 1
        self._line += self.text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def opens(self, bracket: str) -> bool:
        """Whether a list `[` or an object `{` starts here."""
        return self.text.startswith(bracket, self.at)

    def value(self) -> Json:
        """The value that starts here. Raises NotJson, behind the value where its end is known."""
        try:
            value, end = self._decoder.decode(self.text, self.at)
        except NotJson as fault:
            if fault.end is not None:
                self._go_to(fault.end)
            raise
        self._go_to(end)
        return value

    def elements(self) -> Iterator[None]:
        """Stands before each element of the list that starts here; who iterates takes it. Raises NotJson."""
        self._go_to(self.at + 1)
        if self._skipped("]"):
            return
        while True:
            yield
            if self._skipped("]"):
                return
            if not self._skipped(","):
                raise NotJson('not JSON: expected "," or "]" after an element of the array', self.at)

    def members(self) -> Iterator[str]:
        """Each key of the object that starts here, standing before its value; who iterates takes that. Raises NotJson."""
        self._go_to(self.at + 1)
        if self._skipped("}"):
            return
        while True:
            key = self.value() if self.opens('"') else None
            if not isinstance(key, str) or not self._skipped(":"):
                raise NotJson("not JSON: expected a key in quotes and a colon", self.at)
            yield key
            if self._skipped("}"):
                return
            if not self._skipped(","):
                raise NotJson('not JSON: expected "," or "}" after a value of the object', self.at)

    def end(self) -> None:
        """Raises NotJson where more than space follows."""
        if not self.empty:
            raise NotJson("not JSON: more text after the end", self.at)

    def _skipped(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self._go_to(self.at + 1)
        return True

    def _go_to(self, place: int) -> None:
        self.at = after_space(self.text, place)


def after_space(text: str, at: int) -> int:
    """The first place from `at` on that is no space of JSON."""
    match = _SPACE.match(text, at)
    return match.end() if match else at
