"""Replies of endpoints that hold no conversation: vectors, verdicts, pages that were read, speech as text."""

from __future__ import annotations

from batchtui.backends.answers.parts import take_content
from batchtui.backends.answers.said import BAD_REPLY, Said, answered, failed
from batchtui.model import JobState, Json, Outcome

_LISTS = ("data", "results")


def plain_outcome(body: dict[str, Json]) -> Outcome | None:
    """What such a reply gave; None for one that is of none of these forms."""
    key = next((key for key in _LISTS if isinstance(body.get(key), list)), None)
    if key and body[key]:
        return Outcome(state=JobState.COMPLETED, output=body[key])
    if key:
        return failed(f"nothing in the reply: its list of {key} is empty", BAD_REPLY)
    pages, outputs, text = body.get("pages"), body.get("outputs"), body.get("text")
    if isinstance(pages, list):
        texts = [page.get("markdown") for page in pages if isinstance(page, dict)]
        words = [one for one in texts if isinstance(one, str)]
        return answered([Said(text="\n\n".join(words), output=pages or None)])
    if isinstance(outputs, list):
        return answered([_conversation(outputs)])
    if isinstance(text, str):
        return answered([Said(text=text, output=body.get("segments") or None)])
    return None


def _conversation(entries: list[Json]) -> Said:
    """What a Mistral agent answered: messages are the answer, calls of functions are to be made here."""
    said = Said()
    for entry in entries:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == "message.output":
            take_content(said, entry.get("content"))
        elif kind == "function.call":
            said.tool_calls.append(entry)
    return said
