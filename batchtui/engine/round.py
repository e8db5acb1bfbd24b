"""One batch, driven: what happens next to it, from opening its folder until it ends or we let go."""

from __future__ import annotations

import asyncio
import time

from batchtui.engine.adopt import following
from batchtui.engine.adopt.adopted import take_over
from batchtui.engine.attention import commands
from batchtui.engine.live_batch import LiveBatch
from batchtui.engine.outputs.writing import write_output
from batchtui.engine.scenarios.reuse import reuse
from batchtui.engine.send.lanes import Lanes
from batchtui.engine.shared.services import Services
from batchtui.errors import BatchtuiError
from batchtui.model import GOES_ON, SubmissionState
from batchtui.store.disk.lines import is_disk
from batchtui.store.files import contacts
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter

INBOX_SECONDS = 0.5
HEARTBEAT_SECONDS = 30.0


class Round:
    """Drives one batch, round by round. All methods belong to the worker's loop."""

    def __init__(self, folder: BatchFolder, writer: BatchWriter, services: Services) -> None:
        self.batch = LiveBatch(folder, writer, services)
        self._lanes: Lanes | None = None
        self._contacts = contacts.ContactWriter(folder.path)
        self._resting: str | None = None
        self._heartbeat = time.monotonic()

    # ---- the round

    async def run(self) -> None:
        """Returns when the batch has ended, or after `stop`. Always lets go of the lock."""
        try:
            self.obey()
            self._open_lanes()
            if self._lanes:
                await take_over(self.batch)
                await self.batch.orphans.look()
                await self._open_output(self._lanes)
                await self._lanes.recover()
                while not self.batch.stopping and not self._ended():
                    await self._round()
        except Exception as fault:  # before the first round: whoever drives us opens the batch again
            self.batch.faults.met(fault)
            raise
        finally:
            await self._close()

    async def _round(self) -> None:
        await self.batch.faults.probe()
        if self.batch.faults.left() <= 0 and self.batch.attempt(self._step):
            self.batch.faults.over()
        if time.monotonic() - self._heartbeat > HEARTBEAT_SECONDS:
            self._heartbeat = time.monotonic()
            self.batch.writer.heartbeat()
        self._contacts.save(self.batch.folder.contacts)
        self.batch.services.notices.look(self.batch.folder)
        self._rest()
        if not self._ended():
            try:
                async with asyncio.timeout(INBOX_SECONDS):
                    await self.batch.woken.wait()
            except TimeoutError:
                pass
            self.batch.woken.clear()

    def _step(self) -> None:
        """What is done in every round; a fault on the way is tried again in the next one."""
        self.obey()
        self.batch.early_end.watch()
        self.batch.budget.watch()
        self.batch.early_end.settle()
        self.batch.canary.watch()
        self.batch.orphans.watch()
        if self._lanes and not self._ended():
            self._lanes.pump()
        self.batch.budget.balance()
        self.batch.writer.checkpoint_if_due()

    def _open_lanes(self) -> None:
        """A batch that ended, or whose backend cannot be built, is not opened; the latter needs a person."""
        if self._ended():
            return
        header = self.batch.folder.header
        if damage := self.batch.folder.jobs.damage:
            self._cannot_open(
                f"{damage[0]}; nothing is sent until `batchtui fsck {header.id} --repair` settled it",
                "damage",
            )
            return
        try:
            backends = [self.batch.services.backends.get(name) for name in header.backends]
            lanes = Lanes(self.batch, backends)
        except Exception as fault:
            self._cannot_open(str(fault))
            return
        if strange := lanes.unserved():
            self._cannot_open(strange, "backend")
            return
        sent = {record.backend for record in self.batch.progress.submissions.values()}
        for backend in backends:
            account = header.accounts.get(backend.name)
            if account and account != backend.account() and (backend.name in sent or header.follows):
                self._cannot_open(
                    f'backend "{backend.name}" has another address or key than when this batch was made; '
                    "restore it in the config"
                )
                return
        self.batch.settle_attention("account", "backend", "damage")
        self._say_that_it_follows()
        self._lanes = self.batch.lanes = lanes

    async def _open_output(self, lanes: Lanes) -> None:
        """Where a batch of scenarios writes to; those whose result stands are taken as they are."""
        scenarios = self.batch.scenarios
        opened = await scenarios.open() if scenarios else None
        if opened is None:
            return
        if lanes.remote and (opened.begun or opened.earlier) and not self.batch.progress.submissions:
            await reuse(self.batch, opened, lanes.remote.backends)
        lanes.use_output(opened.place, opened.earlier)

    def _say_that_it_follows(self) -> None:
        if self.batch.folder.header.follows and (following.KIND, None) not in self.batch.progress.attention:
            text = following.follows_words(self.batch.folder.header, self.batch.services.backends)
            self.batch.writer.record("attention", kind=following.KIND, text=text, actions=following.ACTIONS)

    def _cannot_open(self, message: str, kind: str = "account") -> None:
        if (kind, None) not in self.batch.progress.attention:
            self.batch.writer.record("attention", kind=kind, text=message[:300], actions=["resume"])
        self.batch.log("error", message)
        self.batch.services.notices.look(self.batch.folder)
        self._resting = message

    def _ended(self) -> bool:
        progress = self.batch.progress
        header = self.batch.folder.header
        if (header.adopted and not progress.submissions) or self.batch.folder.unsown:
            return False
        if header.taking_over or header.adopting:
            return False
        if progress.live or any(
            s.state is not SubmissionState.COLLECTED for s in progress.submissions.values()
        ):
            return False
        return self._lanes is None or self._lanes.idle

    async def stop(self) -> None:
        """Let go: what runs remotely keeps running, direct jobs in flight go back to pending."""
        self.batch.stopping = self.batch.letting_go = True
        await self.batch.orphans.stop()
        if self.batch.scenarios:
            await self.batch.scenarios.stop()
        if self._lanes:
            await self._lanes.stop()
        self.batch.woken.set()

    async def _close(self) -> None:
        self.batch.stopping = True
        try:
            if self._lanes:
                await self._lanes.stop()
            await self._settle_money()
            await self._finish()
        finally:
            self._contacts.save(self.batch.folder.contacts, now=True)
            self.batch.writer.close()

    async def _settle_money(self) -> None:
        """Write what all of it cost; what cannot be written is told, and tried again until we are to let go.

        What is left then stays reserved, and is settled by whoever next needs room under a limit.
        """
        batch = self.batch
        while True:
            try:
                await batch.budget.close()
                return
            except (BatchtuiError, OSError) as fault:
                if not is_disk(fault):
                    batch.log("error", f"what is reserved for it stays reserved: {fault}", told=True)
                    return
                batch.faults.met(fault)
                if batch.letting_go:
                    return
            await batch.faults.probe()
            await batch.faults.space()

    async def _finish(self) -> None:
        """Write what is written once all jobs have ended; without space that waits, until we are to let go."""
        batch, header = self.batch, self.batch.folder.header
        over = not batch.progress.live and self._ended()
        if not over or (batch.progress.ended and not batch.write_again):
            return
        if header.growing:
            header.growing = False
            await batch.persist(batch.writer.save_header)
        if not await (batch.scenarios.finish() if batch.scenarios else write_output(batch)):
            return
        batch.settle_attention("copy")
        await batch.persist(lambda: batch.writer.record("ended", state=batch.folder.state()))
        batch.log("info", f"ended: {batch.folder.state()}")
        batch.services.notices.look(batch.folder)
        done = ("output", None) not in batch.progress.attention and not header.follows
        if self._lanes and self._lanes.remote and done:
            await self._lanes.remote.tidy()

    # ---- commands, resting

    def obey(self) -> None:
        """Do what the inbox asks, each effect journaled before the command counts as read."""
        for upto, command in self.batch.writer.new_commands():
            if command is None:
                self.batch.log("warning", "a line of the inbox makes no sense and is passed over")
            else:
                commands.obey(self.batch, command)
            self.batch.writer.record("inbox", upto=upto)

    def _rest(self) -> None:
        """Notice when nothing can go on without a person, for whoever waits."""
        idle = self._lanes is not None and self._lanes.idle and self.batch.orphans.idle
        self._resting = self._reason() if idle else None

    def _reason(self) -> str | None:
        needed = [item.text for item in self.batch.progress.attention.values() if item.kind not in GOES_ON]
        if self.batch.faults.resting:
            return None
        if needed:
            return "needs a person: " + "; ".join(needed)
        return "paused" if self.batch.folder.header.paused else None

    @property
    def resting(self) -> str | None:
        """Why nothing happens until a person acts; None while something does."""
        return self._resting

    @property
    def in_flight(self) -> int:
        """Direct jobs that run now."""
        return self._lanes.in_flight if self._lanes else 0
