from __future__ import annotations

from collections.abc import Callable

from batchtui.model import Problem, Row
from batchtui.sources.source import Source

Write = Callable[..., Source]


def rows_of(source: Source) -> list[Row]:
    return [item for item in source.rows() if isinstance(item, Row)]


def problems_of(source: Source) -> list[Problem]:
    return [item for item in source.rows() if isinstance(item, Problem)]
