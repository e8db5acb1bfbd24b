"""Tasks before they run, as their domains see them: what will fail, what is missing, what they take."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from batchtui.catalog import domain_of
from batchtui.work.job import ProgramWork


class TaskChecks(Protocol):
    """What the `checks` module of a domain has; a fault is a (key, message)."""

    def notices(self, work: ProgramWork) -> list[tuple[str, str]]:
        """Faults that show without solving; the message names file and line."""

    def missing(self, work: ProgramWork) -> list[tuple[str, str]]:
        """What this machine lacks to do the task."""

    def libraries(self, work: ProgramWork) -> tuple[str, ...]:
        """Modules that it takes where it is done."""


def task_notices(work: ProgramWork) -> list[tuple[str, str]]:
    """Faults by which a job will fail, while the others are done. Empty for other work than tasks."""
    checks = _checks_of(work)
    return checks.notices(work) if checks else []


def missing_libraries(work: ProgramWork) -> list[tuple[str, str]]:
    """(key, message) where this machine cannot do the task."""
    checks = _checks_of(work)
    return checks.missing(work) if checks else []


def libraries(work: ProgramWork) -> tuple[str, ...]:
    """Modules that the task takes where it is done."""
    checks = _checks_of(work)
    return checks.libraries(work) if checks else ()


def _checks_of(work: ProgramWork) -> TaskChecks | None:
    domain = domain_of(work.task) if work.task else None
    return cast(TaskChecks, import_module(domain.checks)) if domain and domain.checks else None
