"""Actions of the compose screen with batch files, and with the columns of the source."""

from __future__ import annotations

from pathlib import Path

from batchtui import batchfile
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.errors import BatchtuiError
from batchtui.model import BatchSpec
from batchtui.tui.models.compose_model import column_template, form_of, named, rebased
from batchtui.tui.screens.asking.dialogs import Choose
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.composing.dialogs import AskPath
from batchtui.tui.widgets.form.compose_form import ComposeForm

_COLUMNS_OFFERED = 500


class ComposeFiles(AppScreen):
    """Needs what `ComposeScreen` has."""

    elsewhere: dict[str, str] | None

    def __init__(self) -> None:
        super().__init__()
        self._columns: list[str] = []

    @property
    def form(self) -> ComposeForm:
        return self.query_one(ComposeForm)

    def load(self, path: Path | None = None, spec: BatchSpec | None = None, base: Path | None = None) -> None:
        raise NotImplementedError

    def _spec(self) -> BatchSpec | None:
        raise NotImplementedError

    def _kind_of(self, name: str | None) -> str | None:
        raise NotImplementedError

    def action_compose_open(self) -> None:
        def answer(path: str | None) -> None:
            if path:
                self.load(path=Path(path))

        form = self.form.form
        about = "A batch file (.toml), or a source. What stands in the form is replaced."
        self.tui.ask(AskPath("Open", about, base=form.base), answer)

    def action_compose_save(self) -> None:
        spec = self._spec()
        if spec is None:
            return
        form = self.form.form
        value = str(form.path) if form.path else f"{named(spec).name}.toml"

        def answer(path: str | None) -> None:
            if path:
                self._save(spec, form.base, Path(path))

        about = "A file that is there already stays beside it as .bak."
        self.tui.ask(AskPath("Save as a batch file", about, value=value, base=form.base), answer)

    def _save(self, spec: BatchSpec, base: Path, path: Path) -> None:
        if not batchfile.is_batch_file(path):
            path = path.with_name(path.name + ".toml")
        moved = rebased(spec, base, path.absolute().parent)
        try:
            batchfile.save(moved, path)
        except (BatchtuiError, OSError) as fault:
            self.tui.say(fault, "error")
            return
        form = form_of(moved, self._kind_of(moved.backend), path.absolute().parent, path)
        if self.elsewhere is not None:
            own = {key for key, text in self.form.form.values.items() if text != self.elsewhere.get(key)}
            self.elsewhere = {key: text for key, text in form.values.items() if key not in own}
        else:
            Trusted(self.tui.data_dir).own(path)
        self.form.fill(form)
        self.tui.drafts.done()
        self.tui.drafts.begin(self.form.form, self.elsewhere)
        self.tui.say(f"saved {path}")

    def action_compose_column(self) -> None:
        row = self.form.focused_row()
        if not self._columns:
            self.tui.say("no columns are known yet: name a source first")
            return
        options = [(name, name) for name in self._columns[:_COLUMNS_OFFERED]]

        def answer(name: str | None) -> None:
            target = row or self.form.row("job.prompt")
            if name is not None and not target.insert(column_template(name)):
                self.tui.say("put the cursor into a field that takes text")

        self.tui.ask(Choose("Insert a column", options=options), answer)
