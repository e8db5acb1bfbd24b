"""Check and submit: every row looked at in a thread, what a batch from elsewhere does agreed to, and the batch made."""

from __future__ import annotations

from collections.abc import Callable

from textual import on

from batchtui.amounts import counted
from batchtui.causes import by_cause
from batchtui.engine.plan.consent.reach import Reach, words_of
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.engine.plan.planning import Planned, create
from batchtui.errors import BatchtuiError
from batchtui.model import BatchSpec, Problem
from batchtui.preflight import Preflight
from batchtui.store.library import Draft as BatchDraft
from batchtui.tui.models.compose_model import FieldFault, Form, field_key, named, spec_of
from batchtui.tui.models.form_fields import BACKEND_KEY
from batchtui.tui.screens.composing.dialogs import confirm_submit, confirm_trust
from batchtui.tui.screens.composing.messages import Checked, Ticked
from batchtui.tui.screens.composing.models import ComposeModels
from batchtui.tui.screens.composing.submit import check_work
from batchtui.tui.widgets.preview import FORM_NAME, PreviewPane


class ComposeChecks(ComposeModels):
    """Needs what `ComposeScreen` has."""

    def __init__(self) -> None:
        super().__init__()
        self._checked: Form | None = None
        """What the check under way, or just shown, is about."""
        self.elsewhere: dict[str, str] | None = None
        """Fields as a batch file brought them: words of whoever made it. None for what was made here."""

    @property
    def pane(self) -> PreviewPane:
        return self.query_one(PreviewPane)

    def _start_over(self) -> None:
        raise NotImplementedError

    def _show_whole(self, flight: Preflight) -> None:
        """Every job has been counted."""
        raise NotImplementedError

    def _spec(self) -> BatchSpec | None:
        """The batch as written; None, and a complaint at its field, where it cannot be read."""
        try:
            return spec_of(self.form.form)
        except FieldFault as fault:
            self.form.complain(fault.key, str(fault))
            return None

    def _without_backend(self, spec: BatchSpec) -> bool:
        return not (spec.backend or self.tui.config.defaults.backend or spec.job.get("backend"))

    def action_compose_check(self) -> None:
        self._after_keys(self._run_plan, submit=False)

    def action_compose_submit(self) -> None:
        self._after_keys(self._run_plan, submit=True)

    def _after_keys(self, call: Callable[..., None], **options: bool) -> None:
        """Call it behind the keys that the field with the cursor has not taken in yet."""
        (self.focused or self).call_later(self.call_later, call, **options)

    def _run_plan(self, *, submit: bool) -> None:
        self.form.forgive()
        spec = self._spec()
        if spec is None:
            return
        if self._without_backend(spec):
            self.form.complain(BACKEND_KEY, "choose where the jobs run")
            return
        form = self._checked = self.form.form
        self._latest.stop("preview")
        self.pane.title("Check", "reading the source")
        work = check_work(
            named(spec, form.path),
            form.base,
            form.path.name if form.path else FORM_NAME,
            self.tui.backends,
            self.post_message,
            self.tui.library,
            self._reach(spec, form),
            submit=submit,
        )
        self._latest.start("check", work)

    def _reach(self, spec: BatchSpec, form: Form) -> Reach:
        """What collects what a batch does beyond its words; those that were typed here are the user's own."""
        if self.elsewhere is None:
            return Reach(spec, form.base, words_of(spec))
        own = {key for key, text in form.values.items() if text != self.elsewhere.get(key)}
        return Reach(spec, form.base, own)

    @on(Ticked)
    def _show_tick(self, event: Ticked) -> None:
        if self._latest.current("check", event.worker) and event.rows:
            self.pane.title("Check", f"{counted(event.rows, 'row')} read")

    @on(Checked)
    def _show_check(self, event: Checked) -> None:
        flight, draft = event.planned.preflight, event.draft
        if not self._latest.current("check", event.worker):
            if draft:
                draft.discard()
            return
        reach = event.reach
        flight.problems += [Problem(message=f"it {line}", fatal=False) for line in reach.lines]
        self.pane.show_check(flight)
        self._show_whole(flight)
        if flight.stopped or draft is None:
            if draft:
                draft.discard()
            if fatal := next((cause for cause in by_cause(flight.problems) if cause.first.fatal), None):
                self.form.complain(field_key(fatal.first.key, self.form.form), str(fatal))
            return
        if not reach.lines or reach.hash in Trusted(self.tui.data_dir):
            self._ask_submit(event.planned, draft)
            return

        def answer(yes: bool | None) -> None:
            if yes:
                Trusted(self.tui.data_dir).add(reach.hash)
                self._ask_submit(event.planned, draft)
            else:
                draft.discard()

        self.tui.ask(confirm_trust(event.planned.spec.name, reach.lines), answer)

    def _ask_submit(self, planned: Planned, draft: BatchDraft) -> None:
        def answer(yes: bool | None) -> None:
            if not yes:
                draft.discard()
                return
            try:
                agreed = any(problem.asks == "cost" for problem in planned.preflight.problems)
                folder = create(planned, draft, unpriced_agreed=agreed)
            except (BatchtuiError, OSError) as fault:
                draft.discard()
                self.tui.say(fault, "error")
                return
            jobs = planned.preflight.jobs
            self.tui.drafts.done()
            self._start_over()
            self.tui.started_batch(folder.id)
            self.tui.say(f"{folder.header.name} is batch {folder.id}: {counted(jobs, 'job')}")

        self.tui.ask(confirm_submit(planned.spec.name, planned.preflight), answer)
