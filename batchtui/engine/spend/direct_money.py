"""What the direct jobs of one batch hold of its money: a block that is reserved for many at a time, and each job's share."""

from __future__ import annotations

from batchtui.engine.context import BatchContext


class DirectMoney:
    """All amounts are billionths of a dollar."""

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self._shares: dict[int, int] = {}
        self.flying = 0
        """The sum of the shares: what direct jobs in flight may cost."""
        self.block = 0
        self._total = 0
        """What the stored rows had cost when the block was reserved."""

    def reserved(self, block: int, total: int) -> None:
        """There is this block, reserved when the stored rows had cost so much."""
        self.block, self._total = block, total

    def left(self) -> int:
        """What is left of the block."""
        unsettled = self._context.progress.cost_nano - self._total
        return self.block - max(0, unsettled) - self.flying

    def take(self, n: int, amount: int) -> None:
        """A job starts."""
        self._shares[n] = amount
        self.flying += amount

    def give_back(self, n: int) -> None:
        """The job is over; what it cost is in the stored rows."""
        self.flying -= self._shares.pop(n, 0)

    def is_over(self) -> bool:
        """Whether the block is not needed any more, such as one that an earlier run left."""
        if self._shares:
            return False
        context = self._context
        return not self.block or context.stopping or context.lanes is None or context.lanes.in_flight == 0

    def drop(self) -> None:
        self.block = 0

    def close(self) -> None:
        self._shares.clear()
        self.flying = self.block = 0
