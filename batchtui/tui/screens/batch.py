"""One batch: its jobs, one a line, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from batchtui.errors import BatchtuiError, StoreDamaged
from batchtui.results.query import parse
from batchtui.store.folder import BatchFolder
from batchtui.tui import actions, batch_actions, comparing, figures, settling, states
from batchtui.tui.job_facts import JobFacts
from batchtui.tui.job_filter import UNSUCCESSFUL, JobFilter, Wanted, complete, understand
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.detail import DetailStrip
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.job_table import JobTable
from batchtui.tui.widgets.outside import shown

SORTS = ("source order", "state", "tries", "id")


class BatchScreen(AppScreen):
    """The job table of a batch, which is named by its id: its folder may be opened anew underneath."""

    place: ClassVar[str] = "batch"
    BINDINGS = actions.bindings("batch")
    AUTO_FOCUS = "#jobs"

    def __init__(self, batch_id: str) -> None:
        super().__init__()
        self.batch_id = batch_id
        self._filter: JobFilter | None = None
        self._facts: JobFacts | None = None
        self._wanted = Wanted()
        self._query = ""
        self._read: frozenset[int] | None = None
        """Numbers that reading the results let through, once that was asked for."""
        self._failed_only = False
        self._sort, self._reversed = 0, False
        self._seq = -1

    def body(self) -> ComposeResult:
        yield Static(id="title")
        yield FilterBox(
            "text in ids and errors  !text  status:failed  error:rate   enter reads answers too",
            narrows=JobTable,
        )
        yield JobTable()
        yield DetailStrip("strip")

    def on_mount(self) -> None:
        folder = self.folder
        if folder is None:
            return
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

    def subject(self) -> JobTable:
        return self.table

    def selected_batch(self) -> str:
        return self.batch_id

    def changed(self, batch_ids: set[str]) -> None:
        if self.batch_id in batch_ids:
            self._bring_up_to_date()

    def tick(self) -> None:
        self._title()
        self.query_one("#strip", DetailStrip).show(self.batch_id)

    def _bring_up_to_date(self, *, chosen_anew: bool = False) -> None:
        folder = self.folder
        if folder is None or self._filter is None:
            return
        columns = folder.columns()
        if len(columns.states) > len(self.table.ids):
            chosen_anew = True
            if not self._show_jobs(folder):
                return
        plain = not self._query and not self._failed_only and not self._sort and not self._reversed
        if plain and not chosen_anew and self._seq >= 0:
            numbers: Sequence[int] = self.table.numbers
        else:
            numbers = self._numbers(
                columns.states,
                self._filter.numbers(self._wanted, columns, failed_only=self._failed_only),
                columns.tries,
            )
        self._seq = columns.seq
        self.table.show_columns(columns, numbers)
        self.tick()

    def _numbers(self, codes: bytes, found: Sequence[int], tries: bytes) -> Sequence[int]:
        if self._read is not None:
            found = [n for n in found if n in self._read]
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
        if status is None:
            self.query_one("#title", Static).update(
                shown("this batch is not there any more", "bold"), layout=False
            )
            return
        glyph, word, style = self.tui.glyphs.batch(status)
        parts = [
            shown(status.name, "bold"), Content.styled(f"  {status.id}  ", "dim"),
            Content.styled(f"{glyph} {word}", style),
        ]  # fmt: skip
        table = self.table
        if len(table.numbers) != len(table.ids):
            parts.append(
                Content(f"   {figures.count(len(table.numbers))} of {figures.count(len(table.ids))} shown")
            )
        if self._failed_only:
            parts.append(Content.styled("   failed only", states.STYLES["failed"]))
        if table.marked:
            parts.append(Content(f"   {len(table.marked)} marked"))
        if self._wanted.problem:
            parts.append(Content.assemble("   ", shown(self._wanted.problem, "$text-warning")))
        elif self._wanted.reads and self._read is None:
            parts.append(Content.styled("   enter reads the results for this", "$text-warning"))
        self.query_one("#title", Static).update(Content.assemble(*parts), layout=False)

    # ---- filter and sort

    def action_list_filter(self) -> None:
        self.query_one(FilterBox).open()
        if self._filter:
            self.call_after_refresh(self._filter.warm)

    @on(FilterBox.Changed)
    def filter_typed(self, event: FilterBox.Changed) -> None:
        self._query, self._read = event.value, None
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
        if self._query.strip() and not self._wanted.problem:
            self.run_worker(self._search, thread=True, exclusive=True, group="search", exit_on_error=False)

    def _search(self) -> None:
        """In a thread: which jobs match when their results are read too."""
        folder, worker, query = self.folder, get_current_worker(), self._query
        if folder is None:
            return
        try:
            test = parse(complete(query))
            found = set()
            for n in range(len(folder.jobs)):
                if worker.is_cancelled:
                    return
                if test.matches(folder.result(n)):
                    found.add(n)
        except (BatchtuiError, OSError) as fault:
            self.app.call_later(self.tui.say, fault, "warning")
            return
        self.app.call_later(self._found, query, frozenset(found))

    def _found(self, query: str, numbers: frozenset[int]) -> None:
        if query == self._query and self.is_mounted:
            self._wanted, self._read = Wanted(reads=True), numbers
            self._bring_up_to_date(chosen_anew=True)

    def action_list_failed(self) -> None:
        self._failed_only = not self._failed_only
        self._bring_up_to_date(chosen_anew=True)

    def action_list_sort(self) -> None:
        self._sort = (self._sort + 1) % len(SORTS)
        self._bring_up_to_date(chosen_anew=True)
        self.tui.say(f"sorted by {SORTS[self._sort]}")

    def action_list_reverse(self) -> None:
        self._reversed = not self._reversed
        self._bring_up_to_date(chosen_anew=True)

    def action_list_mark(self) -> None:
        self.table.toggle_mark()
        self._title()

    def action_list_all(self) -> None:
        self.table.marked = set(self.table.numbers)
        self.table.refresh()
        self._title()

    def action_list_none(self) -> None:
        self.table.marked = set()
        self.table.refresh()
        self._title()

    def back(self) -> None:
        if self.query_one(FilterBox).clear_query():
            return
        if self.table.marked:
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

    def action_batch_retry(self) -> None:
        if marked := self._marked_ids():
            batch_actions.retry_jobs(self.tui, self.batch_id, marked)
            self.action_list_none()
        else:
            batch_actions.retry(self.tui, [self.batch_id])

    def action_batch_cancel(self) -> None:
        if marked := self._marked_ids():
            batch_actions.cancel_jobs(self.tui, self.batch_id, marked)
        else:
            batch_actions.cancel(self.tui, [self.batch_id])

    def action_batch_pause(self) -> None:
        batch_actions.pause(self.tui, [self.batch_id])

    def action_batch_resolve(self) -> None:
        settling.resolve(self.tui, self.batch_id)

    def action_batch_limit(self) -> None:
        settling.change_limits(self.tui, self.batch_id)

    def action_batch_info(self) -> None:
        batch_actions.info(self.tui, self.batch_id)

    def action_batch_clone(self) -> None:
        batch_actions.clone(self.tui, self.batch_id)

    def action_batch_log(self) -> None:
        self.tui.show_log(self.batch_id)

    def action_view_open(self) -> None:
        comparing.show_views(self.tui, self.batch_id)

    def action_view_compare(self) -> None:
        comparing.compare_jobs(self.tui, self.batch_id, self._marked_ids())
