"""One batch, driven: what happens next to it, from opening its folder until it ends or we let go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec

from batchtui.backends.base import Backend, NeedsPerson
from batchtui.engine import commands, following
from batchtui.engine.adopting import take_over
from batchtui.engine.canary import Canary
from batchtui.engine.composing.rendering import Renderer
from batchtui.engine.contacting import Contacting
from batchtui.engine.early_end import EarlyEnd
from batchtui.engine.faults import Faults
from batchtui.engine.lanes import Lanes, Owners
from batchtui.engine.limits import Effective, effective
from batchtui.engine.money.budget import Budget
from batchtui.engine.orphans import Orphans
from batchtui.engine.outputs.result_files import write_output
from batchtui.engine.scenarios.output import ScenarioOutput
from batchtui.engine.services import Level, Services
from batchtui.errors import BatchtuiError
from batchtui.model import GOES_ON, JobState, Json, Outcome, SubmissionState
from batchtui.results.mapping import map_citations
from batchtui.results.scenarios.place import holds_scenarios
from batchtui.store import contacts
from batchtui.store.folder import BatchFolder
from batchtui.store.lines import StoreFull, is_disk
from batchtui.store.progress import Progress, SubmissionRecord
from batchtui.store.writer import BatchWriter
from batchtui.text import cell

INBOX_SECONDS = 0.5
HEARTBEAT_SECONDS = 30.0
BLOCKING = frozenset({"key", "money", "account", "proxy", "price", "bound", "clock"})
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
        self.orphans = Orphans(self)
        self.scenarios = ScenarioOutput(self) if holds_scenarios(folder.header) else None
        self.stopping = False
        self.write_again = False
        """Whether a person asked for the output once more."""
        self.faults = Faults(self)
        self.contacting = Contacting(self)
        self._let_go = False
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
                await self.orphans.look()
                if self.scenarios:
                    await self.scenarios.open()
                await self.lane.recover()
                while not self.stopping and not self._ended():
                    await self._round()
        except Exception as fault:  # before the first round: whoever drives us opens the batch again
            self.faults.met(fault)
            raise
        finally:
            await self._close()

    async def _round(self) -> None:
        await self.faults.probe()
        if self.faults.left() <= 0 and self.attempt(self._step):
            self.faults.over()
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

    def _step(self) -> None:
        """What is done in every round; a fault on the way is tried again in the next one."""
        self.obey()
        self.early_end.watch()
        self.budget.watch()
        self.early_end.settle()
        self.canary.watch()
        self.orphans.watch()
        if self.lane and not self._ended():
            self.lane.pump()
        self.budget.balance()
        self.writer.checkpoint_if_due()

    def attempt(self, step: Callable[[], None]) -> bool:
        """Do something that belongs to the batch as a whole; whether it went well. Never raises."""
        try:
            step()
        except Exception as fault:
            self.faults.met(fault)
            return False
        return True

    def _open_lane(self) -> None:
        """A batch that ended, or whose backend cannot be built, is not opened; the latter needs a person."""
        if self._ended():
            return
        header = self.folder.header
        if damage := self.folder.jobs.damage:
            self._cannot_open(
                f"{damage[0]}; nothing is sent until `batchtui fsck {header.id} --repair` settled it",
                "damage",
            )
            return
        try:
            backends = [self.services.backends.get(name) for name in header.backends]
            lane = Lanes(self, backends)
        except Exception as fault:
            self._cannot_open(str(fault))
            return
        if strange := lane.unserved():
            self._cannot_open(strange, "backend")
            return
        sent = {record.backend for record in self.progress.submissions.values()}
        for backend in backends:
            account = header.accounts.get(backend.name)
            if account and account != backend.account() and (backend.name in sent or header.follows):
                self._cannot_open(
                    f'backend "{backend.name}" has another address or key than when this batch was made; '
                    "restore it in the config"
                )
                return
        self.settle_attention("account", "backend", "damage")
        self._say_that_it_follows()
        self.lane = lane

    def _say_that_it_follows(self) -> None:
        if self.folder.header.follows and (following.KIND, None) not in self.progress.attention:
            text = following.follows_words(self.folder.header, self.services.backends)
            self.writer.record("attention", kind=following.KIND, text=text, actions=following.ACTIONS)

    def _cannot_open(self, message: str, kind: str = "account") -> None:
        if (kind, None) not in self.progress.attention:
            self.writer.record("attention", kind=kind, text=message[:300], actions=["resume"])
        self.log("error", message)
        self._resting = message

    def _ended(self) -> bool:
        progress = self.progress
        header = self.folder.header
        if (header.adopted and not progress.submissions) or self.folder.unsown:
            return False
        if header.taking_over or header.adopting:
            return False
        if progress.live or any(
            s.state is not SubmissionState.COLLECTED for s in progress.submissions.values()
        ):
            return False
        return self.lane is None or self.lane.idle

    async def stop(self) -> None:
        """Let go: what runs remotely keeps running, direct jobs in flight go back to pending."""
        self.stopping = self._let_go = True
        await self.orphans.stop()
        if self.scenarios:
            await self.scenarios.stop()
        if self.lane:
            await self.lane.stop()
        self._wake.set()

    async def _close(self) -> None:
        self.stopping = True
        try:
            if self.lane:
                await self.lane.stop()
            await self._settle_money()
            await self._finish()
        finally:
            self._contacts.save(self.folder.contacts, now=True)
            self.writer.close()

    async def _settle_money(self) -> None:
        """Write what all of it cost; what cannot be written is told, and tried again until we are to let go.

        What is left then stays reserved, and is settled by whoever next needs room under a limit.
        """
        while True:
            try:
                await self.budget.close()
                return
            except (BatchtuiError, OSError) as fault:
                if not is_disk(fault):
                    self.log("error", f"what is reserved for it stays reserved: {fault}", told=True)
                    return
                self.faults.met(fault)
                if self._let_go:
                    return
            await self.faults.probe()
            await self.faults.space()

    async def _finish(self) -> None:
        """Write what is written once all jobs have ended; without space that waits, until we are to let go."""
        over = not self.progress.live and self._ended()
        if over and (self.write_again or not self.progress.ended):
            if self.folder.header.growing:
                self.folder.header.growing = False
                await self.persist(self.writer.save_header)
            if await (self.scenarios.finish() if self.scenarios else write_output(self)):
                self.settle_attention("copy")
                await self.persist(lambda: self.writer.record("ended", state=self.folder.state()))
                self.log("info", f"ended: {self.folder.state()}")
                done = ("output", None) not in self.progress.attention and not self.folder.header.follows
                if self.lane and self.lane.remote and done:
                    await self.lane.remote.tidy()

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
        """Write, and try again while the disk is full, until we are to let go. Raises StoreFull then."""
        while True:
            try:
                write()
                return
            except StoreFull as fault:
                self.faults.met(fault)
                if self._let_go:
                    raise
                await self.faults.probe()
                await self.faults.space()

    async def persist_durably(self, event: str, **facts: Json) -> None:
        """Journal what happened elsewhere and can be known by nobody but us, and wait until it is on the disk."""
        await self.persist(lambda: self.writer.record(event, **facts))
        await self.writer.commit()

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
        if "fault" in kinds:
            self.faults.hurry()
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
        idle = self.lane is not None and self.lane.idle and self.orphans.idle
        self._resting = self._reason() if idle else None

    def _reason(self) -> str | None:
        needed = [item.text for item in self.progress.attention.values() if item.kind not in GOES_ON]
        if self.faults.resting:
            return None
        if needed:
            return "needs a person: " + "; ".join(needed)
        return "paused" if self.folder.header.paused else None

    @property
    def resting(self) -> str | None:
        """Why nothing happens until a person acts; None while something does."""
        return self._resting

    def log(self, level: Level, text: str, *, told: bool = False) -> None:
        """`told`: whoever follows the batch is to see it at once."""
        self.services.log(self.folder.id, level, text, told=told)
