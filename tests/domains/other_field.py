"""A domain as a package of somebody else has it: one task, what is told of it, one family of views."""

from __future__ import annotations

from batchtui.catalog import Domain
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Table, View
from batchtui.store.folder import BatchFolder
from batchtui.work.job import ProgramWork

DOMAIN = Domain(
    name="words", tasks=("count",), solver=f"{__name__}:count", checks=__name__, views=(__name__,)
)


def notices(work: ProgramWork) -> list[tuple[str, str]]:
    return [("grid", f"{work.grid} is looked at")]


def missing(work: ProgramWork) -> list[tuple[str, str]]:
    return [("task", "a library of words is missing")]


def libraries(work: ProgramWork) -> tuple[str, ...]:
    return ("words",)


def names(folder: BatchFolder) -> list[tuple[str, str]]:
    return [("words", "Words")]


def build(folder: BatchFolder, name: str, options: Options) -> View:
    return View("words", "Words", Table((), []))
