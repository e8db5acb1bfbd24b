"""The field of a model or a flow: what its backend offers is asked for in the background once the cursor is there."""

from __future__ import annotations

from textual import events, on
from textual.suggester import SuggestFromList
from textual.worker import get_current_worker

from batchtui.catalog import card_of
from batchtui.tui.latest import Latest
from batchtui.tui.models import offered as backend_models
from batchtui.tui.models.offered import Models
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.composing.messages import ModelsTold
from batchtui.tui.screens.composing.pick_model import PickModel
from batchtui.tui.widgets.form.compose_form import ComposeForm
from batchtui.tui.widgets.form.field_row import InputRow

MODEL_KEY, FLOW_KEY = "job.model", "job.flow"


class ComposeModels(AppScreen):
    """Needs what `ComposeScreen` has."""

    _latest: Latest
    _picking = False

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, Models] = {}
        self._asked: set[str] = set()

    @property
    def form(self) -> ComposeForm:
        return self.query_one(ComposeForm)

    def _backend(self) -> str | None:
        return self.form.form.backend or self.tui.config.defaults.backend

    @property
    def _noun(self) -> str:
        card = card_of(self.form.form.kind or "")
        return card.lists if card else "model"

    def _model_row(self) -> InputRow:
        row = self.form.row(f"job.{self._noun}")
        assert isinstance(row, InputRow)
        return row

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget is self._model_row().control:
            self._ask()

    def _ask(self, *, again: bool = False) -> None:
        """Ask the backend of the form, once, which models it has."""
        name = self._backend()
        if name is None or (name in self._asked and not again):
            return
        self._asked.add(name)
        config, noun = self.tui.config, self._noun

        def work() -> None:
            worker = get_current_worker()
            self.post_message(ModelsTold(worker, name, backend_models.models_of(config, name, noun)))

        self.run_worker(work, thread=True, group="models", exit_on_error=False)

    @on(ModelsTold)
    def _told(self, event: ModelsTold) -> None:
        self._models[event.backend] = event.models
        if event.backend != self._backend():
            return
        self.show_models()
        if self._picking:
            self._pick()

    def show_models(self) -> None:
        """The line below the field, and what it completes."""
        row, found = self._model_row(), self._models.get(self._backend() or "")
        row.input.suggester = SuggestFromList(found.names, case_sensitive=False) if found else None
        row.note(found.about(row.text.strip(), self.tui.key("compose.models")) if found else "")

    def action_compose_models(self) -> None:
        row = self._model_row()
        name = self._backend()
        if name is None or not row.display:
            self.tui.say("choose a backend that has models or flows first")
            return
        self._picking = True
        found = self._models.get(name)
        if found and found.names:
            self._pick()
        else:
            self.tui.say(f"asking {name} which {self._noun}s it has")
            self._ask(again=True)

    def _pick(self) -> None:
        self._picking = False
        name = self._backend() or ""
        found, row = self._models[name], self._model_row()
        if not found.names:
            self.tui.say(f"no {found.noun}s to choose from: {found.fault}", "warning")
            return

        def answer(model: str | None) -> None:
            if model:
                row.text = model
                row.control.focus()

        self.tui.ask(PickModel(f"{found.noun.capitalize()}s of {name}", found, row.text.strip()), answer)
