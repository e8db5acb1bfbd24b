"""What there is to know about the selected batch: a strip of four lines, or a pane beside the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.geometry import Region, Size
from textual.widget import Widget

from batchtui import outcome
from batchtui.amounts import counted
from batchtui.model import BatchStatus, JobState, SubmissionState, seconds
from batchtui.tui.look import attention_words, figures, standing, states, submission_lines
from batchtui.tui.look.job_map import job_map
from batchtui.tui.models.rates import sparkline
from batchtui.tui.models.usual import done, untold
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import heading

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

LABEL = 10
ERRORS_SHOWN = 5


class Detail(Widget):
    """Draws the selected batch from its status; `show` names it."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._batch_id: str | None = None
        self._drawn: list[Content] = []

    @property
    def _tui(self) -> BaseApp:
        return cast("BaseApp", self.app)

    def show(self, batch_id: str | None) -> None:
        """Show that batch as it is now; only lines that have become others are painted."""
        self._batch_id = batch_id
        lines, before = self._shown(self.content_size.width), self._drawn
        if len(lines) != len(before):
            self.refresh(layout=self.styles.is_auto_height)
            return
        width = self.content_size.width
        changed = [y for y, line in enumerate(lines) if not line.is_same(before[y])]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render(self) -> Content:
        self._drawn = self._shown(self.content_size.width)
        return Content("\n").join(self._drawn)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Of the lines at the width that it is about to get, not at the one that it had."""
        return max(1, len(self._shown(width)))

    def _shown(self, width: int) -> list[Content]:
        status = self._tui.link.status(self._batch_id) if self._batch_id else None
        if status is None or width < 10:
            return []
        return [line.truncate(width, ellipsis=True) for line in self.lines(status, width)]

    def lines(self, status: BatchStatus, width: int) -> list[Content]:
        return []

    # ---- parts

    def counts(self, status: BatchStatus) -> Content:
        parts = [
            Content.styled(f"{figures.count(number)} {state.value}", states.STYLES[state.value])
            for state in JobState
            if (number := getattr(status, state.value))
        ]
        if status.maybe_twice:
            parts.append(Content.styled(f"{status.maybe_twice} maybe run twice", "$text-warning"))
        if status.with_keys:
            parts.append(Content.styled(f"{status.with_keys} hold a key, masked here", "$text-warning"))
        return Content("  ").join(parts) if parts else Content.styled("no jobs yet", "dim")

    def bar(self, status: BatchStatus, width: int) -> Content:
        """Completed, unsuccessful and in-flight shares of one bar."""
        glyphs, total = self._tui.glyphs, status.total or 0
        if not total:
            return Content.styled(glyphs.empty * width, "$foreground 25%")
        bad = outcome.without_answer(status)
        good_end = width * status.completed // total
        bad_end = max(good_end + (1 if bad and good_end < width else 0), width * status.finished // total)
        run_end = max(bad_end, width * (status.finished + status.processing) // total)
        return Content.assemble(
            (glyphs.full * good_end, "$text-success"),
            (glyphs.full * (bad_end - good_end), "$text-error"),
            (glyphs.half * (run_end - bad_end), "$text-primary"),
            (glyphs.empty * (width - run_end), "$foreground 25%"),
        )

    def pace(self, status: BatchStatus) -> str:
        if not states.live(status):
            took = _took(status)
            return f"took {figures.spelled(took)}" if took is not None else ""
        if status.paused:
            return "paused"
        app = self._tui
        if still := standing.why(status):
            speed = app.rates.per_second(status, app.now()) if status.processing else 0.0
            return "  ".join(part for part in (still, figures.rate(speed) if speed else "") if part)
        if silent := app.usual.words(status):
            return silent
        speed, eta = app.rates.per_second(status, app.now()), app.rates.eta(status, app.now())
        parts = [
            f"{figures.rate(speed)}" if speed else "",
            f"ETA {figures.span(eta)}" if eta is not None else "",
        ]
        return "  ".join(part for part in parts if part)

    def cost(self, status: BatchStatus) -> str:
        """`$1.93 of $5.00, about $4.10 estimated`, as far as it is known."""
        expected = self.estimate(status)
        return ", ".join(part for part in (self.spent(status), expected and f"{expected} estimated") if part)

    def spent(self, status: BatchStatus) -> str:
        """`$1.93 of $5.00`; `unknown` once a result came, or `no charge`."""
        limit, words = status.cost_limit_usd, outcome.cost_words(status)
        if words == outcome.NO_CHARGE or (words and status.finished):
            return words + (f", limit {figures.dollars(limit)}" if limit is not None else "")
        if status.cost_usd is None and limit is None:
            return ""
        spent = figures.dollars(status.cost_usd or 0)
        return f"{spent} of {figures.dollars(limit)}" if limit is not None else spent

    def estimate(self, status: BatchStatus) -> str:
        """`about $4.10`, in all, while that is to be known: it goes on, or nothing else is told of what it costs."""
        likely, spent = status.estimated_usd, self.spent(status)
        words = outcome.cost_words(status)
        if not likely or words == outcome.NO_CHARGE or (words and status.finished):
            return ""
        return f"about {figures.dollars(likely)}" if states.live(status) or not spent else ""

    def deadline(self, status: BatchStatus) -> str:
        if not states.live(status):
            return ""
        when = figures.unix(status.deadline)
        if when is None:
            folder = self._tui.link.folder(status.id)
            limit = folder.header.spec.limits.time if folder else None
            return f"{figures.spelled(seconds(limit))} from the first submission" if limit else ""
        left = when - self._tui.now()
        return f"{figures.spelled(left)} left" if left > 0 else "past its deadline"

    def expiry(self, status: BatchStatus) -> str:
        """How long the backend works on it at most, or keeps what has not been collected yet."""
        when = figures.unix(status.expires)
        if when is None:
            return ""
        left = when - self._tui.now()
        if any(one.status is SubmissionState.ENDED for one in status.submissions or []):
            return (
                f"results expire in {figures.spelled(left)}" if left > 0 else "the results have expired there"
            )
        return f"ended by its backend in {figures.spelled(left)}" if left > 0 else ""

    def percent(self, status: BatchStatus) -> str:
        """Empty where the backend tells no counts: a 0 would be a guess."""
        return "" if untold(status) else figures.percent(done(status), status.total)

    def driver(self, status: BatchStatus) -> str:
        if not status.driver:
            return ""
        import os

        return "" if status.driver.startswith(f"pid {os.getpid()} ") else f"driven by {status.driver}"

    def attention(self, status: BatchStatus, width: int) -> list[Content]:
        glyph = self._tui.glyphs.states["attention"]
        return [
            Content.assemble(
                (f"{glyph} ", states.STYLES["attention"]),
                shown(attention_words.title(item), "bold"),
                (f"  {self._tui.key('batch.resolve')} settles it  ", "dim"),
                shown(attention_words.text(item)),
            )
            for item in status.attention
        ]


class DetailStrip(Detail):
    """Under the list, where there is no room beside it."""

    def lines(self, status: BatchStatus, width: int) -> list[Content]:
        line = [part for part in (self.pace(status), self.cost(status), self.deadline(status)) if part]
        percent = self.percent(status)
        bar = Content.assemble(
            self.bar(status, min(24, width // 4)),
            f" {percent}%  " if percent else "  ",
            "   ".join(line),
        )
        remote = [
            s for s in status.submissions or [] if s.remote_id or s.status is not SubmissionState.COLLECTED
        ]
        about = [self.expiry(status), self.driver(status)]
        if status.follows:
            about.insert(0, f"only followed from here: {status.follows}")
        if remote:
            open_ones = [s for s in remote if s.status is not SubmissionState.COLLECTED]
            word = "submission" if len(remote) == 1 else "submissions"
            about.insert(0, f"{len(remote)} {word}, {len(open_ones)} open")
            if open_ones:
                about.insert(1, submission_lines.contact(open_ones[-1], self._tui.now()))
        last = self.attention(status, width) or [shown("   ".join(part for part in about if part), "dim")]
        return [
            Content.assemble(shown(status.name, "bold"), "  ", self.counts(status)),
            bar,
            *last[:2],
        ]


class DetailPane(Detail):
    """Beside the list, on a wide terminal."""

    submissions_shown = 6
    with_submissions = with_map = True

    def attention(self, status: BatchStatus, width: int) -> list[Content]:
        glyph, rows = self._tui.glyphs.states["attention"], []
        for item in status.attention:
            head = Content.assemble(
                (f"{glyph} ", states.STYLES["attention"]), shown(attention_words.title(item), "bold")
            )
            body = shown(attention_words.text(item)).wrap(max(20, width - 2))
            rows += [head, *(Content.assemble("  ", line) for line in body[:8])]
        return (
            [*rows, Content.styled(f"  {self._tui.key('batch.resolve')} settles it", "dim")] if rows else []
        )

    def lines(self, status: BatchStatus, width: int) -> list[Content]:
        app = self._tui
        glyph, word, style = app.glyphs.batch(status)
        rows: list[Content] = [
            self._row("state", Content.styled(f"{glyph} {word}", style)),
            self._row(
                "backend",
                shown(
                    f"{status.backend} ({status.kind})" if status.kind != status.backend else status.backend
                ),
            ),
        ]
        created = figures.ago(status.created, app.now())
        rows += self._texts(
            ("created", created), ("pace", self.pace(status)), ("cost", self.spent(status)),
            ("estimate", self.estimate(status)),
            ("today", app.day_money.words()), ("time", self.deadline(status)), ("expires", self.expiry(status)),
            ("driver", self.driver(status)), ("tags", " ".join(status.tags)),
            ("follows", "" if status.attention else status.follows or ""),
            ("keys", f"{status.with_keys:,} results hold one, masked here" if status.with_keys else ""),
        )  # fmt: skip
        rows += [Content(""), *self.attention(status, width)] if status.attention else []
        percent = self.percent(status)
        rows += [
            Content(""),
            Content.assemble(self.bar(status, max(10, width - 6)), f" {percent:>3}%" if percent else ""),
            *self._count_lines(status),
            Content(""),
        ]
        folder = app.link.folder(status.id)
        if self.with_map and folder is not None and status.total:
            per_cell, grid = job_map(folder.columns().states, app.glyphs, width, 6)
            rows += [
                Content.styled(
                    f"jobs, one cell for {figures.count(per_cell)}" if per_cell > 1 else "jobs", "dim"
                ),
                *grid,
                Content(""),
            ]
        if states.live(status):
            bars = sparkline(
                app.rates.spark(status.id, app.now(), min(40, width - LABEL), 5), app.glyphs.spark
            )
            rows += [self._row("pace", Content.styled(bars, "$text-primary")), Content("")] if bars else []
        rows += self._errors(status.id)
        return rows + self._submissions(status, width) if self.with_submissions else rows

    def _submissions(self, status: BatchStatus, width: int) -> list[Content]:
        found, app = status.submissions or [], self._tui
        return [
            *submission_lines.by_backend(found, status.backend.split(", ")),
            *submission_lines.lines(found, app.glyphs, app.now(), self.submissions_shown, width),
        ]

    def _row(self, label: str, value: Content) -> Content:
        return Content.assemble((f"{label:<{LABEL}}", "dim"), value)

    def _texts(self, *pairs: tuple[str, str]) -> list[Content]:
        return [self._row(label, shown(value)) for label, value in pairs if value]

    def _count_lines(self, status: BatchStatus) -> list[Content]:
        glyphs = self._tui.glyphs
        lines = []
        for state in JobState:
            number = getattr(status, state.value)
            if number:
                glyph, style = glyphs.job(state)
                lines.append(
                    Content.assemble(
                        (f"{glyph} {state.value:<{LABEL}}", style), f"{figures.count(number):>9}"
                    )
                )
        return lines

    def _errors(self, batch_id: str) -> list[Content]:
        groups = self._tui.errors_of(batch_id)
        if not groups:
            return []
        keys = "/".join(self._tui.shown_keys("batch.errors"))
        rows = [Content.styled(f"errors   {keys} lists them", "dim")]
        for group in groups[:ERRORS_SHOWN]:
            rows.append(
                Content.assemble(
                    (f"{figures.short_count(group.count):>6}  ", "$text-error"),
                    shown(group.pattern or group.error_kind),
                )
            )
        if rest := groups[ERRORS_SHOWN:]:
            jobs = counted(sum(group.count for group in rest), "job")
            rows.append(Content.styled(f"        and {counted(len(rest), 'more cause')} in {jobs}", "dim"))
        return [*rows, Content("")]


class SubmissionsDetail(DetailPane):
    """What was sent, and how it stands: every submission."""

    submissions_shown = 500

    def lines(self, status: BatchStatus, width: int) -> list[Content]:
        found = status.submissions or []
        if not found:
            return [Content.styled("nothing has been submitted yet", "dim")]
        stages = submission_lines.lines(
            found, self._tui.glyphs, self._tui.now(), self.submissions_shown, width
        )
        return [*submission_lines.by_backend(found, status.backend.split(", ")), *stages[1:]]

    def title(self, batch_id: str) -> Content:
        """How many, which stands over them here."""
        status = self._tui.link.status(batch_id)
        found = status.submissions or [] if status else []
        open_ones = sum(one.status is not SubmissionState.COLLECTED for one in found)
        return heading("Submissions", f"{len(found):,}, {open_ones:,} open" if found else "")


class BatchFigures(DetailPane):
    """Beside the jobs of a batch."""

    submissions_shown = 2


def batch_title(app: BaseApp, batch_id: str | None) -> Content:
    """Whose facts these are."""
    status = app.link.status(batch_id) if batch_id else None
    if status is None:
        return Content("nothing is selected")
    return Content.assemble(shown(status.name, "bold", limit=60), ("  " + status.id, "not bold"))


def _took(status: BatchStatus) -> float | None:
    started, ended = figures.unix(status.started), figures.unix(status.ended)
    return ended - started if started is not None and ended is not None else None
