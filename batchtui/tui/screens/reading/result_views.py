"""What the reader shows of a job, read and laid out in a thread: one page of one view."""

from __future__ import annotations

import re
from dataclasses import dataclass

from textual.content import Content
from textual.highlight import highlight

from batchtui.engine.plan.compose.rendering import Renderer, with_sweep
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BatchtuiError
from batchtui.model import JobState, Json, Result
from batchtui.results.citing.cited_text import beside, cited_text
from batchtui.sources.templates.template import compile_template
from batchtui.store.folder import BatchFolder
from batchtui.text import clean_count, page
from batchtui.tui.look import result_texts
from batchtui.tui.widgets.outside import shown

VIEWS = ("answer", "request", "json", "meta", "attempts")


@dataclass
class Page:
    """Part `part` of `parts` of a view. `text` is the whole answer where the view shows one."""

    number: int
    result: Result | None
    content: Content
    part: int = 0
    parts: int = 1
    controls: int = 0
    """Characters of this part that were replaced."""
    text: str | None = None
    value: Json = None
    """The answer as a JSON list or table, where it is one."""


def page_of(
    folder: BatchFolder,
    backends: Backends,
    number: int,
    view: str,
    part: int = 0,
    result: Result | None = None,
    find: str = "",
) -> Page:
    """Read job `number` (unless its `result` is given) and make a page. With `find`, the next part that holds it.

    Raises nothing: what cannot be read or rendered is said on the page.
    """
    try:
        result = result or folder.result(number)
    except (BatchtuiError, OSError) as fault:
        return Page(number, None, shown(f"this result cannot be read: {fault}", "$text-error", limit=2000))
    if view == "meta":
        rows = result_texts.meta_rows(result)
        width = max(len(label) for label, _ in rows) + 2
        lines = [
            Content.assemble((_line(label).ljust(width), "dim"), page(value, 2000, 20))
            for label, value in rows
        ]
        return Page(number, result, Content("\n").join(lines))
    if view == "request":
        return Page(number, result, _request(folder, backends, number, result))
    if view == "attempts":
        text = result_texts.attempts_text(folder.attempts(number))
    elif view == "json":
        text = result_texts.result_json(result)
    else:
        answer = cited_text(result) if result.citations else result_texts.answer_text(result)
        text = "\n\n".join(part for part in (answer, result_texts.beside_text(result)) if part)
    starts = result_texts.parts(text)
    part = min(part, len(starts) - 1)
    if find:
        part = _part_with(find, text, starts, part)
    end = starts[part + 1] if part + 1 < len(starts) else len(text)
    raw = text[starts[part] : end]
    if view == "json":
        content = highlight(page(raw), language="json")
    elif view == "answer":
        content = _with_note(_answer(result_texts.part(text, starts, part), result), result)
    else:
        content = Content(result_texts.part(text, starts, part))
    page_ = Page(number, result, content, part, len(starts), clean_count(raw))
    if view == "answer":
        page_.text, page_.value = result_texts.answer_text(result), result_texts.tree_value(result)
    return page_


def _answer(text: str, result: Result) -> Content:
    """The answer, what it cites told apart from its own words."""
    content = Content(text)
    for start, end in beside(text) if result.citations else ():
        content = content.stylize("dim", start, end)
    return content


def _line(label: str) -> str:
    return page(label, 40, 1)


def _with_note(content: Content, result: Result) -> Content:
    note = result_texts.note_of(result)
    if not note:
        return content
    style = "$text-error" if result.error else "dim"
    head = Content.styled(page(note, 4000, 20), style)
    return Content("\n\n").join([head, content]) if content else head


def _request(folder: BatchFolder, backends: Backends, number: int, result: Result) -> Content:
    """The job rendered again from the stored template and row, then the row."""
    title = "as it will be sent" if result.status is JobState.PENDING else "as it was sent"
    try:
        backend, job = Renderer(folder, backends).job(number, 1, "")
        sent = _json(backend.describe(job))
    except (BatchtuiError, OSError, ValueError) as fault:
        title = "the job's template over its row"
        sent = Content("\n").join(
            [Content.styled(page(str(fault), 4000, 40), "$text-warning"), _template(folder, number)]
        )
    blocks = [Content.styled(title, "dim"), sent]
    if result.row:
        blocks += [Content(), Content.styled("row of the source", "dim"), _json(result.row)]
    return Content("\n").join(blocks)


def _template(folder: BatchFolder, number: int) -> Content:
    """The stored template over the stored row: what can be said without the backend, or without its key."""
    try:
        record = folder.jobs.record(number)
        template = folder.header.template_of(record.backend)
        return _json(compile_template(with_sweep(template, record.sweep), where="job").render(record.row))
    except (BatchtuiError, OSError, ValueError) as fault:
        return Content.styled(page(f"it cannot be rendered again: {fault}", 4000, 40), "$text-error")


def _json(value: Json) -> Content:
    return highlight(page(result_texts.pretty(value)), language="json")


def _part_with(wanted: str, text: str, starts: list[int], part: int) -> int:
    """The next part that holds the text, round the end; this one where none does."""
    pattern = re.compile(re.escape(wanted), re.IGNORECASE)
    after = starts[part + 1] if part + 1 < len(starts) else len(text)
    match = pattern.search(text, after) or pattern.search(text)
    if match is None:
        return part
    return max(number for number, start in enumerate(starts) if start <= match.start())
