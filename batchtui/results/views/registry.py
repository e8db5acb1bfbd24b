"""What a batch can be looked at as: every family of views says what it has for it.

A family is a module with `names(folder)` and `build(folder, name, options)`; it is imported when it is asked. The
first family that offers a name builds it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Protocol, cast

from batchtui.catalog import domains
from batchtui.errors import NotFound, nearest
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import View
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

GENERIC = "batchtui.results.views.generic"
"""What has something for every batch; it comes after the views of domains."""


class Family(Protocol):
    """What such a module has; all raise BatchtuiError. It may also have `names_of_two` and `build_of_two`."""

    def names(self, folder: BatchFolder) -> list[tuple[str, str]]:
        """(name, title) of what there is for this batch, the most telling first."""

    def build(self, folder: BatchFolder, name: str, options: Options) -> View: ...


class ComparingFamily(Protocol):
    """The same for two batches over the same jobs: the second less the first."""

    def names_of_two(self, first: BatchFolder, second: BatchFolder) -> list[tuple[str, str]]: ...

    def build_of_two(self, first: BatchFolder, second: BatchFolder, name: str, options: Options) -> View: ...


def names(folder: BatchFolder) -> list[tuple[str, str]]:
    """(name, title) of every view that this batch has. Raises BatchtuiError; reads a little: call it in a thread."""
    return _once(offer for family in _families() for offer in family.names(folder))


def build(folder: BatchFolder, name: str, options: Options | None = None) -> View:
    """Read what the view shows; slow, so call it in a thread.

    Raises NotFound for a view that this batch has not, BadInput for a column that is none, StoreDamaged.
    """
    known: list[str] = []
    for family in _families():
        offered = [offer for offer, _ in family.names(folder)]
        if name in offered:
            return family.build(folder, name, options or Options())
        known += offered
    raise _unknown(f"batch {folder.id}", name, known)


def names_of_two(first: BatchFolder, second: BatchFolder) -> list[tuple[str, str]]:
    """(name, title) of every way to compare the two, the general one first. Raises BatchtuiError; call it in a thread."""
    return _once(offer for family in reversed(_comparing()) for offer in family.names_of_two(first, second))


def build_of_two(first: BatchFolder, second: BatchFolder, name: str, options: Options | None = None) -> View:
    """One comparison; slow, so call it in a thread. Raises as `build` does."""
    known: list[str] = []
    for family in _comparing():
        offered = [offer for offer, _ in family.names_of_two(first, second)]
        if name in offered:
            return family.build_of_two(first, second, name, options or Options())
        known += offered
    raise _unknown(f"batches {first.id} and {second.id}", name, known)


def _unknown(where: str, name: str, known: list[str]) -> NotFound:
    hint = nearest(name, known) or f"; there is {', '.join(dict.fromkeys(known))}"
    return NotFound(f'{where}: no view "{cell(name, 60)}"{hint}')


def _once(offers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the later ones of a name."""
    found: dict[str, str] = {}
    for name, title in offers:
        found.setdefault(name, title)
    return list(found.items())


def _families() -> list[Family]:
    modules = [*(module for domain in domains() for module in domain.views), GENERIC]
    return [cast(Family, importlib.import_module(module)) for module in modules]


def _comparing() -> list[ComparingFamily]:
    return [cast(ComparingFamily, family) for family in _families() if hasattr(family, "names_of_two")]
