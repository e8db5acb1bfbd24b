"""Who may spend what: reservations weighed against the limits that hold over all batches and processes.

Everything here blocks for the lock and the disk, so it runs in threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from batchtui import amounts
from batchtui.amounts import NANO
from batchtui.errors import BatchtuiError, NotFound
from batchtui.model import UNSENT, SubmissionState
from batchtui.store.files import lock
from batchtui.store.files.spend import Claim, Held, Ledger, SpendFile
from batchtui.store.library import Library

DIRECT = "direct"
"""Key of the claim for all direct jobs of a batch; a submission's is its number."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a batch wants to have in flight under `key`. Amounts are billionths of a dollar."""

    batch: str
    key: str
    nano: int
    total: int
    """What the batch's stored rows cost so far."""
    most: int = 0
    """As much is taken where it is free; `nano` is the least that is of use."""
    pool: str = ""
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why money or tokens cannot be reserved now; `wait`: something in flight will free some by itself."""

    kind: Literal["batch", "day", "queue", "price", "bound"]
    text: str
    wait: bool = False
    asked: int = 0
    committed: int = 0
    left: int = 0
    """What less could be had now, where it is money that is short; all in billionths of a dollar."""


class Spending:
    """The reservations of one data folder."""

    def __init__(self, library: Library, day_limit: float | None) -> None:
        self.file = SpendFile(library.data_dir)
        self.library = library
        self.day_limit = None if day_limit is None else round(day_limit * NANO)

    def reserve(self, ask: Ask, pool_size: int | None, gone: set[str]) -> int | Refusal:
        """The amount that was reserved, on the disk now, or why nothing was. Raises StoreDamaged, StoreFull.

        `gone` are keys of the same batch that are over, which are settled in any case.
        """
        with self.file.held() as held:
            if gone:
                held.put(ask.batch, ask.total, dict.fromkeys(gone))
            refusal = self._refusal(held, ask, pool_size)
            if refusal is not None and self._audit(held, ask.batch):
                refusal = self._refusal(held, ask, pool_size)
            if refusal is not None:
                return refusal
            amount = max(ask.nano, ask.most)
            if self.day_limit is not None and ask.most > ask.nano:
                # No more than half of what is left, so that the others can go on too.
                amount = min(amount, max(ask.nano, (self.day_limit - self._day(held, ask)) // 2))
            claim = Claim(nano=amount, pool=ask.pool, tokens=ask.tokens)
            held.put(ask.batch, ask.total, {ask.key: claim})
            return amount

    def settle(self, batch: str, total: int, gone: set[str], missing: dict[str, Claim]) -> None:
        """Claims that are over, those that should stand and do not, and what the rows cost."""
        with self.file.held() as held:
            claims: dict[str, Claim | None] = {**dict.fromkeys(gone), **missing}
            days = held.ledger.spent.get(batch, {})
            if claims or sum(days.values()) != total:
                held.put(batch, total, claims)

    def claims(self, batch: str) -> dict[str, Claim]:
        return dict(self.file.read().claims.get(batch, {}))

    def learn(self, pool: str, size: int) -> None:
        with self.file.held() as held:
            held.learn(pool, size)

    # ---- weighing

    def _day(self, held: Held, ask: Ask) -> int:
        """Spent today and in flight, all batches together, without what `ask` is about."""
        ledger, today = held.ledger, held.today
        days = ledger.spent.get(ask.batch, {})
        earlier = sum(amount for day, amount in days.items() if day != today)
        spent = ledger.spent_on(today) - days.get(today, 0) + max(0, ask.total - earlier)
        own = ledger.claims.get(ask.batch, {}).get(ask.key)
        return spent + ledger.claimed() - (own.nano if own else 0)

    def _refusal(self, held: Held, ask: Ask, pool_size: int | None) -> Refusal | None:
        ledger = held.ledger
        if self.day_limit is not None:
            committed = self._day(held, ask)
            if committed + ask.nano > self.day_limit:
                freed = ledger.claimed(lambda batch: self._driven(batch, ask.batch))
                spent = f"{dollars(committed)} of {dollars(self.day_limit)} a day are spent or in flight"
                return Refusal(
                    "day",
                    f"{dollars(ask.nano)} more may be needed, and {spent} (all batches, since 00:00 UTC)",
                    wait=committed - freed + ask.nano <= self.day_limit,
                    asked=ask.nano,
                    committed=committed,
                    left=self.day_limit - committed,
                )
        size = pool_size if pool_size is not None else ledger.pools.get(ask.pool)
        if ask.pool and size is not None:
            queued = _queued(ledger, ask)
            if queued and queued + ask.tokens > size:
                text = f"{queued:,} tokens are enqueued for this model, of {size:,} that its provider takes"
                driven = ledger.queued(ask.pool, lambda batch: self._driven(batch, ask.batch))
                return Refusal("queue", text, wait=driven > 0)
        return None

    def _driven(self, batch: str, own: str) -> bool:
        return batch == own or lock.is_held(self.library.path(batch))

    def _audit(self, held: Held, own: str) -> bool:
        """Settle what batches that nobody drives still claim without cause; whether there was any."""
        found = False
        for batch, claims in list(held.ledger.claims.items()):
            if self._driven(batch, own):
                continue
            try:
                progress = self.library.open(batch).progress
            except NotFound:  # removed: what it had in flight at a provider is likely to be spent
                lost = sum(claim.nano for key, claim in claims.items() if key != DIRECT)
                total = sum(held.ledger.spent.get(batch, {}).values()) + lost
                held.put(batch, total, dict.fromkeys(claims))
                found = True
                continue
            except (BatchtuiError, OSError):
                continue
            live = {
                str(record.id)
                for record in progress.submissions.values()
                if record.state not in UNSENT and record.state is not SubmissionState.COLLECTED
            }
            gone = set(claims) - live
            if gone:
                held.put(batch, progress.cost_nano, dict.fromkeys(gone))
                found = True
        return found


def dollars(nano: int) -> str:
    """An amount in words."""
    return amounts.dollars(nano / NANO)


def _queued(ledger: Ledger, ask: Ask) -> int:
    own = ledger.claims.get(ask.batch, {}).get(ask.key)
    return ledger.queued(ask.pool) - (own.tokens if own and own.pool == ask.pool else 0)
