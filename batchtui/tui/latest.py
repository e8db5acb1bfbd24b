"""Work of a screen in threads, where of each name only the newest counts."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker


class Latest:
    """Starts work at once or after a pause in typing. Threads cannot be ended: their news is not listened to."""

    def __init__(self, screen: Widget) -> None:
        self._screen = screen
        self._timers: dict[str, Timer] = {}
        self._workers: dict[str, Worker[None]] = {}

    def after(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        """Call it once `after` was not called again for so long."""
        if before := self._timers.pop(name, None):
            before.stop()
        self._timers[name] = self._screen.set_timer(seconds, call)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread; an earlier one of this name is told to stop."""
        self.stop(name)
        self._workers[name] = self._screen.run_worker(work, thread=True, group=name, exit_on_error=False)

    def stop(self, name: str) -> None:
        """Neither what is under way nor what was to come counts any more."""
        if timer := self._timers.pop(name, None):
            timer.stop()
        if before := self._workers.pop(name, None):
            before.cancel()

    def current(self, name: str, worker: Worker[None]) -> bool:
        """Whether this is the newest of its name: only then its news counts."""
        return self._workers.get(name) is worker

    def busy(self, name: str) -> bool:
        """Whether work of this name is under way."""
        worker = self._workers.get(name)
        return worker is not None and not worker.is_finished
