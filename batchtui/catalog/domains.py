"""All domains: a folder of `domains` with a `domain.py`, and what packages name in the entry-point group `batchtui.domains`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from batchtui.catalog.domain import Domain

GROUP = "batchtui.domains"
FOLDER = Path(__file__).parents[1] / "domains"


class Found(NamedTuple):
    """The domains, ours first, and what is wrong with those that cannot be loaded: (name, reason)."""

    domains: tuple[Domain, ...]
    broken: tuple[tuple[str, str], ...]


def domains() -> tuple[Domain, ...]:
    """Every domain that can be loaded, ours first, in the order of their names."""
    return found().domains


@cache
def found() -> Found:
    """Reads the names of installed packages, once: a few milliseconds that a start does not need."""
    from importlib.metadata import entry_points

    own = [import_module(f"batchtui.domains.{name}.domain").DOMAIN for name in own_names()]
    names, others, broken = {domain.name for domain in own}, [], []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            domain = entry.load()
            if not isinstance(domain, Domain):
                raise TypeError(f"{entry.value} is no batchtui.catalog.Domain")
        except (Exception, SystemExit) as fault:  # a package may fail in any way
            broken.append((entry.name, f"{type(fault).__name__}: {fault}"))
            continue
        if domain.name not in names:
            others.append(domain)
            names.add(domain.name)
    return Found((*own, *others), tuple(broken))


def own_names() -> list[str]:
    """The names of the folders."""
    return sorted(path.parent.name for path in FOLDER.glob("*/domain.py"))


def tasks() -> tuple[str, ...]:
    """Every word that `task = …` may be."""
    return tuple(task for domain in domains() for task in domain.tasks)


def domain_of(task: str) -> Domain | None:
    """The domain that does a task."""
    return next((domain for domain in domains() if task in domain.tasks), None)
