"""Thinking that a server left in the text of an answer, told apart from the answer.

It stands at the start, between marks of its own, or up to a closing mark whose opening stands in the chat template.
A mark that is quoted, in code, or in the middle of a sentence is one that the answer speaks of, and stays.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from batchtui.backends.wire.replies import parse_json


class Split(NamedTuple):
    """The thinking, from where to where the answer stands in the text, and whether the thinking has no end."""

    thinking: str | None
    start: int
    end: int
    unfinished: bool = False


class _Form(NamedTuple):
    """How thinking is marked. `alone`: its opening may stand in the chat template. `closed`: it counts with both marks
    alone, since its opening could be the beginning of a word."""

    opening: re.Pattern[str]
    closing: re.Pattern[str]
    alone: bool = True
    closed: bool = False


def _form(opening: str, closing: str, *, alone: bool = True) -> _Form:
    return _Form(re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE), alone)


_NAMES = ("think(?:ing)?", "thoughts?", "reasoning")
_FINAL = (
    r"(?:<\|end\|>\s*)?(?:<\|start\|>assistant)?<\|channel\|>final\s*(?:<\|constrain\|>[^<]*)?<\|message\|>"
)
_FORMS = (
    *(_form(rf"<{name}(?:\s[^<>]{{0,200}})?>", rf"</{name}\s*>") for name in _NAMES),
    _form(
        r"<[a-z]\w{0,20}[:_]think(?:ing)?>", r"</[a-z]\w{0,20}[:_]think(?:ing)?\s*>"
    ),  # with the maker's name before it
    _form(r"\[THINK\]", r"\[/THINK\]"),
    _form("◁think▷", "◁/think▷"),
    _form(r"<\|begin_of_(?:thought|thinking)\|>", r"<\|end_of_(?:thought|thinking)\|>"),
    _form(r"<[|｜]think[|｜]>", r"<[|｜]/think[|｜]>|</[|｜]?think[|｜]>"),
    _form(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    _form(r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    _form(r"<\|thinking\|>", r"<\|/thinking\|>"),
    _form(r"<\|channel>thought", r"<channel\|>"),
    _form("<unused94>(?:thought)?", "<unused95>"),
    _form(r'<details\s[^<>]{0,200}type="reasoning"[^<>]{0,200}>', "</details>", alone=False),
    _form(r"(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)[^<]{0,200}<\|message\|>", _FINAL),
    # the same where a server drops the marks and keeps the names that stood between them
    _Form(re.compile(r"analysis(?=[A-Z\"'])"), re.compile(r"assistant\s?final"), alone=False, closed=True),
)
_ALONE = tuple(form for form in _FORMS if form.alone)
_LONE_ENDS = re.compile("|".join(f"(?:{form.closing.pattern})" for form in _ALONE), re.IGNORECASE)
_SIGNS = ("</", "[/", "◁/", "<|", "<channel|>", "<unused95>")
"""One of these stands in every closing mark that may stand alone."""
MOST_BLOCKS, MOST_MARKS = 20, 100
"""Blocks of thinking, and marks of one kind, that are looked at: more are no thinking, and would take long."""
_SPACE = re.compile(r"[\s\ufeff]*")
_ANSWER = re.compile(rf"\s*(?:{_FINAL}|<\|begin_of_solution\|>|<\|START_RESPONSE\|>)\s*")
"""What some servers leave before the answer itself, and behind it."""
_END = re.compile(r"(?:\s*<\|(?:end|return|call|end_of_solution|END_RESPONSE)\|>)+\s*\Z")
_TAIL = 200
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "(": ")"}
_GOES_ON = ",.;:!?)"
"""Behind a mark in the middle of a line, these go on with the sentence that speaks of it."""


def split(text: str, *, cut: bool = False) -> Split:
    """Thinking and answer of a text. `cut`: it ended at its token limit, so that thinking may have no end."""
    at, thoughts = 0, []
    for _ in range(MOST_BLOCKS):
        begin = _behind_space(text, at)
        form = next((form for form in _FORMS if form.opening.match(text, begin)), None)
        if form and (opened := form.opening.match(text, begin)):
            closed = _end_of(form, text, opened.end(), cut)
            if closed is None and form.closed and not cut:
                break
            thoughts.append(text[opened.end() : closed.start() if closed else len(text)])
            if closed is None:
                return Split(_joined(thoughts), len(text), len(text), unfinished=True)
        else:
            closed = _lone_end(text, at)
            if closed is None:
                break
            thoughts.append(text[at : closed.start()])
        at = closed.end()
    if marked := _ANSWER.match(text, at):
        at = marked.end()
    if not at:
        return Split(None, 0, len(text))
    start, ending = _behind_space(text, at), _END.search(text, max(at, len(text) - _TAIL))
    return Split(_joined(thoughts), start, max(start, ending.start() if ending else len(text)))


def _behind_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _joined(thoughts: list[str]) -> str | None:
    return "\n\n".join(words for thought in thoughts if (words := thought.strip())) or None


def _end_of(form: _Form, text: str, at: int, cut: bool) -> re.Match[str] | None:
    """Where thinking that began at `at` ends: at the first mark that is not just spoken of."""
    found = list(islice(form.closing.finditer(text, at), MOST_MARKS))
    code = _code(text) if found else []
    meant = next((one for one in found if not _quoted(text, one) and not _within(one, code)), None)
    return meant or (found[0] if found and not cut else None)


def _lone_end(text: str, at: int) -> re.Match[str] | None:
    """A closing mark without its opening that ends thinking, as it would stand behind it; the first there is."""
    if not any(sign in text for sign in _SIGNS):
        return None
    found = list(islice(_LONE_ENDS.finditer(text, at), MOST_MARKS))
    code = _code(text) if found else []
    if found and _is_json(text[at:]):
        return None
    for one in found:
        if _spoken_of(text, one) or _within(one, code):
            continue
        form = next(form for form in _ALONE if form.closing.fullmatch(one[0]))
        before = islice(form.opening.finditer(text, at, one.start()), MOST_MARKS)
        if not any(not _spoken_of(text, opened) and not _within(opened, code) for opened in before):
            return one
    return None


def _is_json(text: str) -> bool:
    """Whether it is one JSON value as it stands: what looks like a mark is in a text of it."""
    try:
        parse_json(text)
    except ValueError:
        return False
    return True


def _code(text: str) -> list[tuple[int, int]]:
    """Where fenced code stands; a fence that is never closed is none."""
    spans: list[tuple[int, int]] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2].strip():
            spans.append((opened.start(), fence.end()))
            opened = None
    return spans


def _within(mark: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start <= mark.start() < end for start, end in spans)


def _quoted(text: str, mark: re.Match[str]) -> bool:
    """In brackets or quotes by itself, or within a quote or code in a line."""
    before, after = text[max(0, mark.start() - 1) : mark.start()], text[mark.end() : mark.end() + 1]
    line_start, line_end = text.rfind("\n", 0, mark.start()) + 1, text.find("\n", mark.end())
    left = text[line_start : mark.start()].replace("```", "")
    if after and _QUOTES.get(before) == after and (before != after or left.count(before) % 2 == 1):
        return True
    right = text[mark.end() : line_end if line_end >= 0 else len(text)].replace("```", "")
    return any(left.count(quote) % 2 == 1 and quote in right for quote in '`"')


def _spoken_of(text: str, mark: re.Match[str]) -> bool:
    """Whether the sentence round a mark speaks of it: it is quoted, or words stand on both sides of it."""
    if _quoted(text, mark):
        return True
    before, after = text[max(0, mark.start() - 1) : mark.start()], text[mark.end() : mark.end() + 1]
    line_start = text.rfind("\n", 0, mark.start()) + 1
    if not text[line_start : mark.start()].strip() or not after or after in "\r\n":
        return False
    return (before in " \t" and after in " \t") or after in _GOES_ON
