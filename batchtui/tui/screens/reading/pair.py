"""One job in two batches: both answers side by side, their words compared, and which is better, said by a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, get_current_worker

from batchtui.errors import BatchtuiError
from batchtui.model import Result
from batchtui.results.reading.query import answer
from batchtui.results.views.answers_of_two import alike
from batchtui.store.files import labels
from batchtui.store.folder import BatchFolder
from batchtui.text import page
from batchtui.tui.actions import table as actions
from batchtui.tui.latest import Latest
from batchtui.tui.look import result_texts
from batchtui.tui.look.word_diff import word_diff
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane
from batchtui.tui.widgets.text_view import TextView

_MOST = 200_000
"""Characters of an answer that are shown; the reader has all."""


class PairScreen(AppScreen):
    """`jobs` are the ids that next and previous walk through, as the list before showed them."""

    place = "pair"
    BINDINGS = actions.bindings("pair")
    AUTO_FOCUS = "#left TextView"

    @dataclass
    class Read(Message):
        worker: Worker[None]
        results: tuple[Result | None, Result | None]
        texts: tuple[Content, Content]

    def __init__(self, first: BatchFolder, second: BatchFolder, jobs: Sequence[str], at: int = 0) -> None:
        super().__init__()
        self.first, self.second = first, second
        self._jobs, self._at = jobs, at
        self._verdicts: dict[str, str] = {}
        self._latest = Latest(self)

    def body(self) -> ComposeResult:
        yield Static(id="pair-title")
        with Horizontal():
            for side in ("left", "right"):
                with Pane(id=side, classes="open", told_in_line=False):
                    yield TextView()
                    yield Static(classes="pair-facts")

    def on_mount(self) -> None:
        self._verdicts = dict(labels.read(self.second.path).verdicts.get(self.first.id, {}))
        self._read()

    @property
    def job(self) -> str:
        return self._jobs[self._at]

    def selected_batch(self) -> str:
        return self.second.id

    # ---- reading

    def _read(self) -> None:
        """In a thread: two answers may be long, and to compare them takes its time."""
        first, second, job = self.first, self.second, self.job

        def work() -> None:
            results = _result(first, job), _result(second, job)
            texts = word_diff(*(_words(result) for result in results))
            self.post_message(self.Read(get_current_worker(), results, texts))

        self._latest.start("read", work)
        self._title(None)

    @on(Read)
    def _show(self, event: Read) -> None:
        if not self._latest.current("read", event.worker):
            return
        for side, result, text in zip(("#left", "#right"), event.results, event.texts, strict=True):
            self.query_one(f"{side} TextView", TextView).show(text)
            facts = result_texts.facts(result) if result else "not in this batch, or it cannot be read"
            self.query_one(f"{side} .pair-facts", Static).update(shown(facts))
            name = (self.first if side == "#left" else self.second).header.name
            self.query_one(side, Pane).entitle(shown(name, "bold", limit=60), shown(facts))
        one, other = event.results
        self._title(alike(one, other) if one and other else None)

    def _title(self, share: int | None) -> None:
        parts = [
            shown(self.job, "bold", limit=40),
            Content.styled(f"   {self._at + 1:,} of {len(self._jobs):,}", "dim"),
        ]
        if share is not None:
            parts.append(Content("   the same" if share == 100 else f"   {share}% alike"))
        if verdict := self._verdicts.get(self.job):
            parts.append(Content.styled(f"   the second is {verdict}", "$text-accent"))
        self.query_one("#pair-title", Static).update(Content.assemble(*parts), layout=False)

    # ---- moving: both sides as one

    def _move(self, *names: str) -> None:
        for view in self.query(TextView):
            for name in names:
                if action := getattr(view, f"action_{name}", None):
                    action()
                    break

    def _go(self, by: int) -> None:
        if 0 <= self._at + by < len(self._jobs):
            self._at += by
            self._read()
        else:
            self.tui.say(
                "that is the last job of the list" if by > 0 else "that is the first job of the list"
            )

    def action_result_next(self) -> None:
        self._go(1)

    def action_result_previous(self) -> None:
        self._go(-1)

    def action_job_open(self) -> None:
        """The reader over the second's result."""
        number = self.second.jobs.number(self.job)
        if number is None:
            self.tui.say(f"no job {self.job} in {self.second.header.name or self.second.id}", "warning")
        else:
            self.tui.read_result(self.second.id, number, [number])

    # ---- which is better

    def action_pair_better(self) -> None:
        self._judge("better")

    def action_pair_worse(self) -> None:
        self._judge("worse")

    def action_pair_same(self) -> None:
        self._judge("same")

    def _judge(self, verdict: str) -> None:
        """Keep it, or take it back where it was said before; then on to the next job."""
        said = None if self._verdicts.get(self.job) == verdict else verdict
        labels.add(self.second.path, [labels.Label(job_id=self.job, label=said, against=self.first.id)])
        if said is None:
            del self._verdicts[self.job]
            self._read()
            return
        self._verdicts[self.job] = said
        if self._at + 1 < len(self._jobs):
            self._go(1)
        else:
            self._read()


def _result(folder: BatchFolder, job: str) -> Result | None:
    number = folder.jobs.number(job)
    try:
        return None if number is None else folder.result(number)
    except (BatchtuiError, OSError):
        return None


def _words(result: Result | None) -> str:
    if result is None:
        return ""
    return page((answer(result) or result.error or str(result.status))[:_MOST])
