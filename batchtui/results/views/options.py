"""What a person asks of a view beside its name. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`jobs` are the ids a view is about: none for the whole batch, two to compare them side by side.

    `x` and `y` name the columns that are drawn; None leaves the choice to the view.
    """

    jobs: tuple[str, ...] = ()
    x: str | None = None
    y: str | None = None
    row: str | None = None
    """What one row of another view is about, as that view names it (`View.opens`)."""
    among: frozenset[str] | None = None
    """The ids of the only jobs that a view of the batch reads; None for all."""
