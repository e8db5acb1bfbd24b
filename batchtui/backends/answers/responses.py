"""An answer of OpenAI's responses endpoint: a list of items, of which only messages hold the answer."""

from __future__ import annotations

from batchtui.backends.answers.parts import take_content, thoughts_beside
from batchtui.backends.answers.said import BAD_REPLY, PROVIDER, Said
from batchtui.model import Json

_CALLS = (
    "function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call",
    "mcp_approval_request",
)  # fmt: skip
"""Items that ask for something to be done here; the provider does the others itself."""
_OPEN = ("in_progress", "queued")


def is_response(body: dict[str, Json]) -> bool:
    return body.get("object") == "response" or ("object" in body and isinstance(body.get("output"), list))


def said_in(body: dict[str, Json], fault: tuple[str, str] | None) -> Said:
    """What the items say. `fault`: the body's own error."""
    output = body.get("output")
    items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    said = Said(finish_reason=_reason(body))
    if any(item.get("status") in ("incomplete", *_OPEN) for item in items if item.get("type") == "message"):
        said.finish_reason = said.finish_reason if body.get("status") != "completed" else "incomplete"
    said.error = fault or _unfinished(body)
    final = any(item.get("phase") == "final_answer" for item in items)
    for item in items:
        kind = item.get("type")
        if kind == "reasoning":
            said.reasoning += thoughts_beside({"thinking": item.get("content")}) or thoughts_beside(
                {"thinking": item.get("summary")}
            )
        elif kind in _CALLS:
            said.tool_calls.append(item)
        elif kind == "image_generation_call" and item.get("result"):
            said.output = [*(said.output or []), item]
        elif kind in (None, "message") and item.get("role") in (None, "assistant"):
            aside = Said() if final and item.get("phase") == "commentary" else said
            take_content(aside, item.get("content"))
            if aside is not said and aside.text:
                said.reasoning.append(aside.text)
    return said


def _reason(body: dict[str, Json]) -> str | None:
    """Why it stopped: the reason of what is incomplete, else its status."""
    details = body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    for word in (reason, body.get("status")):
        if isinstance(word, str) and word:
            return word
    return None


def _unfinished(body: dict[str, Json]) -> tuple[str, str] | None:
    status = body.get("status")
    if status == "failed":
        return "the response failed, and no reason is given", PROVIDER
    if status in _OPEN:
        return f"the response is not done: its status is {status}", BAD_REPLY
    return None
