"""Tells what happens to the batches that this process drives, beside the work and never in its way."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from batchtui.config import Config, key_variables
from batchtui.config.notify import Notify, Receiver, chosen, unknown_names
from batchtui.engine.attention.notices import told
from batchtui.engine.attention.notices.events import Notice, events_of
from batchtui.engine.attention.notices.terminal import sequence, to_terminal
from batchtui.errors import BatchtuiError
from batchtui.model import NotifySpec, seconds
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.store.folder import BatchFolder

LOOK_SECONDS = 5.0
"""How often a batch to which nothing happens is looked at: the clock goes on."""
AT_END_SECONDS = 0.8
"""How long what is under way may still take once the worker is to stop."""
Log = Callable[[str, Literal["info", "warning", "error"], str], None]
Terminal = Callable[[bytes], str | None]


class Desk:
    """All methods but `under_way` belong to the worker's loop."""

    def __init__(self, config: Config, log: Log, env: Mapping[str, str] | None = None) -> None:
        self._notify = None if config.notify is None or config.notify.quiet else config.notify
        self._fault = ""
        if config.notices_written and config.notify is None:
            self._fault = f"[notify] of {cell(config.path)} is at fault, so nobody is told: `batchtui config check` says why"
        self._config, self._log = config, log
        self._env = os.environ if env is None else env
        self.terminal: Terminal = to_terminal
        """The app puts its own way to the terminal here."""
        self._looked: dict[str, tuple[int, float]] = {}
        self._found: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._closing = False

    def look(self, folder: BatchFolder) -> None:
        """Begin to tell what is new. Returns at once and never raises."""
        if self._fault:
            self._log(folder.id, "warning", self._fault)
            self._fault = ""
        if self._notify is None:
            return
        seq, at = self._looked.get(folder.id, (-1, 0.0))
        if folder.progress.seq == seq and time.monotonic() - at < LOOK_SECONDS:
            return
        self._looked[folder.id] = (folder.progress.seq, time.monotonic())
        try:
            self._look(folder, self._notify)
        except Exception as fault:  # telling is never a reason to stop what is told of
            self._notify = None
            self._log(folder.id, "warning", f"notices: {type(fault).__name__}: {fault}; no more are given")

    def _look(self, folder: BatchFolder, notify: Notify) -> None:
        header, spec = folder.header, folder.header.spec.notify
        if folder.id not in self._found:
            for words in unknown_names(notify, spec):
                self._log(folder.id, "warning", words)
        found = self._found.setdefault(folder.id, set())
        receivers = chosen(notify, spec, header.name, header.backends, header.tags)
        if not receivers:
            return
        share = notify.budget if spec is None or spec.budget is None else spec.budget
        for notice in events_of(folder, share, seconds(notify.expiry)):
            if notice.key in found:
                continue
            found.add(notice.key)
            if wanted := [one for one in receivers if wants(one, spec, notice)]:
                self._busy[folder.id] += 1
                task = asyncio.get_running_loop().create_task(self._tell(folder, notice, wanted))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _tell(self, folder: BatchFolder, notice: Notice, receivers: list[Receiver]) -> None:
        try:
            await asyncio.to_thread(_ready, receivers)  # what was claimed is told within no time
            if not self._closing and await asyncio.to_thread(told.claim, folder.path, notice):
                self._log(
                    folder.id, "info", f"told {', '.join(one.name for one in receivers)}: {notice.title}"
                )
                await asyncio.gather(*(self._hand(folder.id, one, notice) for one in receivers))
        except (BatchtuiError, OSError) as fault:
            self._log(folder.id, "warning", f"nobody was told that {notice.title}: {fault}")
        finally:
            self._busy[folder.id] -= 1

    async def _hand(self, batch_id: str, receiver: Receiver, notice: Notice) -> None:
        try:
            why = await hand_over(receiver, notice, self._config, self._env, self.terminal)
        except Exception as fault:  # one receiver never takes the others down
            why = f"{type(fault).__name__}: {fault}"
        except asyncio.CancelledError:
            self._log(batch_id, "warning", f"notice by {receiver.name}: not told before batchtui ended")
            raise
        if why and receiver.sort in ("bell", "osc"):  # nobody sits there, as under cron
            self._log(batch_id, "info", f"notice by {receiver.name}: {why}")
        elif why:
            self._log(
                batch_id, "warning", f"notice by {receiver.name}: {why}; the batch is none the worse for it"
            )

    def under_way(self, batch_id: str) -> bool:
        """Whether somebody is being told of this batch now. From any thread."""
        return self._busy[batch_id] > 0

    async def close(self) -> None:
        """What nobody was told yet, whoever drives the batch next tells."""
        self._closing = True
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=AT_END_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _ready(receivers: list[Receiver]) -> None:
    if any(one.sort == "webhook" for one in receivers):
        from batchtui.engine.attention.notices import webhook as webhook


def wants(receiver: Receiver, spec: NotifySpec | None, notice: Notice) -> bool:
    """An end with failures is an end as well."""
    wanted = receiver.settings.on if spec is None or spec.on is None else spec.on
    if wanted is None:
        return True
    return notice.event in wanted or (notice.event == "failed" and "ended" in wanted)


async def hand_over(
    receiver: Receiver,
    notice: Notice,
    config: Config,
    env: Mapping[str, str],
    terminal: Terminal = to_terminal,
) -> str | None:
    """Tell one receiver; why it was not told, None where it was."""
    settings = receiver.settings
    if receiver.sort in ("bell", "osc"):
        return terminal(sequence(notice, receiver.sort, settings.osc, env))
    if receiver.sort == "webhook":
        from batchtui.engine.attention.notices.webhook import webhook

        return await webhook(settings, notice, env)
    from batchtui.engine.attention.notices import programs

    plain = programs.without(key_variables(config, env), env)
    if receiver.sort == "desktop":
        return await programs.desktop(notice, plain)
    return await programs.command(settings.command, notice, plain)
