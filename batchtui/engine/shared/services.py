"""What all batches of one worker share: backends, prices, gates, pollers, the log."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from batchtui.engine.attention.notices.desk import Desk
from batchtui.engine.shared.gate import Gate
from batchtui.engine.shared.judging import Judge
from batchtui.engine.shared.poller import Poller
from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.pricing import Pricing
from batchtui.engine.spend.spending import Spending
from batchtui.store.disk import clock
from batchtui.store.disk.commit import Committer
from batchtui.text import cell

Level = Literal["info", "warning", "error"]
LOG_LINES = 2000
_logger = logging.getLogger("batchtui")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing that happened, clean enough to show. `batch_id` is empty for news of the worker itself."""

    time: str
    batch_id: str
    level: Level
    text: str
    told: bool = False
    """Whether whoever follows the batch is to see it at once."""


@dataclass
class Services:
    backends: Backends
    committer: Committer
    spending: Spending
    changed: Callable[[str], None]
    """Marks a batch as changed, for whoever shows it."""
    lines: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    full_queues: dict[str, int] = field(default_factory=dict)
    """How often a provider's queue of tokens was full, by its name."""
    finishing: bool = False
    """Direct jobs in flight may end, no further ones start."""
    judge: Judge = field(default_factory=Judge)
    _gates: dict[str, Gate] = field(default_factory=dict)
    _pollers: dict[str, Poller] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pricing = Pricing(self.backends.config)
        self.notices = Desk(self.backends.config, self._log_notice)

    def _log_notice(self, batch_id: str, level: Level, text: str) -> None:
        self.log(batch_id, level, text, told=level != "info")

    def gate(self, backend: str) -> Gate:
        return self._gates.setdefault(backend, Gate())

    def poller(self, backend: str) -> Poller:
        """The one poller of a backend, whatever the number of batches on it."""
        if backend not in self._pollers:
            self._pollers[backend] = Poller(self.backends.get(backend))
        return self._pollers[backend]

    def poll_now(self) -> None:
        for poller in self._pollers.values():
            poller.hurry()

    def log(self, batch_id: str, level: Level, text: str, *, told: bool = False) -> None:
        self.lines.append(LogLine(clock.now(), batch_id, level, cell(text, 500), told))
        _logger.log(_LEVELS[level], "%s %s", batch_id, cell(text, 500))
        self.changed("")

    async def close(self) -> None:
        await self.notices.close()
        for poller in self._pollers.values():
            await poller.close()
        await self.judge.close()
        await self.backends.close()
