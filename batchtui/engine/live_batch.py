"""One batch while it is driven: what decides whether its jobs may go, and what takes their answers in."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from batchtui.backends.answers.said import add_note
from batchtui.backends.base import Backend
from batchtui.engine.adopt.orphans import Orphans
from batchtui.engine.attention.canary import Canary
from batchtui.engine.attention.early_end import EarlyEnd
from batchtui.engine.context import BatchContext
from batchtui.engine.scenarios.output import ScenarioOutput
from batchtui.engine.shared.limits import Effective, effective
from batchtui.engine.shared.services import Services
from batchtui.engine.spend.blocks import Blocks
from batchtui.engine.spend.budget import Budget
from batchtui.model import JobState, Json, Outcome
from batchtui.results.citing.mapping import map_citations
from batchtui.results.scenarios.place import holds_scenarios
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter

BLOCKING = frozenset({"key", "money", "account", "proxy", "address", "price", "bound", "clock"})
"""Attention that stops the sending of more jobs until a person has answered it."""


class LiveBatch(BatchContext):
    """What the lanes of a batch, and the commands of a person, ask. All methods belong to the worker's loop."""

    def __init__(self, folder: BatchFolder, writer: BatchWriter, services: Services) -> None:
        super().__init__(folder, writer, services)
        self.canary = Canary(self)
        self.budget = Budget(self)
        self.blocks = Blocks(self, self.budget)
        self.early_end = EarlyEnd(self)
        self.orphans = Orphans(self)
        self.scenarios = ScenarioOutput(self) if holds_scenarios(folder.header) else None
        self.write_again = False
        """Whether a person asked for the output once more."""
        self._limits: dict[str, Effective] = {}

    # ---- may it go

    def sendable(self, name: str, numbers: Iterable[int] | None = None) -> list[int]:
        """Jobs of this backend that may be sent now, of all pending ones or of `numbers`."""
        wanted = self.progress.numbers(JobState.PENDING) if numbers is None else numbers
        return self.canary.ahead(self.owners.of(name, wanted))

    def limits(self, backend: Backend[msgspec.Struct]) -> Effective:
        if backend.name not in self._limits:
            kind = backend.limits_of(self.folder.header.template_of(backend.name))
            self._limits[backend.name] = effective(self.folder.header.spec.limits, kind)
        return self._limits[backend.name]

    def limits_changed(self) -> None:
        self._limits.clear()

    def may_send(self) -> bool:
        header = self.folder.header
        if (
            self.stopping
            or self.faults.full
            or header.paused
            or header.cancelling
            or header.stopping
            or header.follows
        ):
            return False
        if self.services.finishing:
            return False
        return not any(kind in BLOCKING for kind, _ in self.progress.attention)

    def wants_cancel(self) -> bool:
        """Whether live submissions are to be cancelled at their backend."""
        return self.folder.header.cancelling or self.folder.header.stopping == "time_limit"

    def too_late(self) -> bool:
        """Whether nothing may be created any more, by the clock too."""
        header = self.folder.header
        return bool(header.cancelling or header.stopping) or self.early_end.out_of_time()

    # ---- what came back

    async def keep(
        self,
        n: int,
        tries: int,
        outcome: Outcome,
        *,
        backend: Backend[msgspec.Struct],
        model: str | None,
        **extra: Json,
    ) -> None:
        """Store an answer, as often as it takes: a full disk loses nothing."""
        self._map_citations(n, outcome)
        if outcome.cost_usd is None:
            model = model or self.renderer.record(n).model
            outcome.cost_usd = self.services.pricing.actual(backend, outcome, model)
        if not self.folder.header.spec.output.raw:
            outcome.body = None
        job_id = self.folder.jobs.ids[n]
        await self.persist(
            lambda: self.writer.store(n, tries, job_id, outcome, backend=backend.name, **extra)
        )
        if self.scenarios:
            self.scenarios.took(n, tries, outcome)
        if outcome.state is not JobState.COMPLETED:
            self.early_end.job_failed()

    def _map_citations(self, n: int, outcome: Outcome) -> None:
        """Which citation bears out which field of the parsed answer."""
        if not outcome.citations or not isinstance(outcome.parsed_response, dict):
            return
        mapped = map_citations(outcome.raw_response, outcome.citations, outcome.parsed_response)
        outcome.citation_mappings = mapped.mappings
        outcome.repaired = None  # words around the JSON were asked for, since they carry the citations
        if mapped.note:
            add_note(outcome, mapped.note)
