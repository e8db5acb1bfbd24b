"""One batch: its jobs, one a line, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.worker import get_current_worker

from batchtui.errors import BatchtuiError, StoreDamaged
from batchtui.results.reading.digest import Cause, members
from batchtui.store.fold.columns import Columns
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import (
    batch_actions,
    choosing_columns,
    cloning,
    comparing,
    exporting,
    job_actions,
    labelling,
)
from batchtui.tui.actions import table as actions
from batchtui.tui.actions.marking import MarksRows
from batchtui.tui.actions.scope import Scope, scope_of
from batchtui.tui.look.job_facts import JobFacts
from batchtui.tui.models.answer_search import AnswerSearch
from batchtui.tui.models.job_filter import UNSUCCESSFUL, JobFilter, Wanted, understand
from batchtui.tui.screens.reading import job_list_words
from batchtui.tui.screens.reading.job_preview import JobPreview
from batchtui.tui.screens.whole_batch import WholeBatch
from batchtui.tui.widgets.detail import BatchFigures, DetailStrip
from batchtui.tui.widgets.empty import Empty
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import GAP, Pane, heading
from batchtui.tui.widgets.tables.job_table import JobTable

SORTS = ("source order", "state", "tries", "id")
TITLES = {"source order": "JOB", "state": "STATE", "tries": "TRY", "id": "JOB"}
"""Of the columns that they look at."""


class BatchScreen(WholeBatch, MarksRows[int]):
    """The job table of a batch, which is named by its id: its folder may be opened anew underneath."""

    place: ClassVar[str] = "batch"
    BINDINGS = actions.bindings("batch")
    AUTO_FOCUS = "#jobs"

    def __init__(self, batch_id: str, cause: Cause | None = None) -> None:
        super().__init__(batch_id)
        self._cause = cause
        """What those that are shown failed of, where that was asked for."""
        self._filter: JobFilter | None = None
        self._facts: JobFacts | None = None
        self._wanted = Wanted()
        self._query = ""
        self._search: AnswerSearch | None = None
        """What reading the results lets through, once that was asked for."""
        self._failed_only = False
        self._sort, self._reversed = 0, False
        self._seq = -1

    def body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="jobs-side"):
                with Pane(id="jobs-pane"):
                    yield FilterBox(
                        "text in ids and errors  !text  status:failed  error:rate   enter reads answers too",
                        narrows=JobTable,
                    )
                    yield Empty()
                    yield JobTable()
                yield DetailStrip("strip")
            with Vertical(id="job-side"):
                yield JobPreview()
                with Pane(id="batch-facts"), VerticalScroll(can_focus=False):
                    yield BatchFigures("figures")

    def on_mount(self) -> None:
        folder = self.folder
        if folder is None:
            return
        self.query_one("#batch-facts", Pane).entitle(heading("Facts"))
        choosing_columns.as_chosen(self.tui, self.table, "jobs")
        self._facts = JobFacts(folder.path)
        if self._show_jobs(folder):
            self._bring_up_to_date()

    def _show_jobs(self, folder: BatchFolder) -> bool:
        """Take the jobs' ids in: once, and again when some were born. False where they cannot be read."""
        assert self._facts
        try:
            ids = folder.jobs.ids
        except StoreDamaged as fault:
            self.tui.say(fault, "error")
            return False
        self._filter = JobFilter(ids)
        self.table.show_jobs(ids, self._facts)
        return True

    def on_unmount(self) -> None:
        if self._facts:
            self._facts.close()

    # ---- bringing it up to date

    @property
    def folder(self) -> BatchFolder | None:
        return self.tui.link.folder(self.batch_id)

    @property
    def table(self) -> JobTable:
        return self.query_one(JobTable)

    def subject(self) -> Widget:
        answer = self.query_one(JobPreview).view
        return answer if answer.has_focus else self.table

    def selected_batch(self) -> str:
        return self.batch_id

    def changed(self, batch_ids: set[str]) -> None:
        if self.batch_id in batch_ids:
            self._bring_up_to_date()

    def tick(self) -> None:
        self._title()
        self._show_job()
        self.query_one("#strip", DetailStrip).show(self.batch_id)
        self.query_one(BatchFigures).show(self.batch_id)

    def _bring_up_to_date(self, *, chosen_anew: bool = False) -> None:
        folder = self.folder
        if folder is None or self._filter is None:
            return
        columns = folder.columns()
        if len(columns.states) > len(self.table.ids):
            chosen_anew = True
            if not self._show_jobs(folder):
                return
        plain = not (self._query or self._failed_only or self._cause or self._sort or self._reversed)
        known = len(self.table.numbers) == len(columns.states)  # a job's line may be read before its birth
        if plain and known and not chosen_anew and self._seq >= 0:
            numbers: Sequence[int] = self.table.numbers
        else:
            found = self._filter.numbers(self._wanted, columns, failed_only=self._failed_only)
            if self._cause:
                among = set(members(columns, self._cause))
                found = [n for n in found if n in among]
            numbers = self._numbers(columns.states, found, columns.tries)
        self._seq = columns.seq
        self.table.show_columns(columns, numbers)
        why, then = ("", ()) if numbers else job_list_words.nothing(len(columns.states), self._query)
        self.query_one(Empty).stand_for(self.table, why, then)
        if self._search and self._search.stale(columns):
            self._read_answers(folder, self._search)
        self.tick()

    def _numbers(self, codes: bytes, found: Sequence[int], tries: bytes) -> Sequence[int]:
        read = self._search.found if self._search else None
        if read is not None:
            found = [n for n in found if n in read]
        match SORTS[self._sort]:
            case "state":
                found = sorted(found, key=lambda n: (codes[n] not in UNSUCCESSFUL, codes[n]))
            case "tries":
                counts = memoryview(tries).cast("H")
                found = sorted(found, key=lambda n: -counts[n])
            case "id":
                ids = self.table.ids
                found = sorted(found, key=lambda n: ids[n])
        return found[::-1] if self._reversed else found

    def _title(self) -> None:
        status = self.tui.link.status(self.batch_id)
        table = self.table
        told = job_list_words.chosen(self._failed_only, self._cause, len(table.marked))
        pane = self.query_one("#jobs-pane", Pane)
        if self._wanted.problem:  # whole, where one types
            pane.entitle(shown(self._wanted.problem, "$text-warning"))
            return
        if self._search:
            if self._search.found is None:
                told.append(Content.styled("reading the answers …", "$text-warning"))
        elif self._wanted.reads or (self._wanted.in_answers and status and status.finished):
            told.append(Content.styled("enter reads the answers", "$text-warning"))
        title = job_list_words.title(status, self.tui.glyphs, len(table.numbers), len(table.ids))
        pane.entitle(title, GAP.join(told))

    @on(JobTable.Moved)
    def _show_job(self) -> None:
        self.query_one(JobPreview).show(self.folder, self.table.current())

    # ---- filter and sort

    def action_list_filter(self) -> None:
        self.query_one(FilterBox).open()
        if self._filter:
            self.call_after_refresh(self._filter.warm)

    @on(FilterBox.Changed)
    def filter_typed(self, event: FilterBox.Changed) -> None:
        self._query, self._search = event.value, None
        wanted = understand(event.value)
        if wanted.problem:
            self._wanted = Wanted(
                self._wanted.all_of, self._wanted.none_of, self._wanted.reads, wanted.problem
            )
            self._title()
            return
        self._wanted = wanted
        self._bring_up_to_date(chosen_anew=True)

    @on(FilterBox.Submitted)
    def search_answers(self) -> None:
        folder = self.folder
        if folder and self._query.strip() and not self._wanted.problem:
            self._search = AnswerSearch(self._query)
            self._read_answers(folder, self._search)
            self._title()

    def _read_answers(self, folder: BatchFolder, search: AnswerSearch) -> None:
        """Read in a thread what has news; what comes meanwhile is read after it."""
        if search.reading:
            return
        search.reading = True

        def work() -> None:
            worker = get_current_worker()
            try:
                read = search.read(folder, lambda: worker.is_cancelled or self._search is not search)
            except (BatchtuiError, OSError) as fault:
                self.app.call_later(self._not_read, search, fault)
                return
            if read:
                self.app.call_later(self._found, search, *read)

        self.run_worker(work, thread=True, group="search", exit_on_error=False)

    def _not_read(self, search: AnswerSearch, fault: Exception) -> None:
        search.reading = False
        self.tui.say(fault, "warning")
        if search is self._search and search.found is None:
            self._search = None

    def _found(self, search: AnswerSearch, columns: Columns, numbers: frozenset[int]) -> None:
        search.reading = False
        search.take(columns, numbers)
        if search is self._search and self.is_mounted:
            self._wanted = Wanted(reads=True)
            self._bring_up_to_date(chosen_anew=True)
            then, search.then = search.then, None
            if then and self.is_current:
                then()

    def action_list_failed(self) -> None:
        self._failed_only = not self._failed_only
        self._bring_up_to_date(chosen_anew=True)

    def action_list_sort(self) -> None:
        self._sort = (self._sort + 1) % len(SORTS)
        self._show_order()
        self.tui.say(f"sorted by {SORTS[self._sort]}")

    @on(JobTable.HeadClicked)
    def head_clicked(self, event: JobTable.HeadClicked) -> None:
        """Sorts by that column, or the other way round; by ids where they are clicked."""
        if name := next((name for name in reversed(SORTS) if TITLES[name] == event.title), None):
            self._sort, self._reversed = SORTS.index(name), SORTS[self._sort] == name and not self._reversed
            self._show_order()

    def action_list_reverse(self) -> None:
        self._reversed = not self._reversed
        self._show_order()

    def _show_order(self) -> None:
        name = SORTS[self._sort]
        falls = (name == "tries") != self._reversed
        plain = name == SORTS[0] and not self._reversed
        self.table.sorted_by = "" if plain else f"{TITLES[name]} {'▾' if falls else '▴'}"
        self._bring_up_to_date(chosen_anew=True)

    def action_list_columns(self) -> None:
        choosing_columns.choose(self.tui, self.table, "jobs")

    def marks_changed(self) -> None:
        self.table.refresh()
        self._title()

    def back(self) -> None:
        if self.query_one(FilterBox).clear_query():
            return
        if self._cause:
            self._cause = None
            self._bring_up_to_date(chosen_anew=True)
        elif self.table.marked:
            self.action_list_none()
        else:
            super().back()

    # ---- actions

    def action_job_open(self) -> None:
        current = self.table.current()
        if current is not None:
            self.tui.read_result(self.batch_id, current, self.table.numbers)

    @on(JobTable.Opened)
    def job_clicked(self, event: JobTable.Opened) -> None:
        self.tui.read_result(self.batch_id, event.number, self.table.numbers)

    def _marked_ids(self) -> list[str]:
        return [self.table.ids[n] for n in sorted(self.table.marked)]

    def _meant(self, act: Callable[[Scope], None]) -> None:
        """Do it to what a key is about: now, or once the list shows what was asked for."""
        if self._search and self._search.found is None:
            self.tui.say("the answers are still being read for the filter; it is done once they are")
            self._search.then = partial(self._meant, act)
        else:
            act(scope_of(len(self.table.ids), self.table.numbers, self.table.marked))

    def action_batch_retry(self) -> None:
        done = self.action_list_none
        self._meant(lambda scope: job_actions.retry(self.tui, self.batch_id, scope, done))

    def action_batch_cancel(self) -> None:
        whole = partial(batch_actions.cancel, self.tui, [self.batch_id])
        self._meant(lambda scope: job_actions.cancel(self.tui, self.batch_id, scope, whole))

    def action_batch_export(self) -> None:
        self._meant(lambda scope: exporting.export_jobs(self.tui, self.batch_id, scope))

    def action_batch_clone(self) -> None:
        self._meant(lambda scope: cloning.clone_jobs(self.tui, self.batch_id, scope))

    def action_label_good(self) -> None:
        self._label("good")

    def action_label_bad(self) -> None:
        self._label("bad")

    def action_label_again(self) -> None:
        self._label("again")

    def _label(self, word: str) -> None:
        table, folder = self.table, self.folder
        marked = [n for n in table.numbers if n in table.marked]
        current = [] if table.marked or table.current() is None else [table.numbers[table.cursor]]
        if folder:
            labelling.label(self.tui, folder, [table.ids[n] for n in marked or current], word)
            self._show_labels(folder)

    def action_label_note(self) -> None:
        current, folder = self.table.current(), self.folder
        if current is not None and folder:
            labelling.note(self.tui, folder, self.table.ids[current], lambda: self._show_labels(folder))

    def _show_labels(self, folder: BatchFolder) -> None:
        said = folder.labels().of_jobs
        self.table.labels = {job: one.label or "note" for job, one in said.items()}
        self.table.refresh()

    def on_screen_resume(self) -> None:
        if folder := self.folder:
            self._show_labels(folder)

    def action_view_open(self) -> None:
        self._meant(self._open_views)

    def _open_views(self, scope: Scope) -> None:
        numbers = scope.shown if scope.hides or not scope.marked else scope.meant
        whole = not scope.marked and not scope.hides
        ids = self.table.ids
        if not numbers:
            self.tui.say(
                "nothing to look at: the filter hides every job that is meant; "
                f"{self.tui.key('screen.back')} clears it",
                "warning",
            )
            return
        among = None if whole else frozenset(ids[n] for n in numbers)
        comparing.show_views(self.tui, self.batch_id, among=among)

    def action_view_compare(self) -> None:
        comparing.compare_jobs(self.tui, self.batch_id, self._marked_ids())
