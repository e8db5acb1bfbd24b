"""What spoils a source as a whole, its place apart from the words."""

from __future__ import annotations

from batchtui.errors import BadInput
from batchtui.text import cell


class BadSource(BadInput):
    """A source that cannot be used; `message` says why and `file`, `line` and `key` say where.

    As a text it says all of it; who lists problems takes the parts, so that no file is named twice.
    """

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        self.file = None if file is None else cell(file)
        self.message, self.line, self.key = message, line, key
        place = ":".join(str(part) for part in (self.file, line) if part is not None)
        super().__init__(": ".join(part for part in (place, key, message) if part))
