"""States as glyph, word and colour; never by colour alone. An ASCII set serves locales that are not UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from batchtui import outcome
from batchtui.model import (
    LIVE_JOB_STATES,
    UNSENT,
    BatchState,
    BatchStatus,
    JobState,
    SubmissionState,
    SubmissionStatus,
)
from batchtui.plain import only_ascii
from batchtui.tui.look import figures

STYLES: Mapping[str, str] = {
    "draft": "dim",
    "pending": "dim",
    "processing": "$text-primary",
    "cancelling": "$text-warning",
    "completed": "$text-success",
    "invalid": "$text-warning",
    "failed": "bold $text-error",
    "expired": "$text-warning",
    "cancelled": "dim",
    "paused": "$text-warning",
    "attention": "bold $text-warning",
    "partly": "$text-warning",
}
"""Styles by the theme's own colours: as they are for Textual's Content, through `BaseApp.paint` for Rich."""

_MEANINGS: Mapping[str, str] = {
    "pending": "not sent yet, or put back to be tried again",
    "processing": "with a backend now, or running here",
    "completed": "an answer came and it is as asked",
    "invalid": "an answer came but it breaks the batch's schema",
    "failed": "no answer: the error says why",
    "expired": "the backend's or the batch's time ran out",
    "cancelled": "ended before it gave a result",
}
MEANINGS: Mapping[JobState, str] = {JobState(name): text for name, text in _MEANINGS.items()}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character for each state, and the few drawing characters the screens use."""

    states: Mapping[str, str]
    full: str
    half: str
    empty: str
    spark: str
    mark: str
    cell: str
    """A job that completed, on the map of jobs."""

    def job(self, state: JobState) -> tuple[str, str]:
        """(glyph, style) of a job's state."""
        return self.states[state.value], STYLES[state.value]

    def batch(self, status: BatchStatus) -> tuple[str, str, str]:
        """(glyph, word, style) of a batch: what needs a person first, then the pause, then the state."""
        if status.attention:
            spent = all(item.kind == "budget" for item in status.attention)
            return self.states["attention"], "no budget" if spent else "needs you", STYLES["attention"]
        live = status.status in (BatchState.PENDING, BatchState.PROCESSING, BatchState.CANCELLING)
        if status.paused and live:
            return self.states["paused"], "paused", STYLES["paused"]
        if live and held_by_budget(status):
            return self.states["paused"], "no budget", STYLES["paused"]
        word = status.status.value
        if not live and outcome.shortfalls(status):
            return self._amiss(status)
        return self.states[word], word, STYLES[word]

    def _amiss(self, status: BatchStatus) -> tuple[str, str, str]:
        """`! 168 failed`: never the look of success, nor one without a count."""
        found = outcome.shortfalls(status)
        figure = figures.short_count(outcome.without_answer(status))
        worst = found[0][1]
        style = STYLES["failed"] if worst == "failed" else STYLES["partly"]
        return self.states[worst], outcome.short(status, figure), style


UNICODE = Glyphs(
    states={
        "draft": "·", "pending": "·", "processing": "▸", "cancelling": "×", "completed": "✓", "invalid": "≠",
        "failed": "!", "expired": "~", "cancelled": "×", "paused": "‖", "attention": "?",
    },
    full="━", half="╍", empty="─", spark="▁▂▃▄▅▆▇█", mark="●", cell="■",
)  # fmt: skip
ASCII = Glyphs(
    states={
        "draft": ".", "pending": ".", "processing": ">", "cancelling": "x", "completed": "+", "invalid": "#",
        "failed": "!", "expired": "~", "cancelled": "x", "paused": "=", "attention": "?",
    },
    full="#", half="=", empty="-", spark="_.-=+*#@", mark="*", cell="+",
)  # fmt: skip


def glyphs() -> Glyphs:
    """The set that the locale can show."""
    return ASCII if only_ascii() else UNICODE


def live(status: BatchStatus) -> bool:
    """Whether any of its jobs may still change by itself."""
    return status.status in (BatchState.PENDING, BatchState.PROCESSING, BatchState.CANCELLING)


def waits_for_budget(submission: SubmissionStatus) -> bool:
    """Whether it is money that a limit does not let it have yet."""
    return submission.status is SubmissionState.WAITING and submission.reason_kind in ("batch", "day")


def held_by_budget(status: BatchStatus) -> bool:
    """Whether nothing goes on before money comes back, or a limit is raised."""
    open_ones = [one for one in status.submissions or [] if one.status is not SubmissionState.COLLECTED]
    return (
        not status.processing
        and all(one.status in UNSENT for one in open_ones)
        and any(waits_for_budget(one) for one in open_ones)
    )


def job_is_live(state: JobState) -> bool:
    return state in LIVE_JOB_STATES
