"""The forms in which answers are streamed, each put together as the reply that it would have been in one piece."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from batchtui.backends.answers.streams.merging import Text, finished, merge
from batchtui.backends.answers.streams.values import Values
from batchtui.backends.wire.replies import parse_json
from batchtui.model import Json

Piece = tuple[str, dict[str, Json]]


@dataclass(slots=True)
class Whole:
    """A reply put together. `cut`: its stream ended before it did."""

    body: Json
    cut: bool = False


def completion(pieces: list[Piece], read: Values) -> Whole:
    """Chunks of OpenAI's chat completions, or of its older completions."""
    body: dict[str, Json] = {}
    choices: dict[int, dict[str, Any]] = {}
    for _, piece in pieces:
        body |= {key: value for key, value in piece.items() if key != "choices" and value is not None}
        given = piece.get("choices")
        for choice in given if isinstance(given, list) else ():
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            into = choices.setdefault(index if type(index) is int else 0, {})
            delta = choice.get("delta")
            rest = {
                key: value for key, value in choice.items() if key not in ("delta", "index", "finish_reason")
            }
            merge(into, {"message": delta} | rest if isinstance(delta, dict) else rest)
            if choice.get("finish_reason") is not None:
                into["finish_reason"] = choice["finish_reason"]
    body["object"] = str(body.get("object") or "chat.completion").removesuffix(".chunk")
    whole: list[Json] = []
    for index, choice in sorted(choices.items()):
        made = finished(choice)
        assert isinstance(made, dict)
        if isinstance(made.get("message"), dict):
            made["message"] = {"role": "assistant", "content": None, **made["message"]}
        whole.append({"index": index, "finish_reason": None, **made})
    ended = read.done or (bool(choices) and all(one.get("finish_reason") for one in choices.values()))
    error = body.get("error")
    if whole or not error:
        body["choices"] = whole
    if error and whole and isinstance(whole[0], dict):
        whole[0] |= {"finish_reason": "error", "error": error}
    return Whole(body, cut=not ended and not error)


def lines_of_ollama(pieces: list[Piece], read: Values) -> Whole:
    """Ollama's own lines, as the chat completion that they are elsewhere."""
    message: dict[str, Any] = {}
    last: dict[str, Json] = {}
    for _, piece in pieces:
        given = piece.get("message")
        delta = (
            given
            if isinstance(given, dict)
            else {"content": piece.get("response"), "thinking": piece.get("thinking")}
        )
        merge(message, {key: value for key, value in delta.items() if value is not None})
        last |= piece
    made = finished(message)
    assert isinstance(made, dict)
    if "thinking" in made:
        made["reasoning_content"] = made.pop("thinking")
    choice: dict[str, Json] = {"index": 0, "message": {"role": "assistant", "content": None, **made}}
    choice["finish_reason"] = last.get("done_reason") or ("stop" if last.get("done") else None)
    counts = {"prompt_tokens": last.get("prompt_eval_count"), "completion_tokens": last.get("eval_count")}
    body: dict[str, Json] = {"object": "chat.completion", "model": last.get("model"), "choices": [choice]}
    if any(count is not None for count in counts.values()):
        body["usage"] = counts
    if error := last.get("error"):
        choice |= {"finish_reason": "error", "error": error}
        body = body | {"error": error} if message else {"error": error}
    return Whole(body, cut=not last.get("done") and not error)


def message(pieces: list[Piece], read: Values) -> Whole:
    """Events of Anthropic's messages."""
    body: dict[str, Json] = {}
    blocks: dict[int, dict[str, Any]] = {}
    ended = False
    for name, piece in pieces:
        kind, index = piece.get("type") or name, piece.get("index")
        at = index if type(index) is int else 0
        if kind == "message_start" and isinstance(piece.get("message"), dict):
            body |= piece["message"]
        elif kind == "content_block_start" and isinstance(piece.get("content_block"), dict):
            blocks[at] = _grown(piece["content_block"])
        elif kind == "content_block_delta" and isinstance(piece.get("delta"), dict):
            _add(blocks.setdefault(at, {}), piece["delta"])
        elif kind == "message_delta":
            delta, usage, before = piece.get("delta"), piece.get("usage"), body.get("usage")
            body |= delta if isinstance(delta, dict) else {}
            if isinstance(usage, dict):
                body["usage"] = {**(before if isinstance(before, dict) else {}), **usage}
            ended |= bool(body.get("stop_reason"))
        elif kind == "message_stop":
            ended = True
    body["content"] = [_block(block) for _, block in sorted(blocks.items())]
    error = next((piece.get("error") for _, piece in pieces if piece.get("error")), None)
    if error:
        return Whole({**body, "type": "error", "error": error})
    return Whole(body, cut=not ended)


_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def _grown(block: dict[str, Json]) -> dict[str, Any]:
    """A block whose texts may go on."""
    grown: dict[str, Any] = dict(block)
    for key in _DELTAS.values():
        if isinstance(grown.get(key), str):
            grown[key] = Text([grown[key]])
    return grown


def _add(block: dict[str, Any], delta: dict[str, Json]) -> None:
    kind = delta.get("type")
    if kind == "input_json_delta" and isinstance(delta.get("partial_json"), str):
        block.setdefault("partial", Text()).append(delta["partial_json"])
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or ()), delta.get("citation")]
    elif isinstance(kind, str) and (key := _DELTAS.get(kind)) and isinstance(delta.get(key), str):
        block.setdefault("type", key)
        if not isinstance(block.get(key), Text):
            block[key] = Text()
        block[key].append(delta[key])


def _block(block: dict[str, Any]) -> Json:
    partial = block.pop("partial", None)
    if partial:  # the input of a tool; one that was cut stays text
        block["input"] = "".join(partial)
        with suppress(ValueError):
            block["input"] = parse_json(block["input"])
    return finished(block)


def response(pieces: list[Piece], read: Values) -> Whole:
    """Events of OpenAI's responses: the last holds all of it."""
    body: dict[str, Json] = {}
    items: dict[int, Json] = {}
    texts: dict[int, list[str]] = {}
    for name, piece in pieces:
        kind, given = piece.get("type") or name, piece.get("response")
        index = piece.get("output_index")
        at = index if type(index) is int else 0
        if isinstance(given, dict):
            body = given
            if kind in ("response.completed", "response.incomplete", "response.failed", "response.done"):
                return Whole({"object": "response", **body})
        elif kind == "response.output_item.done":
            items[at] = piece.get("item")
        elif kind == "response.output_text.delta" and isinstance(piece.get("delta"), str):
            texts.setdefault(at, []).append(piece["delta"])
    for at, parts in texts.items():
        content: list[Json] = [{"type": "output_text", "text": "".join(parts)}]
        items.setdefault(at, {"type": "message", "role": "assistant", "content": content})
    body = {"object": "response", **body, "output": [item for _, item in sorted(items.items())]}
    error = next((piece["error"] for _, piece in pieces if piece.get("error")), None)
    if error is not None:
        return Whole({**body, "status": "failed", "error": error})
    return Whole({**body, "status": "incomplete"}, cut=True)


Form = Callable[[list[Piece], Values], Whole]


def form_of(piece: dict[str, Json], several: bool) -> Form | None:
    """The form that this piece is of; None: it is none of a stream. `several`: it is not the only one."""
    kind, choices = piece.get("type"), piece.get("choices")
    if isinstance(kind, str) and kind.startswith("response."):
        return response
    if isinstance(kind, str) and kind in (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "message_delta",
    ):
        return message
    if isinstance(choices, list):
        chunks = any(isinstance(one, dict) and isinstance(one.get("delta"), dict) for one in choices)
        whole = any(isinstance(one, dict) and isinstance(one.get("message"), dict) for one in choices)
        named = str(piece.get("object")).endswith(".chunk")
        return (
            completion
            if (chunks or named or (several and piece.get("object") == "text_completion")) and not whole
            else None
        )
    if isinstance(piece.get("done"), bool) and (
        isinstance(piece.get("message"), dict) or isinstance(piece.get("response"), str)
    ):
        return lines_of_ollama
    return None
