"""Which jobs of a batch a key is about: the marked ones, else all; and which of them stand on the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Job numbers in source order. `shown` are those of `meant` that no filter hides."""

    meant: Sequence[int]
    shown: Sequence[int]
    marked: bool = False

    @property
    def hides(self) -> bool:
        """Whether a filter hides some of what is meant, so that a person has to say which."""
        return len(self.shown) < len(self.meant)

    @property
    def word(self) -> str:
        """What all of them are: `marked`, or nothing where they are the batch's."""
        return "marked" if self.marked else ""

    def those(self, fits: Callable[[int], bool]) -> Scope:
        """The part of it that an act can do something to."""
        meant = [n for n in self.meant if fits(n)]
        shown = [n for n in self.shown if fits(n)] if self.hides else meant
        return Scope(meant, shown, self.marked)


def scope_of(total: int, listed: Sequence[int], marked: set[int]) -> Scope:
    """Of a list of jobs that shows `listed` of the numbers below `total`."""
    if not marked:
        return Scope(range(total), range(total) if len(listed) == total else sorted(listed))
    here = set(listed)
    meant = sorted(marked)
    return Scope(meant, [n for n in meant if n in here], marked=True)
