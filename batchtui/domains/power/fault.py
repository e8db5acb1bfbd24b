"""What is wrong with a scenario. A fault is the scenario's own: a further try would end the same."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from batchtui.errors import BadInput

Kind: TypeAlias = Literal[
    "bad_input", "missing_file", "not_converged", "islanded", "infeasible", "missing_extra"
]


class Fault(BadInput):
    """A scenario's fault: `kind`, `message` (without the place), and where: `file`, `line` (from 1) or None."""

    transient: ClassVar[bool] = False

    def __init__(
        self, kind: Kind, message: str, file: str | Path | None = None, line: int | None = None
    ) -> None:
        super().__init__(kind, message, file, line)  # all of them, so that it can be pickled
        self.kind: Kind = kind
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f", line {self.line}" if place else f"line {self.line}"
        return f"{place}: {self.message}" if place else self.message
