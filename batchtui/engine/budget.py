"""The batch's cost limit: what is spent and what is in flight, together, never pass it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from batchtui.model import JobState, SubmissionState
from batchtui.store.progress import NANO

if TYPE_CHECKING:
    from batchtui.engine.driver import Driver


class Budget:
    """Weighs every submission and every direct job against `limits.cost_usd` before it is sent."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._held = False

    @property
    def _limit(self) -> float | None:
        return self._driver.folder.header.spec.limits.cost_usd

    def share(self, numbers: Iterable[int]) -> float | None:
        """The most that these jobs may cost, by their tokens; None where the price is unknown."""
        header = self._driver.folder.header
        if header.estimated_usd is None:
            return None
        model = header.template.get("model")
        total = 0.0
        for n in numbers:
            tokens = self._driver.folder.jobs.record(n).tokens
            backend = self._driver.services.backends.get(header.backend)
            upper = self._driver.services.pricing.of_tokens(model, tokens, batch=backend.remote)
            # Where jobs name models of their own, an even share of the batch's estimate stands in.
            total += upper if upper is not None else header.estimated_usd / max(1, header.total)
        return total

    def committed(self) -> float:
        """USD spent and in flight."""
        progress = self._driver.progress
        spent = progress.cost_nano / NANO
        for record in progress.submissions.values():
            if record.state not in (SubmissionState.COLLECTED, SubmissionState.WAITING):
                spent += max(0.0, (record.estimated_usd or 0.0) - record.cost_nano / NANO)
        if not progress.submissions:
            spent += self.share(progress.numbers(JobState.PROCESSING)) or 0.0
        return spent

    def can_pay_job(self, n: int) -> bool:
        return self._limit is None or self.can_pay(self.share([n]))

    def can_pay(self, estimate: float | None) -> bool:
        if self._limit is None:
            return True
        fits = estimate is not None and self.committed() + estimate <= self._limit + 1e-9
        self._held = not fits
        return fits

    def watch(self) -> None:
        """Needs a person once the budget holds jobs back and nothing in flight can free any."""
        driver = self._driver
        waits = (
            self._held
            and driver.lane is not None
            and driver.lane.idle
            and driver.progress.count(JobState.PENDING)
        )
        known = ("budget", None) in driver.progress.attention
        if waits and not known:
            driver.writer.record(
                "attention",
                kind="budget",
                text=f"the cost limit of {self._limit:.2f} USD holds back "
                f"{driver.progress.count(JobState.PENDING):,} jobs; raise it: batchtui limit {driver.folder.id} cost_usd=…",
                actions=["limit"],
            )
        elif known and not self._held:
            driver.settle_attention("budget")

    def forget(self) -> None:
        """The limit changed: weigh anew."""
        self._held = False
