"""The money of direct jobs: reserved for many at a time, so that one write to the disk serves them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.engine.spend.spending import DIRECT, Ask, Refusal
from batchtui.prices import nano

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext
    from batchtui.engine.spend.budget import Budget

BLOCK_JOBS = 256


class Blocks:
    """Weighs every direct job before it starts. All methods belong to the worker's loop."""

    def __init__(self, context: BatchContext, budget: Budget) -> None:
        self._context, self._budget, self._money = context, budget, budget.direct

    def take(self, n: int) -> bool:
        """Take the money for a job that starts now; False where it has to wait. `give_back` ends it."""
        budget = self._budget
        share = budget.share([n])
        if share is None and not budget.may_go_unknown():
            return False
        amount = nano(share or 0.0)
        if refusal := budget.over_limit(amount):
            budget.refuse(DIRECT, refusal)
            return False
        if amount and self._money.left() < amount:
            self._ask(amount)
            return False
        self._money.take(n, amount)
        budget.granted(DIRECT)
        left = self._money.left()
        if amount and left < self._money.block // 4 and self._room(amount) - left > self._money.block // 4:
            self._ask(amount)  # ahead of the need
        return True

    def give_back(self, n: int) -> None:
        """The job is over; what it cost is in the stored rows."""
        self._money.give_back(n)

    def _room(self, amount: int) -> int:
        """What a new block could hold beside what is in flight."""
        most, left = BLOCK_JOBS * amount, self._budget.left
        return most if left is None else min(most, left)

    def _ask(self, amount: int) -> None:
        if not self._budget.claims.busy and self._budget.may_try(DIRECT):
            self._budget.claims.start(self._new_block(amount))

    async def _new_block(self, amount: int) -> None:
        total = 0

        def ask() -> Ask | None:
            nonlocal total
            total, room = self._context.progress.cost_nano, self._room(amount)
            if room < amount:
                return None
            return Ask(
                self._context.folder.id, DIRECT, self._money.flying + amount, total, self._money.flying + room
            )

        answer = await self._budget.claims.reserve(DIRECT, ask)
        if isinstance(answer, Refusal):
            self._budget.refuse(DIRECT, answer)
        elif answer is not None:
            self._money.reserved(answer, total)
            self._budget.granted(DIRECT)
