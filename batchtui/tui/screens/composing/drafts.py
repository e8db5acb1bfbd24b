"""What the compose screen does with drafts: keeps what is typed, brings it back, lists those put aside."""

from __future__ import annotations

from pathlib import Path

from batchtui.tui.look.figures import clock_time
from batchtui.tui.models.compose_model import Form
from batchtui.tui.models.drafts import Draft
from batchtui.tui.screens.asking.dialogs import Choose
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.form.compose_form import ComposeForm


class ComposeDrafts(AppScreen):
    """Needs what `ComposeScreen` has."""

    elsewhere: dict[str, str] | None

    @property
    def form(self) -> ComposeForm:
        return self.query_one(ComposeForm)

    def _kind_of(self, name: str | None) -> str | None:
        raise NotImplementedError

    def _show(self, form: Form, draft: Draft | None = None) -> None:
        raise NotImplementedError

    def _draft_begins(self, draft: Draft | None) -> None:
        """Another form was filled in."""
        self.tui.drafts.begin(self.form.form, self.elsewhere, draft)

    def _typed(self) -> None:
        self.tui.drafts.note(self.form.form, self.elsewhere)

    def _bring_back(self, draft: Draft) -> None:
        """Show it, with its time."""
        self.elsewhere = draft.elsewhere
        self._show(draft.form(self._kind_of), draft)
        keys = ", ".join(self.tui.shown_keys("compose.new"))
        self.tui.say(f"draft of {clock_time(draft.time, self.tui.now())}: {draft.name}; {keys} starts over")

    def _newest_draft(self) -> bool:
        """Bring back what was typed when the app ended; whether there was such."""
        draft = self.tui.drafts.newest()
        if draft:
            self._bring_back(draft)
        return draft is not None

    def _draft_of(self, path: Path) -> bool:
        draft = self.tui.drafts.of(path)
        if draft:
            self._bring_back(draft)
        return draft is not None

    def action_compose_drafts(self) -> None:
        drafts = {draft.id: draft for draft in self.tui.drafts.all()}
        if not drafts:
            self.tui.say("there are no other drafts")
            return
        now = self.tui.now()
        options = [
            (one.id, f"{clock_time(one.time, now)}  {one.name}  {one.words[:60]}".rstrip())
            for one in drafts.values()
        ]

        def answer(chosen: str | None) -> None:
            if chosen is not None:
                self._bring_back(drafts[chosen])

        about = "Forms that were neither submitted nor saved. What stands in the form is kept as one of them."
        self.tui.ask(Choose("Drafts", about, options=options), answer)
