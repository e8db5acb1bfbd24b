"""One batch's money: what is spent and what is in flight, together, never pass its limit nor the day's.

What a submission or a block of direct jobs may cost at most is reserved before it is sent, on the disk where all
processes see it, and settled by what the stored rows say once it is over.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from batchtui.amounts import NANO
from batchtui.engine.plan.packing import Allowed
from batchtui.engine.spend.claims import Claims
from batchtui.engine.spend.direct_money import DirectMoney
from batchtui.engine.spend.pricing import ASSUMED_ANSWER
from batchtui.engine.spend.queues import queue_of
from batchtui.engine.spend.spending import DIRECT, Ask, Refusal, dollars
from batchtui.engine.spend.stuck import need as stuck_need
from batchtui.model import UNSENT, JobRecord, JobState, SubmissionState
from batchtui.prices import nano
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

UNKNOWN = ("price", "bound")
"""Kinds of attention: what a job costs at most is unknown, so that a limit cannot be kept."""
LOOK_AGAIN = 3.0
"""Seconds after which a refusal is weighed anew though nothing seems to have changed: a process may have died."""
_YIELD_EVERY = 500
_OVER = UNSENT | {SubmissionState.COLLECTED}


class Budget:
    """Weighs every submission and every direct job before it is sent. All methods belong to the worker's loop."""

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self.direct = DirectMoney(context)
        self.claims = Claims(context, self.direct, self._in_flight)
        self._reserving: dict[int, int] = {}
        self._refusals: dict[str, tuple[Refusal, object]] = {}
        self._day_left: int | None = None
        """What the day's limit had left when nothing was about to free any of it."""
        self._unknown = ("price", "", "")
        """What could not be weighed last: for want of a price or of a bound, on which backend, of which model."""
        self._looked = False
        self._over_told = False
        self._said: set[tuple[str, str]] = set()
        """What was logged already of what is held back; anew once the limits change."""

    # ---- what it may cost

    def share(self, numbers: Iterable[int]) -> float | None:
        """The most that these jobs may cost, by their tokens; None where that is unknown and a limit holds."""
        total: float | None = 0.0
        for n in numbers:
            total = _sum(total, self._upper(self._context.renderer.record(n)))
        return total

    def _upper(self, record: JobRecord) -> float | None:
        context = self._context
        backend = context.services.backends.get(context.renderer.backend_name(record))
        model = record.model or _static(context.folder.header.template.get("model"))
        pricing, sent = context.services.pricing, context.folder.header.answer_tokens
        if (upper := pricing.upper(backend, model, record, sent)) is not None:
            return upper
        assumed = pricing.assumed(backend, model, record)
        kind = "price" if assumed is None else "bound"
        self._unknown = (kind, backend.name, model or "a model without a name")
        return None if self._limited else assumed

    @property
    def allowed(self) -> Allowed | None:
        """What a submission may cost to be sent at all: more than the limits can have left never would be."""
        return Allowed(self._upper, self._most) if self._limited else None

    def _most(self) -> float:
        own = None if self._limit is None else self._limit - self._context.progress.cost_nano
        return min((most for most in (own, self._day_left) if most is not None), default=math.inf)

    def fewer(self, record: SubmissionRecord, refusal: Refusal) -> bool:
        """Whether fewer of these jobs could go now: nothing in flight will free what all of them need."""
        if refusal.kind not in ("batch", "day") or refusal.wait:
            return False
        if self._in_flight() or self._reserving or self.direct.flying:
            return False
        if record.attempted or record.seed is not None or ranges.count(record.jobs) == 1:
            return False
        least = self._upper(self._context.renderer.record(next(ranges.decode(record.jobs))))
        if least is None or nano(least) > refusal.left:
            return False
        self._day_left = refusal.left if refusal.kind == "day" else self._day_left
        return True

    async def _weigh(self, record: SubmissionRecord) -> tuple[float | None, int, str | None]:
        """The most that a submission may cost, the tokens that it asks, and its model."""
        cost: float | None = 0.0
        tokens, model = 0, None
        if record.seed is not None:  # its jobs are born there
            cost = self._upper(self._context.folder.header.seeds[record.seed])
        for count, n in enumerate(ranges.decode(record.jobs), 1):
            job = self._context.renderer.record(n)
            cost, tokens, model = _sum(cost, self._upper(job)), tokens + job.tokens[0], job.model
            if count % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        return cost, tokens, model

    # ---- what is committed

    @property
    def _limit(self) -> int | None:
        limit = self._context.folder.header.spec.limits.cost_usd
        return None if limit is None else round(limit * NANO)

    @property
    def left(self) -> int | None:
        """Billionths of a dollar that the batch's own limit leaves; None without one."""
        return None if self._limit is None else self._limit - self._committed()

    def _in_flight(self) -> Mapping[str, SubmissionRecord]:
        records = self._context.progress.submissions.values()
        return {str(record.id): record for record in records if record.state not in _OVER}

    def _committed(self) -> int:
        """Spent, in flight and about to be: billionths of a dollar."""
        progress = self._context.progress
        total = progress.cost_nano + self.direct.flying
        for record in progress.submissions.values():
            if record.state not in _OVER:
                total += max(0, nano(record.estimated_usd or 0.0) - record.cost_nano)
            elif record.id in self._reserving:
                total += self._reserving[record.id]
        return total

    def over_limit(self, amount: int) -> Refusal | None:
        """Why the batch's own limit does not allow this amount."""
        limit = self._limit
        if limit is None or (committed := self._committed()) + amount <= limit:
            return None
        text = (
            f"{dollars(amount)} more may be needed, and {dollars(committed)} of the batch's "
            f"{dollars(limit)} are spent or in flight"
        )
        return Refusal("batch", text, asked=amount, committed=committed, left=limit - committed)

    @property
    def _limited(self) -> bool:
        return self._limit is not None or self._context.services.spending.day_limit is not None

    def may_go_unknown(self) -> bool:
        """Whether a job may be sent of which nobody can tell what it costs at most; else a person is asked, once."""
        context, header = self._context, self._context.folder.header
        kind, backend, model = self._unknown
        if not self._limited or (kind == "price" and header.unpriced_agreed):
            return True
        if (kind, None) not in context.progress.attention:
            model = model[:80]
            untold = kind == "price" and context.services.backends.get(backend).untold_cost
            why, remedy = (
                (f"what jobs on {backend} cost is unknown", "send")
                if untold
                else (
                    f'the price of "{model}" on {backend} is unknown',
                    f'add [prices."{model}"] to the config, or send',
                )
                if kind == "price"
                else (
                    f'max_tokens is not set, and how long an answer of "{model}" on {backend} can be is unknown',
                    f'add max_output = … under [prices."{model}"] in the config, or send max_tokens = {ASSUMED_ANSWER:,} with',
                )
            )
            context.writer.record(
                "attention",
                kind=kind,
                text=f"{why}, so the cost limit cannot be kept; {remedy} it all the same: "
                f"batchtui resolve {context.folder.id} release",
                actions=["release", "cancel"],
            )
            context.log("warning", f"{why}: a person is asked")
        return False

    def agree(self) -> None:
        """A person lets jobs without a known price go, and those whose answers have no bound go with one."""
        header, attention = self._context.folder.header, self._context.progress.attention
        header.unpriced_agreed = header.unpriced_agreed or ("price", None) in attention
        if ("bound", None) in attention:
            header.answer_tokens = ASSUMED_ANSWER
        self._context.writer.save_header()
        self._context.settle_attention(*UNKNOWN)

    # ---- submissions

    async def reserve(self, record: SubmissionRecord) -> Refusal | None:
        """None once this submission's money and tokens are reserved, on the disk; else why it must wait.

        The caller ends the reserving with `reserved` when the intent is journaled, or was not. Raises StoreDamaged,
        StoreFull.
        """
        context, key = self._context, str(record.id)
        record.estimated_usd, tokens, model = await self._weigh(record)
        if record.estimated_usd is None and not self.may_go_unknown():
            kind: Literal["price", "bound"] = "price" if self._unknown[0] == "price" else "bound"
            return Refusal(kind, f"its {kind} is unknown")
        amount = nano(record.estimated_usd or 0.0)
        if refusal := self.over_limit(amount):
            return self.refuse(key, refusal)
        self._reserving[record.id] = amount
        if amount == 0 and not tokens:
            return None
        queue, size = queue_of(context.services.backends.get(record.backend), model)

        def ask() -> Ask:
            return Ask(context.folder.id, key, amount, context.progress.cost_nano, 0, queue, tokens)

        try:
            answer = await self.claims.reserve(key, ask, size)
        except BaseException:
            self.reserved(record)
            raise
        if isinstance(answer, Refusal):
            self.reserved(record)
            return self.refuse(key, answer)
        self.granted(key)
        return None

    def reserved(self, record: SubmissionRecord) -> None:
        self._reserving.pop(record.id, None)
        self.claims.reserved(str(record.id))

    # ---- refusals

    def may_try(self, key: str) -> bool:
        """Whether anything has changed since this was refused."""
        refused = self._refusals.get(key)
        return refused is None or refused[1] != self._moment()

    def refuse(self, key: str, refusal: Refusal) -> Refusal:
        if (key, refusal.kind) not in self._said:
            self._said.add((key, refusal.kind))
            self._context.log("info", f"waits for budget: {refusal.text}")
        for_another = refusal.kind == "batch" and self._reserving  # which may be refused yet
        self._refusals[key] = (refusal, None if for_another else self._moment())
        return refusal

    def granted(self, key: str) -> None:
        self._refusals.pop(key, None)
        self._day_left = None

    def forget(self) -> None:
        """The limit changed: weigh anew."""
        self._refusals.clear()
        self._said.clear()
        self._day_left = None

    def _moment(self) -> object:
        """Changes whenever a refusal might turn out otherwise; not by what is only being weighed, else those that wait
        would set each other going for ever."""
        header = self._context.folder.header
        file = self._context.services.spending.file
        window = int(time.monotonic() / LOOK_AGAIN)
        return (
            file.stamp(),
            self._committed() - sum(self._reserving.values()),
            self._limit,
            header.unpriced_agreed,
            header.answer_tokens,
            window,
        )

    # ---- every round, and at the end

    def balance(self) -> None:
        """Bring what is reserved in line with what is in flight."""
        self.claims.balance()

    async def close(self) -> None:
        """Settle what is over before the batch is let go. Raises StoreDamaged, StoreFull."""
        self._tell_overrun()
        self.direct.close()
        await self.claims.close()

    # ---- needing a person

    def watch(self) -> None:
        """Needs a person once the budget holds jobs back and nothing in flight can free any."""
        context = self._context
        if not self._looked:  # raised by an earlier run: what it asks may be answered by now
            self._looked = True
            context.settle_attention(*UNKNOWN)
        unsent = {
            str(record.id) for record in context.progress.submissions.values() if record.state in UNSENT
        }
        self._refusals = {
            key: refused for key, refused in self._refusals.items() if key == DIRECT or key in unsent
        }
        moment = self._moment()
        stuck = next(
            (refusal for refusal, when in self._refusals.values() if not refusal.wait and when == moment),
            None,
        )
        idle = context.lanes is not None and context.lanes.idle and not self.claims.busy
        is_told = ("budget", None) in context.progress.attention
        header = context.folder.header
        pending = context.progress.numbers(JobState.PENDING) if stuck and idle and not is_told else []
        if stuck and pending and not (header.cancelling or header.stopping):
            need = stuck_need(context.folder.id, stuck, pending, self.share)
            context.writer.record("attention", kind="budget", **need)
        elif not self._refusals and is_told and self.claims.loaded:
            context.settle_attention("budget")
        self._tell_overrun()

    def _tell_overrun(self) -> None:
        """Answers may be longer than anybody could foresee; what they cost is said, once."""
        limit, spent = self._limit, self._context.progress.cost_nano
        if limit is None or spent <= limit:
            self._over_told = False
        elif not self._over_told:
            self._over_told = True
            text = f"{dollars(spent)} were spent, over the limit of {dollars(limit)}"
            self._context.log("warning", text)
            self._context.writer.record("overrun", spent_usd=spent / NANO, limit_usd=limit / NANO)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _static(model: object) -> str | None:
    return model if isinstance(model, str) and "{{" not in model else None
