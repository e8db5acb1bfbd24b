"""A result as the reader shows it: answer, JSON, figures, and texts cut into parts. No Textual here."""

from __future__ import annotations

import json
import re

import msgspec

from batchtui.masking import mask
from batchtui.model import LIVE_JOB_STATES, JobState, Json, Result
from batchtui.store.files.results import StoredResult
from batchtui.text import LINE_LIMIT, clean
from batchtui.tui.look import figures
from batchtui.tui.look.states import MEANINGS

PART_CHARACTERS, PART_LINES = 64_000, 2000
TREE_CHARACTERS = 5_000_000
MARKDOWN_CHARACTERS, MARKDOWN_LINES, MARKDOWN_CELLS, MARKDOWN_DEPTH = 200_000, 600, 1500, 12
MARKDOWN_LINE = 10_000
_MISFITS = re.compile(r"; (?=\$|and more$|it was cut off)")


def answer_text(result: Result) -> str:
    """What came back: the answer word for word, its value where it fits a schema, or what a kind without a model gave."""
    text = result.raw_response
    output = result.output
    if text is None or _is_json_answer(result):
        if result.parsed_response is not None:
            return pretty(result.parsed_response)
        return pretty(output) if output is not None else ""
    if isinstance(output, dict) and (stderr := output.get("stderr")):
        text = f"{text.rstrip(chr(10))}\n\n[stderr]\n{stderr}" if text else f"[stderr]\n{stderr}"
    return text


def beside_text(result: Result) -> str:
    """What came beside the answer, each under its name: tool calls, the other answers, what the model thought."""
    blocks = []
    if result.tool_calls and result.raw_response is not None:
        blocks.append(("tool calls", pretty(result.tool_calls)))
    for number, choice in enumerate(result.choices or (), 1):
        known = choice if isinstance(choice, dict) else {}
        reason, text, calls = known.get("finish_reason"), known.get("text"), known.get("tool_calls")
        parts = [str(known["error"])] if known.get("error") else []
        parts += [text] if isinstance(text, str) and text else []
        parts += [pretty(calls)] if calls else []
        title = f"answer {number} of {len(result.choices or ())}" + (f" ({reason})" if reason else "")
        blocks.append((title, "\n".join(parts)))
    if result.reasoning:
        blocks.append(("thinking, no part of the answer", result.reasoning))
    return "\n\n".join(f"[{title}]\n{text}" for title, text in blocks)


def _is_json_answer(result: Result) -> bool:
    """Whether the value is the answer: it fits its schema, and the words are but its JSON."""
    if result.status is not JobState.COMPLETED or result.parsed_response is None:
        return False
    return result.repaired is not None or (result.raw_response or "").lstrip()[:1] in ("{", "[")


def tree_value(result: Result) -> Json:
    """The answer as a JSON list or table: parsed, given as output, or read from its words; None where it is none."""
    for value in (result.parsed_response, result.output if result.raw_response is None else None):
        if isinstance(value, dict | list):
            return value
    text = result.raw_response or ""
    if text[:100].lstrip()[:1] not in ("{", "[") or len(text) > TREE_CHARACTERS:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def note_of(result: Result) -> str:
    """One line above the answer where there is more to say than the answer: an error, or why there is none."""
    if result.status is JobState.COMPLETED:
        mended = result.repaired and f"mended: {result.repaired}; the words as they came are under JSON"
        if told := "\n".join(part for part in (result.note, mended) if part):
            return told
        return "" if answer_text(result) else "it completed and gave nothing"
    if result.status is JobState.INVALID and result.error:
        return "\n  ".join(["invalid: the answer does not fit the schema", *_MISFITS.split(result.error)])
    why = ": ".join(part for part in (result.error_kind, result.error) if part)
    if result.status in LIVE_JOB_STATES or not why:
        return f"{result.status}: {why or MEANINGS[result.status]}"
    return f"{result.status}: {why}"


def pretty(value: Json) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (RecursionError, ValueError) as fault:
        return f"this value cannot be shown as JSON ({fault})"


def result_json(result: Result) -> str:
    return pretty(msgspec.to_builtins(result))


def meta_rows(result: Result) -> list[tuple[str, str]]:
    """Label and value of everything known about the result beside its words; what is unknown is left out."""
    rows: list[tuple[str, str | None]] = [
        ("job", result.job_id),
        ("name", result.name),
        ("state", f"{result.status}: {MEANINGS[result.status]}"),
        ("error kind", result.error_kind),
        ("error", result.error),
        ("mended", result.repaired),
        ("finish reason", result.finish_reason),
        ("note", result.note),
        ("model", result.model),
        ("backend", result.backend),
        ("backend's batch", result.batch_id),
        *((name, str(value)) for name, value in result.remote.items()),
        ("tokens in", _number(result.input_tokens)),
        ("tokens out", _number(result.output_tokens)),
        ("cost", figures.dollars(result.cost_usd) if result.cost_usd is not None else None),
        ("attempts", str(result.attempts)),
        ("started", figures.local_time(result.started)),
        ("ended", figures.local_time(result.ended)),
        ("took", took(result)),
        ("citations", str(len(result.citations)) if result.citations else None),
        ("tool calls", str(len(result.tool_calls)) if result.tool_calls else None),
        ("answers", str(len(result.choices)) if result.choices else None),
        *output_rows(result.output),
    ]
    return [(label, value) for label, value in rows if value]


def output_rows(output: Json) -> list[tuple[str, str]]:
    """The short values of what a kind without a model gave back."""
    if not isinstance(output, dict):
        return []
    return [(str(key), str(value)) for key, value in output.items() if isinstance(value, int | float | bool)][
        :50
    ]


def facts(result: Result) -> str:
    """The figures of the foot line: `812 in 96 out  $0.0004  2.1 s  attempt 1  stop`."""
    parts = []
    counts = ((result.input_tokens, "in"), (result.output_tokens, "out"))
    if counted := [f"{count:,} {side}" for count, side in counts if count is not None]:
        parts.append(" ".join(counted))
    if result.cost_usd is not None:
        parts.append(figures.dollars(result.cost_usd))
    parts += [
        took(result) or "",
        f"attempt {result.attempts}" if result.attempts else "",
        result.finish_reason or "",
    ]
    return "   ".join(part for part in parts if part)


def took(result: Result | StoredResult) -> str | None:
    """From start to end, `2.1 s` or longer words; None while either is unknown."""
    start, end = figures.unix(result.started), figures.unix(result.ended)
    if start is None or end is None or end < start:
        return None
    seconds = end - start
    return f"{seconds:.1f} s" if seconds < 60 else figures.spelled(seconds)


def attempts_text(attempts: list[StoredResult]) -> str:
    """Every stored attempt, the newest first, each with its beginning."""
    blocks = []
    for stored in reversed(attempts):
        why = ": ".join(part for part in (stored.error_kind, stored.error) if part)
        head = "   ".join(
            part
            for part in (
                f"attempt {stored.tries}",
                stored.state.value,
                took(stored) or "",
                stored.ended or "",
            )
            if part
        )
        text = stored.raw_response or ""
        blocks.append(
            "\n".join(part for part in (head, why, text[:2000] + ("…" if len(text) > 2000 else "")) if part)
        )
    return "\n\n".join(blocks) or "no attempt is stored"


# ---- parts of a long text


def parts(text: str) -> list[int]:
    """Where each part begins: at most PART_CHARACTERS and PART_LINES, cut behind a line where one ends in reach."""
    starts, at = [0], 0
    while True:
        end = min(len(text), at + PART_CHARACTERS)
        if text.count("\n", at, end) > PART_LINES:
            end = at
            for _ in range(PART_LINES):
                end = text.index("\n", end) + 1
        elif end < len(text):
            end = text.rfind("\n", at + PART_CHARACTERS // 2, end) + 1 or end
        if end >= len(text):
            return starts
        starts.append(end)
        at = end


def part(text: str, starts: list[int], number: int) -> str:
    """Part `number` (from 0), clean. A line over LINE_LIMIT goes on in the next one."""
    end = starts[number + 1] if number + 1 < len(starts) else len(text)
    lines = clean(mask(text[starts[number] : end])).split("\n")
    return "\n".join(
        line[i : i + LINE_LIMIT] for line in lines for i in range(0, max(1, len(line)), LINE_LIMIT)
    )


def markdown_fault(text: str) -> str | None:
    """Why the text is not shown as Markdown: every block and cell of it costs time to lay out."""
    if len(text) > MARKDOWN_CHARACTERS:
        return f"it has {len(text):,} characters; up to {MARKDOWN_CHARACTERS:,} are shown as Markdown"
    lines = text.split("\n")
    filled = sum(1 for line in lines if line.strip())
    if filled > MARKDOWN_LINES:
        return f"it has {filled:,} lines; up to {MARKDOWN_LINES:,} are shown as Markdown"
    if text.count("|") > MARKDOWN_CELLS:
        return f"its tables are larger than the {MARKDOWN_CELLS:,} cells that are shown as Markdown"
    if (longest := max(map(len, lines))) > MARKDOWN_LINE:
        return f"it has a line of {longest:,} characters; up to {MARKDOWN_LINE:,} are shown as Markdown"
    if any(_depth(line) > MARKDOWN_DEPTH for line in lines):
        return f"it nests deeper than the {MARKDOWN_DEPTH} levels that are shown as Markdown"
    return None


def _depth(line: str) -> int:
    """How deep the quotes and lists of a line can nest."""
    begin = line[: len(line) - len(line.lstrip(" \t>-*+0123456789.)"))]
    return sum(begin.count(mark) for mark in ">-*+.)") + begin.count("\t") + begin.count(" ") // 4


def _number(value: int | None) -> str | None:
    return f"{value:,}" if value is not None else None
