"""One batch, driven: what happens next to it, from opening its folder until it ends or we let go."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable

import msgspec

from batchtui.backends.base import Backend, NeedsPerson
from batchtui.engine import commands
from batchtui.engine.adopting import take_over
from batchtui.engine.canary import Canary
from batchtui.engine.composing.rendering import Renderer
from batchtui.engine.early_end import EarlyEnd
from batchtui.engine.lanes import Lanes, Owners
from batchtui.engine.limits import Effective, effective
from batchtui.engine.money.budget import Budget
from batchtui.engine.outputs.result_files import write_output
from batchtui.engine.scenarios.output import ScenarioOutput
from batchtui.engine.services import Level, Services
from batchtui.errors import BatchtuiError
from batchtui.model import JobState, Json, Outcome, SubmissionState
from batchtui.results.mapping import map_citations
from batchtui.results.scenarios.place import holds_scenarios
from batchtui.store import contacts
from batchtui.store.folder import BatchFolder
from batchtui.store.lines import StoreFull
from batchtui.store.progress import Progress, SubmissionRecord
from batchtui.store.writer import BatchWriter
from batchtui.text import cell

INBOX_SECONDS = 0.5
HEARTBEAT_SECONDS = 30.0
BLOCKING = frozenset({"key", "money", "account", "proxy", "price"})
"""Attention that stops the sending of more jobs until a person has answered it."""


class Driver:
    """Drives one batch. All methods belong to the worker's loop."""

    def __init__(self, folder: BatchFolder, writer: BatchWriter, services: Services) -> None:
        self.folder = folder
        self.writer = writer
        self.services = services
        self.renderer = Renderer(folder, services.backends)
        self.owners = Owners(folder)
        self.folder.contacts = contacts.read(folder.path)
        self._contacts = contacts.ContactWriter(folder.path)
        self.canary = Canary(self)
        self.budget = Budget(self)
        self.early_end = EarlyEnd(self)
        self.scenarios = ScenarioOutput(self) if holds_scenarios(folder.header) else None
        self.stopping = False
        self.write_again = False
        """Whether a person asked for the output once more."""
        self._full = False
        self._wake = asyncio.Event()
        self._answered = asyncio.Event()
        self._limits: dict[str, Effective] = {}
        self._resting: str | None = None
        self._heartbeat = time.monotonic()
        self.lane: Lanes | None = None

    @property
    def progress(self) -> Progress:
        return self.folder.progress

    # ---- the round

    async def run(self) -> None:
        """Returns when the batch has ended, or after `stop`. Always lets go of the lock."""
        try:
            self.obey()
            self._open_lane()
            if self.lane:
                await take_over(self)
                if self.scenarios:
                    await self.scenarios.open()
                await self.lane.recover()
                while not self.stopping and not self._ended():
                    await self._round()
        finally:
            await self._close()

    async def _round(self) -> None:
        try:
            self.obey()
            self.early_end.watch()
            self.budget.watch()
            self.early_end.settle()
            self.canary.watch()
            if self.lane and not self._ended():
                self.lane.pump()
            self.budget.balance()
            self.writer.checkpoint_if_due()
            self._full = False
        except StoreFull as fault:
            self.store_full(fault)
            await asyncio.sleep(1.0)
        if time.monotonic() - self._heartbeat > HEARTBEAT_SECONDS:
            self._heartbeat = time.monotonic()
            self.writer.heartbeat()
        self._contacts.save(self.folder.contacts)
        self._rest()
        if not self._ended():
            try:
                async with asyncio.timeout(INBOX_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    def _open_lane(self) -> None:
        """A batch that ended, or whose backend cannot be built, is not opened; the latter needs a person."""
        if self._ended():
            return
        header = self.folder.header
        try:
            backends = [self.services.backends.get(name) for name in header.backends]
            lane = Lanes(self, backends)
        except Exception as fault:
            self._cannot_open(str(fault))
            return
        sent = {record.backend for record in self.progress.submissions.values()}
        for backend in backends:
            account = header.accounts.get(backend.name)
            if account and account != backend.account() and backend.name in sent:
                self._cannot_open(
                    f'backend "{backend.name}" has another address or key than when this batch was made; '
                    "restore it in the config"
                )
                return
        self.settle_attention("account", "fault")
        self.lane = lane

    def _cannot_open(self, message: str) -> None:
        if ("account", None) not in self.progress.attention:
            self.writer.record("attention", kind="account", text=message[:300], actions=["resume"])
        self.log("error", message)
        self._resting = message

    def _ended(self) -> bool:
        progress = self.progress
        if (self.folder.header.adopted and not progress.submissions) or self.folder.unsown:
            return False
        if progress.live or any(
            s.state is not SubmissionState.COLLECTED for s in progress.submissions.values()
        ):
            return False
        return self.lane is None or self.lane.idle

    async def stop(self) -> None:
        """Let go: what runs remotely keeps running, direct jobs in flight go back to pending."""
        self.stopping = True
        if self.scenarios:
            await self.scenarios.stop()
        if self.lane:
            await self.lane.stop()
        self._wake.set()

    async def _close(self) -> None:
        self.stopping = True
        if self.lane:
            await self.lane.stop()
        with contextlib.suppress(BatchtuiError):  # what is left there is settled when it is next looked at
            await self.budget.close()
        over = not self.progress.live and self._ended()
        if over and (self.write_again or not self.progress.ended):
            if self.folder.header.growing:
                self.folder.header.growing = False
                self.writer.save_header()
            if await (self.scenarios.finish() if self.scenarios else write_output(self)):
                self.writer.record("ended", state=self.folder.state())
                self.log("info", f"ended: {self.folder.state()}")
                if self.lane and self.lane.remote and ("output", None) not in self.progress.attention:
                    await self.lane.remote.tidy()
        self._contacts.save(self.folder.contacts, now=True)
        self.writer.close()

    # ---- what the lanes ask

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
        if self.stopping or self._full or header.paused or header.cancelling or header.stopping:
            return False
        if self.services.finishing:
            return False
        return not any(kind in BLOCKING for kind, _ in self.progress.attention)

    def wants_cancel(self) -> bool:
        """Whether live submissions are to be cancelled at their backend."""
        return self.folder.header.cancelling or self.folder.header.stopping == "time_limit"

    def too_late(self) -> bool:
        """Whether nothing may be created any more, by the clock too."""
        header, deadline = self.folder.header, self.folder.deadline()
        if header.cancelling or header.stopping:
            return True
        return deadline is not None and time.time() >= deadline

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
        if mapped.warning:
            self.log("info", f"job {cell(self.folder.jobs.ids[n], 60)}: {mapped.warning}")

    async def persist(self, write: Callable[[], None]) -> None:
        """Write, and try again each second while the disk is full."""
        while True:
            try:
                write()
                return
            except StoreFull as fault:
                self.store_full(fault)
                await asyncio.sleep(1.0)

    def store_full(self, fault: StoreFull) -> None:
        if not self._full:
            self.log("error", str(fault))
        self._full = True

    # ---- needing a person

    def need_person(self, fault: NeedsPerson) -> None:
        """Stop sending and say why; `resume` goes on."""
        if (fault.kind, None) not in self.progress.attention:
            self.writer.record("attention", kind=fault.kind, text=fault.message[:300], actions=["resume"])
            self.log("error", fault.message)
        self._answered.clear()

    async def person_answered(self) -> None:
        await self._answered.wait()

    def settle_attention(self, *kinds: str) -> None:
        for kind, sub in list(self.progress.attention):
            if kind in kinds:
                self.writer.record("settled", kind=kind, sub=sub)
        self._answered.set()

    def forgotten(self, record: SubmissionRecord) -> None:
        self.writer.record(
            "attention",
            kind="forgotten",
            sub=record.id,
            text=f"{record.backend} no longer knows submission {record.id} ({record.remote_id}); "
            "what was saved stays",
            actions=["abandon"] if record.grows else ["resend", "abandon"],
        )

    # ---- commands, waking, resting

    def obey(self) -> None:
        """Do what the inbox asks, each effect journaled before the command counts as read."""
        for upto, command in self.writer.new_commands():
            if command is None:
                self.log("warning", "a line of the inbox makes no sense and is passed over")
            else:
                commands.obey(self, command)
            self.writer.record("inbox", upto=upto)

    def wake(self) -> None:
        self._wake.set()

    def wake_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(max(0.0, min(seconds, 3600.0)), self._wake.set)

    def _rest(self) -> None:
        """Notice when nothing can go on without a person, for whoever waits."""
        idle = self.lane is not None and self.lane.idle
        self._resting = self._reason() if idle else None

    def _reason(self) -> str | None:
        needed = [item.text for item in self.progress.attention.values() if item.kind != "output"]
        if needed:
            return "needs a person: " + "; ".join(needed)
        return "paused" if self.folder.header.paused else None

    @property
    def resting(self) -> str | None:
        """Why nothing happens until a person acts; None while something does."""
        return self._resting

    def broke(self, fault: BaseException, sub: int | None = None) -> None:
        """A fault of ours: said, never a reason to end the worker. A submission's step is not tried in a loop."""
        if isinstance(fault, StoreFull):
            self.store_full(fault)
            return
        text = f"internal fault: {type(fault).__name__}: {fault}"[:300]
        self.log("error", text)
        if sub is not None:
            self.writer.record(
                "attention",
                kind="fault",
                sub=sub,
                text=f"submission {sub}: {text}; what is stored stays, and batchtui resume {self.folder.id} tries again",
                actions=["resume"],
            )

    def log(self, level: Level, text: str) -> None:
        self.services.log(self.folder.id, level, text)
