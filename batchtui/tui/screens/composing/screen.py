"""Compose: fill in, preview any row, check all of them, submit. Also opens and saves batch files."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.worker import get_current_worker

from batchtui.catalog import card_of, cards
from batchtui.config import key_state
from batchtui.config.providers import KEYLESS, THIS_MACHINE
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.engine.plan.planning import preview
from batchtui.errors import BatchtuiError
from batchtui.model import BatchSpec
from batchtui.tui.actions import table as actions
from batchtui.tui.latest import Latest
from batchtui.tui.models.compose_model import (
    FieldFault,
    Form,
    form_of,
    named,
    opened,
    source_of,
    spec_of,
    take_manifest,
)
from batchtui.tui.models.drafts import Draft
from batchtui.tui.models.form_fields import (
    BACKEND_KEY,
    OTHER_KEY,
    TASK_STEPS,
    WORK_KEY,
    does_tasks,
    picks_work,
)
from batchtui.tui.models.scan import Scan, scan
from batchtui.tui.screens.composing.drafts import ComposeDrafts
from batchtui.tui.screens.composing.estimating import ComposeEstimates
from batchtui.tui.screens.composing.files import ComposeFiles
from batchtui.tui.screens.composing.messages import Previewed, Scanned
from batchtui.tui.screens.composing.models import FLOW_KEY, MODEL_KEY
from batchtui.tui.screens.setup.backends import BackendsScreen
from batchtui.tui.widgets.form.compose_form import ComposeForm
from batchtui.tui.widgets.form.estimate_line import EstimateLine
from batchtui.tui.widgets.form.field_row import FieldRow, PickRow
from batchtui.tui.widgets.pane import Pane, heading
from batchtui.tui.widgets.preview import PreviewPane

PREVIEW_SECONDS, SCAN_SECONDS = 0.15, 0.3


class ComposeScreen(ComposeEstimates, ComposeFiles, ComposeDrafts):
    """The draft stays here while the app runs, whatever screen is shown, and on the disk beyond."""

    place = "compose"
    BINDINGS = actions.bindings("compose")

    def __init__(self) -> None:
        super().__init__()
        self._row = 1
        self._scan = Scan()
        self._scanned: object = None
        self._previewed: Previewed | None = None
        self._built = False
        self._wanted: tuple[Path | None, BatchSpec | None, Path | None] | None = None
        """What was to be loaded before the widgets were there."""
        self._latest = Latest(self)

    def body(self) -> ComposeResult:
        with Container(id="compose"):
            kinds = [*cards(), *(backend.kind for backend in self.tui.config.backends.values())]
            with Pane(id="form-pane", line=False):
                yield ComposeForm(Path.cwd(), kinds)
                yield EstimateLine()
            yield PreviewPane(id="preview", classes="open")

    def on_mount(self) -> None:
        self._built = True
        self._offer_backends()
        if self._wanted:
            self._start_over()
            self.load(*self._wanted)
        elif not self._newest_draft():
            self._start_over()

    def on_screen_resume(self) -> None:
        self._offer_backends()

    # ---- backends

    def _kind_of(self, name: str | None) -> str | None:
        name = name or self.tui.config.defaults.backend
        with contextlib.suppress(BatchtuiError):
            return self.tui.backends.kind(name) if name else None
        return None

    def _about(self, name: str) -> str:
        """Kind and key of a backend; never the key itself."""
        try:
            backend = self.tui.config.backend(name)
        except BatchtuiError as fault:
            return str(fault)
        card = card_of(backend.kind)
        if card and card.place:
            return card.place
        state = key_state(backend)
        return state if backend.kind == name else f"{backend.kind}, {state}"

    def _offer_backends(self) -> None:
        """Those that are set up first, then those that only lack a key."""
        names = list(dict.fromkeys([*self.tui.config.backends, *self.tui.backends.names()]))
        width = max((len(name) for name in names), default=0)
        row = self.form.row(BACKEND_KEY)
        assert isinstance(row, PickRow)
        row.offer([(f"{name.ljust(width)}  {self._about(name)}", name) for name in names])

    # ---- the draft

    def load(self, path: Path | None = None, spec: BatchSpec | None = None, base: Path | None = None) -> None:
        """Take a batch file, a bare source or a given batch into the form; what stood there is gone."""
        if not self._built:
            self._wanted = (path, spec, base)
            return
        try:
            if spec is not None:
                form = form_of(spec, self._kind_of(spec.backend), base or Path.cwd())
            elif path is not None:
                if self._draft_of(path):
                    return
                form = opened(path, self._kind_of)
            else:
                return
        except BatchtuiError as fault:
            self.tui.say(fault, "error")
            return
        self.elsewhere = dict(form.values) if form.path and not self._is_own(form.path) else None
        self._show(form)

    def _is_own(self, path: Path) -> bool:
        return Trusted(self.tui.data_dir).is_own(path)

    def _show(self, form: Form, draft: Draft | None = None) -> None:
        if form.backend is None and (name := self._usual_backend()):
            form.values[BACKEND_KEY] = name
            form.set_kind(self._kind_of(name))
        self._row, self._scanned, self._checked = 1, None, None
        self.form.fill(form)
        self._draft_begins(draft)
        self.query_one("#form-pane", Pane).entitle(heading("Batch", form.path.name if form.path else "new"))
        self._edited()
        first = "source.file" if not form.values.get("source.file") else BACKEND_KEY
        self.form.row(first).control.focus()

    def _usual_backend(self) -> str | None:
        """The default, or the only one that is set up; a cluster that is there by itself leaves `local` the usual one."""
        ready = list(self.tui.config.backends)
        if THIS_MACHINE in ready and KEYLESS.issuperset(ready):
            ready = [THIS_MACHINE]
        return self.tui.config.defaults.backend or (ready[0] if len(ready) == 1 else None)

    def _start_over(self) -> None:
        self.elsewhere = None
        self._show(Form())

    def action_compose_new(self) -> None:
        self._start_over()
        self.tui.say("the form is empty again; what stood in it is among the drafts")

    # ---- edits

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited | None = None) -> None:
        if event and event.key == BACKEND_KEY:
            self.form.set_kind(self._kind_of(self.form.form.backend))
        if event and event.key == WORK_KEY:
            self.form.show_work()
        if event and event.key in (BACKEND_KEY, MODEL_KEY, FLOW_KEY):
            self.show_models()
        if event:
            self._typed()
        if self.form.form == self._checked:  # news of what was typed before the check began
            return
        self._checked = None
        self._latest.stop("check")
        self._latest.after("preview", PREVIEW_SECONDS, self._run_preview)
        self._estimate_later()
        if event is None or event.key == OTHER_KEY or event.key.startswith("source."):
            self._latest.after("scan", SCAN_SECONDS, self._run_scan)

    # ---- the source

    def _run_scan(self) -> None:
        form = self.form.form
        file = form.values.get("source.file", "")
        row = self.form.row("source.file")
        if not file:
            self._latest.stop("scan")
            self._scan = Scan()
            row.note("")
            self.form.hint(self._scan.hints())
            return
        source = source_of(form)
        if self._scanned == (source, form.base):
            return
        self._scanned, self._scan = (source, form.base), Scan()

        def work() -> None:
            worker = get_current_worker()

            def tell(so_far: Scan) -> None:
                self.post_message(Scanned(worker, so_far))

            done = scan(
                source,
                form.base,
                lambda: worker.is_cancelled,
                tell,
            )
            self.post_message(Scanned(worker, done))

        self._latest.start("scan", work)

    @on(Scanned)
    def _show_scan(self, event: Scanned) -> None:
        if not self._latest.current("scan", event.worker):
            return
        self._scan = event.scan
        scan = event.scan
        self.form.row("source.file").note(scan.words() + scan.about(), bad=bool(scan.fault))
        self.form.hint(scan.hints())
        if scan.done and self._previewed and self._checked is None:  # now it is known of how many
            self._show_job(self._previewed)
        if scan.done and self._checked is None:
            self._estimate_later()
        form = self.form.form
        if scan.done and take_manifest(form, scan.default_job, scan.implied.kinds):
            for key in (BACKEND_KEY, WORK_KEY, "job.task"):
                self.form.row(key).text = form.values.get(key, "")
            if self._checked is not None:  # it was asked for before the source had told what it is
                self._run_plan(submit=False)

    def rows_of_source(self) -> int | None:
        return self._scan.rows if self._scan.done and not self._scan.fault else None

    def action_compose_task(self) -> None:
        """The next task; from other work to tasks."""
        form = self.form.form
        if not does_tasks(form.kind):
            self.tui.say("tasks on grids run on local, on slurm and on gat: choose one of them")
            return
        task = form.values.get("job.task", "")
        if form.work == "task" or not picks_work(form.kind) or task not in TASK_STEPS:
            place = TASK_STEPS.index(task) + 1 if task in TASK_STEPS else 0
            task = TASK_STEPS[place % len(TASK_STEPS)]
        self.form.row(WORK_KEY).text = "task"
        self.form.row("job.task").text = task

    # ---- the preview

    def _run_preview(self) -> None:
        try:
            form = self.form.form
            if not form.values.get("source.file") and not any(key.startswith("job.") for key in form.values):
                self.pane.show_text("Preview", "Name a source, pick a backend and say what a job does.")
                return
            spec = named(spec_of(form), form.path)
            self.form.tell_sweep(math.prod(map(len, spec.sweep.values())))
        except FieldFault as fault:
            self.pane.show_text("Preview", f"{fault.key}: {fault}")
            return
        row, base, backends = self._row, form.base, self.tui.backends
        self._previewed = None

        def work() -> None:
            worker = get_current_worker()
            found = preview(spec, base, backends, row)
            self.post_message(Previewed(worker, found, row, spec))

        self._latest.start("preview", work)

    @on(Previewed)
    def _show_preview(self, event: Previewed) -> None:
        if not self._latest.current("preview", event.worker):
            return
        self._columns = event.preview.columns
        self.form.know(self._columns)
        if self._without_backend(event.spec):
            self.pane.show_text("Preview", "Choose a backend to see the job as it would be sent.")
            return
        if event.preview.row is None and event.row > 1:
            self._row = event.row - 1
            self.tui.say(f"row {self._row:,} is the last")
            return
        self._previewed = event
        self._show_job(event)

    def _show_job(self, event: Previewed) -> None:
        total, about = (self._scan.rows, "") if self._scan.done else (event.preview.rows, "about ")
        self.pane.show_job(event.preview, event.row, f" of {about}{total:,}" if total else "")

    def action_compose_next_row(self) -> None:
        self._row += 1
        self._run_preview()

    def action_compose_previous_row(self) -> None:
        if self._row > 1:
            self._row -= 1
            self._run_preview()

    def action_compose_backends(self) -> None:
        self.tui.push_screen(BackendsScreen())
