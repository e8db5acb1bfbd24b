"""What a job would look like as it is sent, or what a check of every row found."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.highlight import highlight

from batchtui import causes
from batchtui.amounts import counted
from batchtui.engine.plan.costing import tokens_words
from batchtui.engine.plan.planning import Preview
from batchtui.model import Json, Problem
from batchtui.outcome import NO_CHARGE
from batchtui.preflight import Preflight
from batchtui.text import cell, page
from batchtui.tui.look import figures
from batchtui.tui.look.first_values import FirstValues
from batchtui.tui.widgets.pane import Pane
from batchtui.tui.widgets.text_view import TextView

FORM_NAME = "batch"
"""What problems call the form itself, where it is no batch file yet."""
_PROBLEMS_SHOWN = 100
_VALUES_SHOWN = 5000
"""Of a JSON document; each stands on a line of its own, and a row may hold millions."""


class PreviewPane(Pane):
    """A view of lines, and what they are."""

    BINDINGS = [
        Binding("left_square_bracket", "screen.compose_previous_row", show=False, id="preview.previous"),
        Binding("right_square_bracket", "screen.compose_next_row", show=False, id="preview.next"),
    ]

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield TextView()

    def title(self, title: str, rest: str = "") -> None:
        self.entitle(Content.styled(cell(title), "bold"), Content(cell(rest)))

    def show_text(self, title: str, text: str) -> None:
        """A sentence instead of a job."""
        self.title(title)
        self.query_one(TextView).show(Content.styled(page(text), "dim"))

    def show_job(self, preview: Preview, row: int, rows: str) -> None:
        """The row's problems, then the job as it would be sent."""
        if preview.row is None and not preview.problems:
            self.show_text("Preview", f"there is no row {row:,}")
            return
        line = f", line {preview.row.line:,}" if preview.row and preview.row.line else ""
        name = f"  id {preview.job_id}" if preview.job_id is not None else ""
        self.title(f"Preview  row {row:,}{rows}{line}", f"{name}  f7 f8 step")
        parts = [problem_line(problem) for problem in preview.problems[:_PROBLEMS_SHOWN]]
        if preview.sent is not None:
            parts.append(as_json(preview.sent))
        self.query_one(TextView).show(Content("\n").join(parts), keep_place=True)

    def show_check(self, flight: Preflight) -> None:
        """What the check counted, then its problems."""
        wrong = causes.verdict(flight.problems)
        self.title(f"Check  {f'{wrong} to mend' if wrong else 'ready to submit'}", "nothing was sent")
        self.query_one(TextView).show(check_report(flight))


def as_json(value: Json) -> Content:
    """Indented JSON in colours, clean and cut to what a viewer holds."""
    first = FirstValues(_VALUES_SHOWN)
    text = json.dumps(first.of(value), indent=2, ensure_ascii=False, default=str)
    shown = highlight(page(text), language="json")
    more = f"\n… the first {_VALUES_SHOWN:,} values; all of them are sent"
    return Content.assemble(shown, (more, "dim")) if first.cut else shown


def problem_line(problem: Problem) -> Content:
    return cause_line(causes.Cause(problem, 1))


def cause_line(cause: causes.Cause) -> Content:
    problem = cause.first
    style = "bold $text-error" if problem.fatal else "$text-warning"
    if problem.file == FORM_NAME:
        cause = cause._replace(first=msgspec.structs.replace(problem, file=None))
    return Content.assemble(("! " if problem.fatal else "~ ", style), page(str(cause), 600, 3))


def check_report(flight: Preflight) -> Content:
    lines = [Content.assemble((label.ljust(13), "dim"), value) for label, value in check_figures(flight)]
    lines += [cause_line(cause) for cause in causes.by_cause(flight.problems)[:_PROBLEMS_SHOWN]]
    if not flight.problems:
        lines.append(Content.styled("no problems", "$text-success"))
    if flight.first is not None:
        lines += [Content.styled("first job", "dim"), as_json(flight.first)]
    return Content("\n").join(lines)


def check_figures(flight: Preflight) -> list[tuple[str, str]]:
    """Label and value of what a check counted; what does not apply is left out."""
    figures_: list[tuple[str, str]] = [("jobs", f"{flight.jobs:,}")]
    figures_ += shares(flight)
    figures_.append(("size", size(flight.bytes)))
    if flight.tokens_in or flight.tokens_out_max:
        figures_.append(("tokens", f"about {tokens_words(flight)}"))
    if flight.jobs and flight.kind:
        figures_.append(("cost", costs(flight)))
    if flight.output:
        figures_.append(("output", cell(near(flight.output), 120)))
    if flight.duplicates:
        figures_.append(("duplicates", f"{flight.duplicates:,}"))
    return figures_


def near(path: str) -> str:
    """The path from the working directory, where it is inside that."""
    place = Path(path)
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else path


def costs(flight: Preflight) -> str:
    if flight.cost_usd is None:
        return "unknown: no price"
    if flight.cost_max_usd == 0:
        return NO_CHARGE
    parts = [_likely(flight.cost_usd)]
    if flight.cost_max_usd is None:
        parts.append("at most unknown")
    else:
        parts.append(f"at most {figures.dollars(flight.cost_max_usd)}")
    if flight.limits.cost_usd is not None:
        parts.append(f"limit {figures.dollars(flight.limits.cost_usd)}")
    return ", ".join(parts)


def _likely(cost: float) -> str:
    return f"likely {figures.dollars(cost)}" if cost else NO_CHARGE


def shares(flight: Preflight) -> list[tuple[str, str]]:
    """Label and value of what each backend is given; one line for most batches."""
    told: list[tuple[str, str]] = []
    for share in flight.backends:
        kind = f" ({share.kind})" if share.kind != share.backend else ""
        what = counted(share.jobs, "job")
        if share.submissions:
            what += f" in {counted(share.submissions, 'submission')}"
        cost = ""
        if len(flight.backends) > 1:
            cost = ", cost unknown" if share.cost_usd is None else f", {_likely(share.cost_usd)}"
        told.append(
            (
                "" if told else "backend" + "s" * (len(flight.backends) > 1),
                f"{share.backend}{kind}: {what}{cost}",
            )
        )
    return told


def size(count: int) -> str:
    """`812 bytes`, `4.1 kB`, `12.0 MB`."""
    if count < 1000:
        return counted(count, "byte")
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
