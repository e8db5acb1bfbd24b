"""The last line of the form: what the batch comes to, against its limit, and the key that submits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events
from textual.content import Content
from textual.widget import Widget

from batchtui import causes
from batchtui.amounts import counted, dollars
from batchtui.outcome import NO_CHARGE
from batchtui.preflight import Preflight
from batchtui.text import cell
from batchtui.tui.actions import table as actions
from batchtui.tui.look import figures

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

SUBMIT = "compose.submit"


@dataclass(frozen=True)
class Estimate:
    """What the first jobs come to, and how many there are in all: None where that is not known yet."""

    flight: Preflight
    jobs: int | None
    per_day: float | None = None
    """The limit in dollars of all batches of a day."""

    @property
    def whole(self) -> bool:
        return self.jobs == self.flight.jobs

    @property
    def times(self) -> float:
        """How many times what was counted there is."""
        return self.jobs / self.flight.jobs if self.jobs and self.flight.jobs else 1.0


class EstimateLine(Widget):
    """`show` tells another estimate; what stood before is dim until it comes."""

    def __init__(self) -> None:
        super().__init__(id="estimate")
        self._found: Estimate | None = None
        self._old = False
        self._submit_at = 0

    def show(self, found: Estimate | None) -> None:
        self._found, self._old = found, False
        self.refresh()

    def grows_old(self) -> None:
        """What it was counted for is being changed."""
        if self._found and not self._old:
            self._old = True
            self.refresh()

    def render(self) -> Content:
        app, width = cast("BaseApp", self.app), self.content_size.width
        key = "" if app.read_only else app.key_now(SUBMIT, typing=True)
        submit = f"{key} {actions.BY_ID[SUBMIT].title}" if key else ""
        room = self._submit_at = max(0, width - len(submit))
        parts = words(self._found, room - 2) if self._found else [("nothing to count yet", "dim")]
        told = Content("  ").join(
            Content.styled(cell(part), "dim" if self._old else style) for part, style in parts
        )
        told = told.truncate(max(0, room - 2), ellipsis=True).pad_right(max(0, room - told.cell_length))
        return Content.assemble(told, (key, "bold $text-accent"), submit.removeprefix(key))

    async def on_click(self, event: events.Click) -> None:
        if event.x - 1 >= self._submit_at:
            await self.run_action("screen.compose_submit")


def words(found: Estimate, width: int) -> list[tuple[str, str]]:
    """Parts of the line and their styles, as many as have room: what stops it, or how much it is and what it may cost."""
    flight = found.flight
    if flight.stopped:
        wrong = next(cause for cause in causes.by_cause(flight.problems) if cause.first.fatal)
        return [(f"not ready: {wrong}", "$text-warning")]
    told, style = _cost(found)
    for parts in (
        [_jobs(found), _tokens(found), *told],
        [_jobs(found), _tokens(found), told[-1]],
        [_jobs(found), told[-1]],
        [_jobs(found).partition(", by")[0], told[-1]],
        [told[-1]],
    ):
        shown = [part for part in parts if part]
        if sum(len(part) + 2 for part in shown) - 2 <= width:
            break
    return [(part, style if part == told[-1] else "") for part in shown]


def _jobs(found: Estimate) -> str:
    looked_at, jobs = found.flight.jobs, found.jobs
    if jobs is None:
        return f"the first {counted(looked_at, 'job')}"
    told = counted(jobs, "job")
    return told if found.whole else f"{told}, by the first {looked_at:,}"


def _tokens(found: Estimate) -> str:
    """`about 12k tokens in, at most 34k out`."""
    flight, times = found.flight, found.times
    if not flight.tokens_in and not flight.tokens_out_max:
        return ""
    into = f"about {figures.short_count(round(flight.tokens_in * times))} tokens in"
    if flight.tokens_out_max is None:
        return f"{into}, answers without a bound"
    return f"{into}, at most {figures.short_count(round(flight.tokens_out_max * times))} out"


def _cost(found: Estimate) -> tuple[list[str], str]:
    """What it may cost against what it may, the last part first in need, and how that is shown."""
    flight, times = found.flight, found.times
    own, day = flight.limits.cost_usd, found.per_day
    held = [(own, "limit"), (day, "limit of a day")]
    limits = [(value, word) for value, word in held if value is not None]
    limit, word = min(limits) if limits else (None, "")
    against = "" if limit is None else f", {word} {dollars(limit)}"
    if flight.cost_usd is None:
        kept = "" if limit is None else " that cannot be kept"
        return [f"cost unknown: no price{against}{kept}"], "$text-warning"
    if flight.cost_max_usd == 0:
        return [NO_CHARGE], ""
    likely = f"likely {dollars(flight.cost_usd * times)}"
    about = "" if found.whole or found.jobs is None else "about "
    if flight.cost_max_usd is None:
        return [likely, f"at most unknown{against}"], "$text-warning" if limit is not None else ""
    most = flight.cost_max_usd * times
    if limit is not None and most > limit:
        return [
            likely,
            f"at most {about}{dollars(most)}, over the {word}, {dollars(limit)}",
        ], "$text-warning"
    return [likely, f"at most {about}{dollars(most)}{against}"], "bold"
