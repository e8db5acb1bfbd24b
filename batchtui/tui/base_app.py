"""The app as screens, widgets and actions know it: what it holds, what it says and asks, and where one can go.

It knows no screen; `batchtui.tui.app` does, which is at the top.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from textual.actions import ActionParseResult
from textual.app import App
from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.driver import Driver
from textual.notifications import Notify
from textual.screen import Screen

from batchtui import text
from batchtui.config import Config
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BatchtuiError
from batchtui.model import BatchSpec, Json
from batchtui.results.reading.digest import Cause
from batchtui.store.disk import clock
from batchtui.store.library import Library
from batchtui.tui.actions import table as actions
from batchtui.tui.look import states
from batchtui.tui.look.day_money import DayMoney
from batchtui.tui.models import settings
from batchtui.tui.models.drafts import Drafts
from batchtui.tui.models.error_digests import ErrorDigests
from batchtui.tui.models.link import Link
from batchtui.tui.models.rates import Rates
from batchtui.tui.models.usual import UsualTimes
from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.widgets.notice import Notice

Severity = Literal["information", "warning", "error"]
Answer = TypeVar("Answer")
_THEME_NAME = re.compile(r"\$([\w-]+)")


class BaseApp(App[None], inherit_bindings=False):
    """Screens read `link` (folders and statuses of every batch) and send commands through it."""

    def __init__(
        self,
        config: Config,
        data_dir: Path,
        *,
        driver: type[Driver] | None,
        works: bool,
        now: Callable[[], float],
    ) -> None:
        super().__init__(driver_class=driver)
        self.config = config
        self.data_dir = data_dir
        self._heard: deque[str] = deque(maxlen=20)
        self.library = Library(data_dir, self._heard.append)
        self.backends = Backends(config)
        self.link = Link(self.library)
        self.drafts = Drafts(data_dir)
        self.glyphs = states.glyphs()
        self.now = now
        self.keymap_in_use: dict[str, str] = {}
        self.rates = Rates()
        self.usual = UsualTimes(self.link, now)
        self.day_money = DayMoney(data_dir, config.limits.cost_usd_per_day)
        self.errors_of = ErrorDigests(self.link, now)
        self.notes: list[tuple[str, str]] = []
        """What the app itself said, with the time: shown in the log."""
        self.last_open: str | None = settings.read(config, "last_open")
        self.works = works
        """Whether it is to have a worker."""
        self.read_only = False
        """Whether no batch may be changed, nor anything sent."""

    def say(self, message: object, severity: Severity = "information") -> None:
        """A toast, also kept in the log."""
        line = text.cell(message, 400)
        self.notes.append((clock.stamp(self.now()), line))
        del self.notes[:-500]
        self.notify(line, severity=severity, markup=False)

    def say_none(self) -> None:
        """There is no batch that was meant."""
        lists, composes = self.key("screen.batches"), self.key("batch.new")
        self.say(f"no batch is selected: {lists} lists them, and there {composes} composes one")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Severity = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Notify(Notice(message, title, severity, seconds, markup=markup)))

    def ask(self, dialog: Dialog[Answer], then: Callable[[Answer | None], None]) -> None:
        """Show a dialog; `then` gets its answer, None where it was closed."""

        def answered(answer: Answer | None) -> None:
            with self._refusals_told():
                then(answer)

        self.push_screen(dialog, answered)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        if self.read_only and (meant := actions.that_writes(action)):
            self.say(
                f"{meant.title}: not in this app, which was opened to read only; `batchtui open` without --read-only does it",
                "warning",
            )
            return True
        with self._refusals_told():
            return await super().run_action(action, default_namespace, namespaces)
        return True

    @contextmanager
    def _refusals_told(self) -> Iterator[None]:
        """A wish that the store does not take, as of a newer version or on a full disk, is told, and ends nothing."""
        try:
            yield
        except BatchtuiError as fault:
            self.say(fault, "error")

    def setting(self, key: str, default: Json = None) -> Json:
        return settings.read(self.config, key, default)

    def save_setting(self, key: str, value: Json) -> None:
        settings.write(self.config, key, value)

    def worker_line(self) -> Content:
        """How the worker is, for the header."""
        running = self.link.in_flight()
        local = f"{running} running here  " if running else ""
        if damaged := self.link.damaged():
            return Content.styled(f"{local}{len(damaged)} damaged, see Log", states.STYLES["attention"])
        if self.link.worker is None:
            return Content.styled("starting" if self.works else "reading only", "dim")
        return Content.styled(f"{local}worker ok", "dim")

    def paint(self, style: str) -> str:
        """A style with the theme's `$names`, as Rich takes it."""
        return _THEME_NAME.sub(self._colour, style).strip()

    def _colour(self, name: re.Match[str]) -> str:
        value = self.theme_variables.get(name[1], "").removeprefix("ansi_")
        return value if re.fullmatch(r"#[0-9A-Fa-f]{6}|[a-z_]+", value) and value != "default" else ""

    def get_key_display(self, binding: Binding) -> str:
        return actions.shown_key(binding.key)

    def keys_of(self, action: actions.Action) -> Sequence[str]:
        """The keys of an action as they are set now."""
        changed = self.keymap_in_use.get(action.id)
        return changed.split(",") if changed else action.keys

    def shown_keys(self, action_id: str) -> list[str]:
        """The keys of an action as they stand on the keyboard."""
        return [actions.shown_key(key) for key in self.keys_of(actions.BY_ID[action_id])]

    def key(self, action_id: str) -> str:
        """The first key of an action, for a sentence that tells one to press it."""
        return self.shown_keys(action_id)[0]

    def key_now(self, action_id: str, *, typing: bool) -> str:
        """The first of its keys that does something: while one is `typing` into a field, letters go there. Else empty."""
        keys = self.shown_keys(action_id)
        return next((key for key in keys if not typing or (len(key) > 1 and key != "space")), "")

    # ---- where one can go

    def tell(self, changed: set[str]) -> None:
        """Bring every screen up to date about these batches."""
        raise NotImplementedError

    def selected_in_list(self) -> str | None:
        """The batch under the cursor of the list of batches, whatever screen is in front."""
        raise NotImplementedError

    def leave_screen(self, screen: Screen[None]) -> None:
        """Back: to the screen below, or to the list of batches. Never out of the app."""
        raise NotImplementedError

    def leave_first_screen(self) -> None:
        """Leave the screen that greets where there are no batches, if it is in front."""
        raise NotImplementedError

    def open_batch(self, batch_id: str, cause: Cause | None = None) -> None:
        """Show the jobs of a batch, or those that failed for one cause."""
        raise NotImplementedError

    def read_result(self, batch_id: str, number: int, numbers: Sequence[int]) -> None:
        """Show the result of job `number`; `numbers` is the list it stands in, to step through."""
        raise NotImplementedError

    def compose_batch(
        self, path: Path | None = None, spec: BatchSpec | None = None, base: Path | None = None
    ) -> None:
        """Compose: a batch file or source, a given batch, or what was there before."""
        raise NotImplementedError

    def started_batch(self, batch_id: str) -> None:
        """A new batch was created: drive it and show it in the list."""
        raise NotImplementedError

    def show_log(self, batch_id: str | None) -> None:
        """The log, of one batch or of everything."""
        raise NotImplementedError

    def show_info(self, batch_id: str) -> None:
        """All there is to know about a batch."""
        raise NotImplementedError

    def show_errors(self, batch_id: str) -> None:
        """Why jobs of a batch failed."""
        raise NotImplementedError

    def show_views(self, batch_id: str, jobs: Sequence[str], among: frozenset[str] | None) -> None:
        """Tables and pictures over a batch, over one job, over two side by side, or over some jobs of it."""
        raise NotImplementedError

    def show_comparison(self, first: str, second: str) -> None:
        """Two batches over the same jobs: what changed."""
        raise NotImplementedError
