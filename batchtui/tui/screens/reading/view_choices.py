"""What is chosen of a batch's views: which one, over which jobs, and the columns that it draws."""

from __future__ import annotations

from dataclasses import replace

from batchtui.results.views.options import Options
from batchtui.results.views.shapes import View
from batchtui.tui.screens.asking.pick import Pick
from batchtui.tui.screens.base import AppScreen


class ViewChoices(AppScreen):
    """Needs what its screen holds: the names of the views, and the one that is shown."""

    _names: list[tuple[str, str]]
    _name: str | None
    _view: View | None
    _options: Options
    _jobs: tuple[str, ...]
    _among: frozenset[str] | None

    def show_view(self, name: str, options: Options | None = None) -> None:
        """Read a view and show it."""
        raise NotImplementedError

    def _step(self, by: int) -> None:
        names = [name for name, _ in self._names]
        if names and self._name in names:
            self.show_view(names[(names.index(self._name) + by) % len(names)])

    def action_view_next(self) -> None:
        self._step(1)

    def action_view_previous(self) -> None:
        self._step(-1)

    def action_view_choose(self) -> None:
        def answered(name: str | None) -> None:
            if name:
                self.show_view(name)

        if self._names:
            self.tui.ask(Pick("Show", self._names, self._name), answered)

    def action_view_x(self) -> None:
        self._pick_axis("x")

    def action_view_y(self) -> None:
        self._pick_axis("y")

    def _pick_axis(self, axis: str) -> None:
        view = self._view
        if not view or not view.choices:
            self.tui.say("this view has no columns to choose; Plot has")
            return
        held = view.axes[0 if axis == "x" else 1]
        options = [(name, name) for name in view.choices]

        def answered(name: str | None) -> None:
            if name and self._name:
                x, y = view.axes
                x, y = (name, y) if axis == "x" else (x, name)
                self.show_view(self._name, replace(self._options, x=x, y=y, row=None))

        self.tui.ask(Pick(f"Column for {axis}", options, held), answered)

    def action_view_all(self) -> None:
        if not self._jobs and self._among is None:
            self.tui.say("this is about the whole batch already")
        elif self._name:
            some = self._options.jobs or self._options.among is not None
            jobs, among = ((), None) if some else (self._jobs, self._among)
            self.show_view(self._name, replace(self._options, jobs=jobs, among=among))
