"""Whether the wall clock was set while a batch runs: what only such a jump would end is asked about, never ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from batchtui.store.disk import clock

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

JUMP_SECONDS = 10.0
"""What the two clocks may differ by between two looks, which lie half a second apart."""
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


class Jumps:
    """Keeps the deadline where the time that really passed puts it.

    While batchtui is closed the wall clock counts, as far as it is not behind what the journal was last written at.
    """

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self._wall, self._steady = time.time(), clock.steady()
        last = context.progress.last_time
        if last and clock.unix(last) - self._wall > JUMP_SECONDS:
            self._wall = clock.unix(last)

    def look(self) -> float:
        """The time now, once it was taken in what happened to the clock since the last look. Raises StoreFull."""
        context, header = self._context, self._context.folder.header
        wall, steady = time.time(), clock.steady()
        jump = (wall - self._wall) - (steady - self._steady)
        if abs(jump) > JUMP_SECONDS and context.progress.started:
            deadline = context.folder.deadline()
            if deadline and wall >= deadline > wall - jump and not header.stopping and not header.cancelling:
                self._ask(jump)
            header.clock_shift = round(header.clock_shift + jump, 3)
            self._wall, self._steady = wall, steady
            context.writer.save_header()
            context.log(
                "warning",
                f"the clock of this machine was set {_told(jump)}; limits go by the time that passed",
            )
            if abs(header.clock_shift) < JUMP_SECONDS:
                context.settle_attention("clock")
        self._wall, self._steady = wall, steady
        return wall

    def _ask(self, jump: float) -> None:
        context = self._context
        if ("clock", None) in context.progress.attention:
            return
        text = (
            f"the clock of this machine was set {_told(jump)}: by it the time limit is over, by the time that really "
            f"passed it is not; nothing was ended, and nothing more is sent: batchtui resume {context.folder.id} goes on "
            f"with the time that is left, batchtui cancel {context.folder.id} ends it"
        )
        context.writer.record("attention", kind="clock", text=text, actions=["resume", "cancel"])
        context.log("error", text)


def _told(jump: float) -> str:
    size = abs(jump)
    seconds, unit = next(((seconds, unit) for seconds, unit in _UNITS if size >= 2 * seconds), (1, "seconds"))
    return f"{'forward' if jump > 0 else 'back'} by {size / seconds:.0f} {unit}"
