"""The app: owns the worker, drains what changed four times a second, and moves between screens."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ScreenStackError
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.events import Event, Key, Paste
from textual.filter import LineFilter
from textual.screen import Screen

from batchtui.config import Config
from batchtui.model import BatchSpec
from batchtui.plain import in_browser
from batchtui.results.reading.digest import Cause
from batchtui.store.disk import clock
from batchtui.tui import terminal
from batchtui.tui.actions import leaving
from batchtui.tui.actions import table as actions
from batchtui.tui.base_app import BaseApp
from batchtui.tui.commands import ActionCommands
from batchtui.tui.crash import crash_text
from batchtui.tui.ending import Ending
from batchtui.tui.key_order import KeyOrder
from batchtui.tui.look import states, themes
from batchtui.tui.models import settings
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.batches import BatchesScreen
from batchtui.tui.widgets.guard import Guard, NoColour, Plain
from batchtui.tui.widgets.header import HeaderLine

Answer = TypeVar("Answer")
DRAIN_SECONDS = 0.25


def _compose_screen() -> Screen[None]:
    from batchtui.tui.screens.composing.screen import ComposeScreen

    return ComposeScreen()


def _log_screen() -> Screen[None]:
    from batchtui.tui.screens.log import LogScreen

    return LogScreen()


def _between_screens() -> AbstractContextManager[None]:
    """A timer may fire while a screen is built, which reads everything then, or taken down."""
    return suppress(NoMatches, ScreenStackError)


class BatchtuiApp(BaseApp, inherit_bindings=False):
    """Starts and stops, drains, and knows every screen."""

    TITLE = "batchtui"
    COMMANDS = {ActionCommands}
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = actions.bindings("app")
    CSS_PATH = sorted((Path(__file__).parent / "look/styles").glob("*.tcss"))
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "batches": BatchesScreen,
        "compose": _compose_screen,
        "log": _log_screen,
    }
    DEFAULT_MODE = "batches"
    ESCAPE_TO_MINIMIZE = False
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        config: Config,
        data_dir: Path,
        *,
        open_batch: str | None = None,
        new_from: Path | None = None,
        drive: bool = True,
        worker: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        own = sys.platform != "win32" and not in_browser()
        driver = terminal.TolerantDriver if own else None
        super().__init__(config, data_dir, driver=driver, works=worker and drive, now=now)
        self.read_only = self.link.read_only = not drive
        self.ending = Ending(self)
        self.to_terminal: Callable[[str], None] | None = None
        """Bytes beside what is painted; the driver's, once there is one."""
        self._open, self._new_from = open_batch, new_from
        self._faults: list[str] = []
        self._guard = Guard()
        self._keys = KeyOrder(self, super().on_event)
        self._theme_at_start = ""

    # ---- starting and stopping

    def on_load(self) -> None:
        # From Python 3.12 on Textual has tasks begin where they are made, so that a mode's first screen mounts its
        # fields before it is on the stack, where they look for it (ScreenStackError). One order on every Python.
        asyncio.get_running_loop().set_task_factory(None)
        self.link.read()

    def on_mount(self) -> None:
        own, unfit = themes.from_folder(self.config.path.parent / "themes")
        for theme in (*themes.OWN, *own):
            self.register_theme(theme)
        self.theme = self._wanted_theme()
        self._theme_at_start = self.theme
        self.theme_changed_signal.subscribe(self, lambda _: self._remember_theme())
        self.keymap_in_use, faults = actions.keymap(self.config.keys)
        self.set_keymap(self.keymap_in_use)
        self._faults = [*unfit, *faults, *(str(problem) for problem in self.config.problems)]
        self.set_interval(DRAIN_SECONDS, self._drain)
        self.set_interval(1, self._tick)
        self.call_after_refresh(self._start)

    def _remember_theme(self) -> None:
        if self.theme != self._theme_at_start:
            self._theme_at_start = ""
            settings.write_ui(self.config, "theme", self.theme)

    def _wanted_theme(self) -> str:
        if self.no_color:
            return "ansi-dark"
        wanted = self.config.ui.get("theme")
        return wanted if wanted in self.available_themes else themes.DARK.name

    def _start(self) -> None:
        """After the first paint: the worker, and what the command line asked for."""
        gc.enable()
        for fault in self._faults:
            self.say(fault, "warning")
        if self.works:
            self.link.start(self.backends)
        if not self.read_only:
            settings.write(self.config, "last_open", clock.now())
        if self._open:
            self.open_batch(self._open)
        elif self._new_from:
            self.compose_batch(path=self._new_from)
        elif not self.link.folders() and self.current_mode == "batches" and len(self.screen_stack) == 1:
            from batchtui.tui.screens.beginning.first_run import FirstRunScreen

            self.push_screen(FirstRunScreen())

    def _drain(self) -> None:
        if changed := self.link.drain():
            self.tell(changed)
        while self.link.rings:
            told = self.link.rings.popleft()
            if self.to_terminal:
                self.to_terminal(told.decode())
        while self._heard:
            self.say(self._heard.popleft(), "warning")

    def tell(self, changed: set[str]) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, AppScreen) and screen.is_mounted:
                with _between_screens():
                    screen.changed(changed)
        self._refresh_header()

    def _tick(self) -> None:
        if not self.is_headless and terminal.gone():
            self.exit(return_code=129)
        with _between_screens():
            if isinstance(self.screen, AppScreen):
                self.screen.tick()
        self._refresh_header()

    def _refresh_header(self) -> None:
        with _between_screens():
            for header in self.screen.query(HeaderLine):
                header.renew()

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._keys.take(event)
        else:
            await super().on_event(event)

    # ---- rendering

    @on(Driver.SignalResume)
    def paint_again(self) -> None:
        """After ctrl+z and `fg`: nothing of what stood on the screen is there any more."""
        self.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        first = [NoColour()] if self.no_color else super().get_line_filters()
        last = [Plain()] if self.glyphs is states.ASCII else []
        return [*first, self._guard, *last]

    def _handle_exception(self, error: Exception) -> None:
        """On the way out a screen that is half built or half taken down is no fault, and the exit code stands."""
        if self._exit:
            self._close_messages_no_wait()
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self.panic(crash_text(self._exception))

    # ---- moving

    def front(self) -> AppScreen | None:
        """The screen in front, dialogs left out."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, AppScreen)), None)

    def batches_screen(self) -> BatchesScreen:
        screen = self.get_screen_stack("batches")[0]
        assert isinstance(screen, BatchesScreen)
        return screen

    def selected_batch(self) -> str | None:
        """The batch that the screen in front means, or else the one selected in the list."""
        front = self.front()
        return (front.selected_batch() if front else None) or self.batches_screen().selected_batch()

    def selected_in_list(self) -> str | None:
        return self.batches_screen().selected_batch()

    def leave_screen(self, screen: Screen[None]) -> None:
        if len(self.screen_stack) > 1:
            screen.dismiss()
        elif self.current_mode != "batches":
            self.switch_mode("batches")

    def open_batch(self, batch_id: str, cause: Cause | None = None) -> None:
        from batchtui.tui.screens.batch import BatchScreen

        folder = self.link.folder(batch_id)
        if folder is None:
            self.say(f"batch {batch_id} is not there any more", "warning")
            return
        self.switch_mode("batches")
        self._close_down_to("batches")
        self.batches_screen().select(batch_id)
        self.push_screen(BatchScreen(batch_id, cause))

    def read_result(self, batch_id: str, number: int, numbers: Sequence[int]) -> None:
        from batchtui.tui.screens.reading.result import ResultScreen

        if folder := self.link.folder(batch_id):
            self.push_screen(ResultScreen(folder, number, numbers))

    def compose_batch(
        self, path: Path | None = None, spec: BatchSpec | None = None, base: Path | None = None
    ) -> None:
        from batchtui.tui.screens.composing.screen import ComposeScreen

        self.switch_mode("compose")
        screen = self.screen_stack[0]
        if isinstance(screen, ComposeScreen) and (path or spec):
            screen.load(path=path, spec=spec, base=base)

    def leave_first_screen(self) -> None:
        front = self.front()
        if front is not None and front.place == "first_run":
            front.dismiss()

    def show_info(self, batch_id: str) -> None:
        from batchtui.tui.screens.info import InfoScreen

        self.push_screen(InfoScreen(batch_id))

    def show_errors(self, batch_id: str) -> None:
        from batchtui.tui.screens.errors import ErrorsScreen

        self.push_screen(ErrorsScreen(batch_id))

    def show_views(self, batch_id: str, jobs: Sequence[str], among: frozenset[str] | None) -> None:
        from batchtui.tui.screens.reading.views import ViewsScreen

        self.push_screen(ViewsScreen(batch_id, tuple(jobs), among=among))

    def show_comparison(self, first: str, second: str) -> None:
        from batchtui.tui.screens.reading.compare import CompareScreen

        self.push_screen(CompareScreen(first, second))

    def started_batch(self, batch_id: str) -> None:
        if self.link.worker:
            self.link.worker.drive(batch_id)
        self.link.refresh()
        self.switch_mode("batches")
        self._close_down_to("batches")
        self.tell({batch_id, ""})
        self.batches_screen().select(batch_id)

    def _close_down_to(self, mode: str) -> None:
        """Leave the screens that were opened over the one that a digit names."""
        for screen in reversed(self.get_screen_stack(mode)[1:]):
            screen.dismiss()

    # ---- actions of every screen

    def action_screen_batches(self) -> None:
        self.switch_mode("batches")
        self._close_down_to("batches")

    def action_screen_compose(self) -> None:
        self.compose_batch()
        self._close_down_to("compose")

    def action_screen_results(self) -> None:
        if batch_id := self.selected_batch():
            self.open_batch(batch_id)
        else:
            self.say_none()

    def action_screen_log(self) -> None:
        self.show_log(None)
        self._close_down_to("log")

    def show_log(self, batch_id: str | None) -> None:
        from batchtui.tui.screens.log import LogScreen

        self.switch_mode("log")
        screen = self.screen_stack[0]
        if isinstance(screen, LogScreen) and batch_id:
            screen.only(batch_id)

    def action_screen_back(self) -> None:
        if front := self.front():
            front.back()

    def action_app_refresh(self) -> None:
        if self.link.worker:
            self.link.worker.poll_now()
            self.say("asking every backend now")
        else:
            self.link.read()
            self.tell({"", *(folder.id for folder in self.link.folders())})

    def action_app_palette(self) -> None:
        self.action_command_palette()

    def action_app_interrupt(self) -> None:
        self.say(
            f"{self.key('app.quit')} quits, and what runs remotely keeps running; {self.key('batch.cancel')} cancels"
        )

    def action_app_help(self) -> None:
        from batchtui.tui.screens.help import HelpScreen

        front = self.front()
        self.push_screen(HelpScreen(front.place if front else "batches"))

    def action_app_settings(self) -> None:
        from batchtui.tui.screens.setup.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen(self.selected_batch()))

    def action_app_suspend(self) -> None:
        if not terminal.suspend():
            self.say("not put aside: no shell is there that could bring it back", "warning")

    def action_app_quit(self) -> None:
        leaving.quit_app(self)

    def action_leave(self) -> None:
        leaving.quit_app(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "leave" or actions.LEAVES in self.keys_of(actions.BY_ID["app.quit"])
