"""Why a wait for a task ends before the task does."""

from __future__ import annotations


class Leave(Exception):
    """Slurm wants the node back, or the element's time is up: what has no result runs elsewhere, or never."""


class Cancelled(Exception):
    """The task under way was cancelled."""


class Overdue(Exception):
    """The task under way had its time."""
