"""The reader: one job's answer, request, JSON and figures; on to the next job of the list it was opened from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Markdown, Static
from textual.worker import Worker, get_current_worker

from batchtui.model import Result
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import comparing, exporting, labelling
from batchtui.tui.actions import table as actions
from batchtui.tui.actions.scope import scope_of
from batchtui.tui.latest import Latest
from batchtui.tui.look import result_texts
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.reading.result_hand_out import HandOut
from batchtui.tui.screens.reading.result_head import tabs_of, title_of
from batchtui.tui.screens.reading.result_views import VIEWS, Page, page_of
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane, heading
from batchtui.tui.widgets.reading.json_tree import JsonTree
from batchtui.tui.widgets.text_view import TextView

TOLD_AFTER = 0.3
"""Seconds after which it is told that an answer is being read; most come sooner."""


class MarkdownPage(VerticalScroll, inherit_bindings=False):
    """Scrolls as the plain text does."""

    BINDINGS = list(TextView.BINDINGS)


class ResultScreen(HandOut, AppScreen):
    """`numbers` is the list that next and previous walk through; `number` the job shown first."""

    place = "result"
    BINDINGS = actions.bindings("result")
    AUTO_FOCUS = "TextView"

    @dataclass
    class Read(Message):
        """A page of the job, read in a thread."""

        worker: Worker[None]
        page: Page
        keep_place: bool
        at_side: str
        """The view that follows for its side, if there is room for one."""

    @dataclass
    class ReadBeside(Message):
        """What stands at its side, which comes after the page itself."""

        worker: Worker[None]
        view: str
        page: Page
        keep_place: bool

    def __init__(self, folder: BatchFolder, number: int, numbers: Sequence[int] = ()) -> None:
        super().__init__()
        self.folder, self.number = folder, number
        self._numbers = numbers if len(numbers) else [number]
        self._at = next((at for at, other in enumerate(self._numbers) if other == number), 0)
        self._view, self._part, self._parts = VIEWS[0], 0, 1
        self._markdown = self._tree = False
        self._query = ""
        self.result: Result | None = None
        self._page: Page | None = None
        self._seen: tuple[int, ...] = ()
        self._latest = Latest(self)

    def body(self) -> ComposeResult:
        with Horizontal():
            with Pane(id="result-pane", classes="open", told_in_line=False):
                yield Static(id="result-views")
                yield TextView()
                with MarkdownPage():
                    yield Markdown(open_links=False)
                yield JsonTree()
                yield Static(id="result-notice")
                yield Static(id="result-facts")
                yield Input(
                    placeholder="find; enter keeps the hits, esc ends the search",
                    id="result-find",
                    compact=True,
                )
            with Pane(id="result-beside", classes="beside open"):
                yield TextView()

    def on_mount(self) -> None:
        self.query_one("#result-find").display = False
        self.query_one(MarkdownPage).display = self.query_one(JsonTree).display = False
        self._read()

    @property
    def lines(self) -> TextView:
        return self.query_one(TextView)

    def subject(self) -> Widget:
        shown_ones = (self.query_one(kind) for kind in (MarkdownPage, JsonTree, TextView))
        side = self.query_one("#result-beside TextView")
        return side if side.has_focus else next((one for one in shown_ones if one.display), self.lines)

    def selected_batch(self) -> str | None:
        return self.folder.id

    def action_batch_export(self) -> None:
        """The list that next and previous walk through, or all."""
        exporting.export_jobs(self.tui, self.folder.id, scope_of(len(self.folder.jobs), self._numbers, set()))

    # ---- reading

    def _read(self, *, keep_place: bool = False, find: str = "") -> None:
        """Read the page in a thread: an answer may have ten million characters."""
        folder, number, view, part = self.folder, self.number, self._view, self._part
        result = self.result if self._page and self._page.number == number and not keep_place else None
        backends = self.tui.backends
        at_side = self._at_side()
        self._seen = self._stamp()

        def work() -> None:
            worker = get_current_worker()
            page = page_of(folder, backends, number, view, part, result, find)
            self.post_message(self.Read(worker, page, keep_place, at_side))
            if at_side and not worker.is_cancelled:
                other = page_of(folder, backends, number, at_side, 0, page.result)
                self.post_message(self.ReadBeside(worker, at_side, other, keep_place))

        self._latest.start("read", work)
        if not self._page or self._page.number != number:
            self.set_timer(TOLD_AFTER, lambda: self._tell_reading(number))

    def _tell_reading(self, number: int) -> None:
        """Nothing of another job stays on the screen while a long answer is read."""
        if self.number == number and (not self._page or self._page.number != number):
            self.query_one(MarkdownPage).display = self.query_one(JsonTree).display = False
            self.lines.display = True
            job_id = self.folder.jobs.ids[number]
            self.lines.show(shown(f"reading {job_id} …", "dim", limit=100))
            self.query_one("#result-beside TextView", TextView).show(Content())

    def _at_side(self) -> str:
        """On a wide terminal the request stands beside the answer, and the answer beside the rest."""
        if not self.query_one("#result-beside").display:
            return ""
        return "request" if self._view == "answer" else "answer"

    def _stamp(self) -> tuple[int, ...]:
        """What tells whether the job has news."""
        progress = self.folder.progress
        return progress.states[self.number], progress.tries[self.number], progress.offsets[self.number]

    def changed(self, batch_ids: set[str]) -> None:
        if self.folder.id in batch_ids:
            self.folder = self.tui.link.folder(self.folder.id) or self.folder
            if self._stamp() != self._seen:
                self._read(keep_place=True)

    @on(Read)
    async def _show(self, event: Read) -> None:
        if not self._latest.current("read", event.worker):
            return
        page = event.page
        self._page, self.result = page, page.result
        self._part, self._parts = page.part, page.parts
        self._show_head()
        self._show_foot()
        if self._at_side() and not event.at_side:  # there is room for it only since it was read
            self._read(keep_place=True)
        await self._show_page(page, event.keep_place)

    @on(ReadBeside)
    def _show_beside(self, event: ReadBeside) -> None:
        if self._latest.current("read", event.worker):
            side = self.query_one("#result-beside", Pane)
            side.entitle(heading(event.view.capitalize()))
            side.query_one(TextView).show(event.page.content, keep_place=event.keep_place)

    async def _show_page(self, page: Page, keep_place: bool) -> None:
        """In the widget that is wanted: lines, Markdown or a tree."""
        markdown, tree = self.query_one(MarkdownPage), self.query_one(JsonTree)
        views = (self.lines, markdown, tree)
        wanted: TextView | MarkdownPage | JsonTree = self.lines
        if page.text is not None and self._markdown:
            if fault := result_texts.markdown_fault(page.text):
                self.tui.say(f"shown as plain text: {fault}")
            else:
                wanted = markdown
        elif page.text is not None and self._tree and page.value is not None:
            wanted = tree
        held_focus = self.focused is None or self.focused in views
        for view in views:
            view.display = view is wanted
        if wanted is markdown:
            await self.query_one(Markdown).update(result_texts.part(page.text or "", [0], 0))
        elif wanted is tree:
            tree.show(page.value)
        else:
            self.lines.show(page.content, keep_place=keep_place)
            if self._query:
                self.lines.find(self._query)
                self._show_foot()
        if held_focus:
            wanted.focus()

    # ---- head and foot

    def _show_head(self) -> None:
        title = title_of(self.folder, self.result, self._at, len(self._numbers), self.tui.glyphs)
        facts = shown(result_texts.facts(self.result) if self.result else "")
        self.query_one("#result-pane", Pane).entitle(title, facts)
        self.query_one("#result-facts", Static).update(facts)
        views = self.query_one("#result-views", Static)
        width = views.content_size.width
        views.update(tabs_of(self._view, self.result, self._part, self._parts, width))

    def _show_foot(self) -> None:
        notices = []
        if self._page and self._page.controls:
            notices.append(f"control characters shown as pictures: {self._page.controls:,}")
        if self._query:
            at, hits = self.lines.hits
            notices.append(f"“{self._query}”: {f'{at:,} of {hits:,}, n N' if hits else 'not found'}")
        notice = self.query_one("#result-notice", Static)
        notice.display = bool(notices)
        notice.update(shown("   ".join(notices)))

    def on_resize(self) -> None:
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self._show_head()
        if self._at_side() and self._page:
            self._read(keep_place=True)

    # ---- moving

    def _go(self, by: int) -> None:
        at = self._at + by
        if not 0 <= at < len(self._numbers):
            self.tui.say(
                "that is the last job of the list" if by > 0 else "that is the first job of the list"
            )
            return
        self._at, self.number, self._part = at, self._numbers[at], 0
        if self._view == "attempts":
            self._view = VIEWS[0]
        self._read()

    def action_result_next(self) -> None:
        if self._query:
            self.lines.step(1)
            self._show_foot()
        else:
            self._go(1)

    def action_result_previous(self) -> None:
        self._go(-1)

    def action_result_page_next(self) -> None:
        self._turn(1)

    def action_result_page_previous(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        if 0 <= self._part + by < self._parts:
            self._part += by
            self._read()

    def _choose(self, view: str) -> None:
        if view == "attempts" and not (self.result and self.result.attempts > 1):
            self.tui.say("this job was tried once at most")
            return
        self._view, self._part = view, 0
        self._read()

    def action_result_answer(self) -> None:
        self._choose("answer")

    def action_result_request(self) -> None:
        self._choose("request")

    def action_result_json(self) -> None:
        self._choose("json")

    def action_result_meta(self) -> None:
        self._choose("meta")

    def action_result_attempts(self) -> None:
        self._choose("attempts")

    def action_result_view(self) -> None:
        views = VIEWS if self.result and self.result.attempts > 1 else VIEWS[:-1]
        self._choose(views[(views.index(self._view) + 1) % len(views)])

    def action_view_open(self) -> None:
        comparing.show_views(self.tui, self.folder.id, [self.folder.jobs.ids[self.number]])

    def back(self) -> None:
        find = self.query_one("#result-find", Input)
        if find.display or self._query:
            self._query = find.value = ""
            find.display = False
            self.lines.find("")
            self._show_foot()
            self.lines.focus()
        else:
            super().back()

    def action_label_good(self) -> None:
        self._label("good")

    def action_label_bad(self) -> None:
        self._label("bad")

    def action_label_again(self) -> None:
        self._label("again")

    def _label(self, word: str) -> None:
        labelling.label(self.tui, self.folder, [self.folder.jobs.ids[self.number]], word)
        self._show_head()

    def action_label_note(self) -> None:
        labelling.note(self.tui, self.folder, self.folder.jobs.ids[self.number], self._show_head)

    # ---- find

    def action_result_find(self) -> None:
        if self._markdown or self._tree:
            self._markdown = self._tree = False
            self._read()
        find = self.query_one("#result-find", Input)
        find.display = True
        find.focus()

    @on(Input.Changed, "#result-find")
    def _find(self, event: Input.Changed) -> None:
        self._query = event.value
        self.lines.find(self._query)
        self._show_foot()

    @on(Input.Submitted, "#result-find")
    def _found(self) -> None:
        self.query_one("#result-find").display = False
        self.lines.focus()
        if self._query and not self.lines.hits[1] and self._parts > 1:
            self._read(find=self._query)

    def action_result_find_previous(self) -> None:
        self.lines.step(-1)
        self._show_foot()

    # ---- markdown

    def action_result_tree(self) -> None:
        if not self._tree and self.result and result_texts.tree_value(self.result) is None:
            self.tui.say("this answer is no JSON list or table")
            return
        self._tree, self._markdown = not self._tree, False
        self._view, self._part = VIEWS[0], 0
        self._read()

    def action_result_markdown(self) -> None:
        self._markdown, self._tree = not self._markdown, False
        self._view, self._part = VIEWS[0], 0
        self._read()

    @on(Markdown.LinkClicked)
    def _link(self, event: Markdown.LinkClicked) -> None:
        url = event.href
        if not url.lower().startswith(("http://", "https://")):
            self.tui.say(f"not opened, since it is no web address: {url}", "warning")
            return

        def answer(yes: bool | None) -> None:
            if yes:
                self.app.open_url(url)

        self.tui.ask(Confirm("Open this address in a browser?", url, yes="Open"), answer)
