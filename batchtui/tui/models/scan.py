"""A look through a source while it is being composed: how many rows, which cannot be used. No Textual here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.errors import BatchtuiError
from batchtui.model import Json, Problem, Row, SourceSpec, seconds
from batchtui.sources.json_forms.native import RESULTS
from batchtui.sources.pace import Pace
from batchtui.sources.readers import open_source
from batchtui.sources.source import Implied

ROWS_LIMIT = 1_000_000
_LINES_SHOWN = 5


@dataclass
class Scan:
    """What is known of a source. `fault` says why it cannot be used at all; `done` is False while it is read."""

    fault: str | None = None
    form: str = ""
    rows: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    """The first unusable rows."""
    columns: list[str] = field(default_factory=list)
    native: str | None = None
    default_job: dict[str, Json] = field(default_factory=dict)
    implied: Implied = field(default_factory=Implied)
    done: bool = False

    def words(self) -> str:
        """`CSV, 344 rows, 2 cannot be read (lines 17, 802)`."""
        if self.fault:
            return self.fault
        more = "" if self.done else "…" if self.rows < ROWS_LIMIT else "+"
        parts = [self.form, f"{self.rows:,}{more} row{'' if self.rows == 1 and not more else 's'}"]
        if self.bad:
            lines = [str(p.line or p.row) for p in self.problems if p.line or p.row]
            where = f" (line {', '.join(lines)}{' …' if self.bad > len(lines) else ''})" if lines else ""
            parts.append(f"{self.bad:,} cannot be used{where}")
        return ", ".join(parts)

    def about(self) -> str:
        """What the source's form means for the batch, as a line of its own."""
        if self.native == "scenarios":
            limits, task = self.implied.limits, self.default_job.get("task")
            said = [str(task)] if task else []
            said += [f"{seconds(limits.timeout):g} s each"] if limits.timeout is not None else []
            said += [f"{limits.concurrency} at once"] if limits.concurrency is not None else []
            return f"\nIt says {', '.join(said)}; its output goes to {self.implied.output}"
        if self.native == RESULTS:
            return "\nIt holds answers, not requests: give a prompt that asks about them."
        if self.native:
            return "\nIt holds whole requests: leave the prompt empty to send them as they are."
        return ""

    def hints(self) -> dict[str, str]:
        """What holds where a field is left empty, by its key."""
        limits, hints = self.implied.limits, dict[str, str]()
        if limits.timeout is not None:
            hints["limits.timeout"] = f"{seconds(limits.timeout):g}s"
        if limits.concurrency is not None:
            hints["limits.concurrency"] = str(limits.concurrency)
        if limits.retries is not None:
            hints["limits.retries"] = str(limits.retries)
        if self.implied.output is not None:
            hints["output.dir"] = f"{self.implied.output}/…"
        return hints


_NATIVE = {
    "openai-batch": "OpenAI batch file",
    "anthropic-batch": "Anthropic batch file",
    "gemini-batch": "Gemini batch file",
    "bedrock-batch": "Bedrock batch file",
    RESULTS: "file of a provider's answers",
    "messages": "rows of messages",
    "scenarios": "scenario manifest",
}


def scan(
    spec: SourceSpec,
    base: Path,
    cancelled: Callable[[], bool],
    tell: Callable[[Scan], None],
    every: float = 0.2,
) -> Scan:
    """Read the source to its end, or to ROWS_LIMIT. `tell` gets what is known every so many seconds; raises nothing."""
    found = Scan()
    try:
        source = open_source(spec, base, with_text=False)
    except BatchtuiError as fault:
        return Scan(fault=str(fault), done=True)
    found.columns, found.native, found.default_job = source.columns, source.native, source.default_job
    found.implied = source.implied
    path = (base / Path(spec.file).expanduser()) if spec.file != "-" else None
    ending = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]) if path else ""
    found.form = _NATIVE.get(source.native or "", "") or (
        "folder" if path and path.is_dir() else ending.lstrip(".").upper() or "text"
    )
    pace = Pace(every)
    for item in source.rows():
        if pace.due():
            if cancelled():
                return found
            tell(found)
        if isinstance(item, Row):
            if found.rows >= ROWS_LIMIT:
                return found
            found.rows += 1
        elif item.fatal:
            found.bad += 1
            if len(found.problems) < _LINES_SHOWN:
                found.problems.append(item)
    found.done = True
    return found
