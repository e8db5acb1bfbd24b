"""Two batches over the same jobs: what changed, largest first."""

from __future__ import annotations

from typing import ClassVar

from batchtui.errors import NotFound
from batchtui.results.views import answers_of_two
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import View
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import table as actions
from batchtui.tui.screens.reading.pair import PairScreen
from batchtui.tui.screens.reading.views import ViewsScreen


class CompareScreen(ViewsScreen):
    """The second batch beside the first; Enter shows both answers to the row's job."""

    place: ClassVar[str] = "compare"
    BINDINGS = actions.bindings("compare")

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)
        self.other_id = second

    def subject_words(self) -> str:
        other = self.tui.link.folder(self.other_id)
        name = (other.header.name or other.id) if other else self.other_id
        return f"{super().subject_words()} and {name}"

    def find_names(self, folder: BatchFolder) -> list[tuple[str, str]]:
        from batchtui.results.views import registry

        return registry.names_of_two(folder, self._other())

    def build_view(self, folder: BatchFolder, name: str, options: Options) -> View:
        from batchtui.results.views import registry

        return registry.build_of_two(folder, self._other(), name, options)

    def open_job(self, folder: BatchFolder, view: View, row: int) -> None:
        jobs = list(dict.fromkeys(view.jobs[at] for at in self.table.numbers))
        self.app.push_screen(PairScreen(folder, self._other(), jobs, jobs.index(view.jobs[row])))

    def on_screen_resume(self) -> None:
        """What was judged meanwhile stands in the table."""
        if self._view is not None and self._view.name == answers_of_two.NAME and not self._words:
            self._cursor = self.table.cursor
            self.show_view(self._name or answers_of_two.NAME, self._options)

    def _other(self) -> BatchFolder:
        folder = self.tui.link.folder(self.other_id)
        if folder is None:
            raise NotFound(f"batch {self.other_id} is not there any more")
        return folder
