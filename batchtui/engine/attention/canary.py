"""A canary: the first jobs of a batch go ahead, and the rest wait until a person has read what came back."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.model import JOB_STATES
from batchtui.store.fold.progress import PENDING, PROCESSING

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

RELEASE, CANCEL = "release", "cancel"


class Canary:
    """Holds back every job behind the first `limits.canary` of a batch. What was decided is in the header."""

    def __init__(self, context: BatchContext) -> None:
        self._context = context

    @property
    def _size(self) -> int | None:
        """How many jobs go ahead; None where nothing is held back."""
        header = self._context.folder.header
        size = header.spec.limits.canary
        if header.released or header.growing or header.seeds or size is None or size >= header.total:
            return None
        return size

    def ahead(self, numbers: list[int]) -> list[int]:
        """Those of the jobs (ascending) that may be sent before the rest is released."""
        size = self._size
        return numbers if size is None else numbers[: bisect_left(numbers, size)]

    def watch(self) -> None:
        """Needs a person once every job of the canary has its last word; not while some of them run again."""
        context, size = self._context, self._size
        known = ("canary", None) in context.progress.attention
        header = context.folder.header
        if size is None or header.cancelling or header.stopping:
            if known:
                context.settle_attention("canary")
            return
        states = context.progress.states[:size]
        waits = not states.count(PENDING) and not states.count(PROCESSING)
        if waits and not known:
            context.writer.record(
                "attention", kind="canary", text=self._said(states), actions=[RELEASE, CANCEL]
            )
            context.log("info", self._said(states))
        elif known and not waits:
            context.settle_attention("canary")

    def _said(self, states: bytearray) -> str:
        counts = (
            f"{states.count(code)} {state}" for code, state in enumerate(JOB_STATES) if states.count(code)
        )
        rest = self._context.progress.states.count(PENDING)
        wait = "waits" if rest == 1 else "wait"
        return (
            f"the canary of {len(states):,} is back: {', '.join(counts)}; "
            f"{counted(rest, 'job')} {wait} for its release: batchtui resolve {self._context.folder.id} {RELEASE}"
        )

    def release(self) -> None:
        """Let the rest go."""
        context = self._context
        context.folder.header.released = True
        context.writer.save_header()
        context.settle_attention("canary")
        if context.lanes:
            context.lanes.offer(context.progress.numbers(JOB_STATES[PENDING]))
