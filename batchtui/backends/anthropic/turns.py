"""A conversation as Anthropic has it: the system prompt apart, calls and their results as parts of turns."""

from __future__ import annotations

import re

from batchtui.backends.anthropic.content import message_content
from batchtui.backends.prompts.forms.tools import Asked, Choice, Tool, choice_of, tools_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json

Body = dict[str, Json]
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
_RESULTS = ("tool", "function")
_MODES = {"auto": "auto", "required": "any", "none": "none"}


def turns_of(given: list[Json]) -> tuple[Json, list[Json]]:
    """The system prompt that leads the messages, and the messages without it. Raises Unfit."""
    first = next((n for n, turn in enumerate(given) if not leads(turn)), len(given))
    leading = [turn.get("content") for turn in given[:first]]
    texts = all(isinstance(content, str) for content in leading)
    system: Json = (
        "\n\n".join(leading) if texts else [part for content in leading for part in _blocks(content)]
    )
    rest: list[Json] = []
    asked = Asked()
    together = False  # results of one round of calls stand in one turn
    for place, turn in enumerate(given[first:], first):
        is_result = isinstance(turn, dict) and turn.get("role") in _RESULTS
        made = _turn(turn, f"messages[{place}]", asked)
        if is_result and together:
            rest[-1] = {**rest[-1], "content": rest[-1]["content"] + made["content"]}
        else:
            rest.append(made)
        together = is_result
    return system or None, rest


def leads(turn: Json) -> bool:
    return isinstance(turn, dict) and turn.get("role") in ("system", "developer")


def _blocks(content: Json) -> list[Json]:
    if isinstance(content, list):
        return [part if isinstance(part, dict) else {"type": "text", "text": str(part)} for part in content]
    return [{"type": "text", "text": str(content or "")}]


def _turn(turn: Json, place: str, asked: Asked) -> Json:
    if not isinstance(turn, dict):
        return turn
    content = message_content(turn.get("content"), f"{place}.content")
    if turn.get("role") in _RESULTS:
        call_id, _ = asked.answered(turn, place)
        result = {"type": "tool_result", "tool_use_id": _id(call_id), "content": content}
        return {"role": "user", "content": [result]}
    calls = asked.calls(turn, place)
    if turn.get("role") != "assistant" or not (calls or "tool_calls" in turn or "refusal" in turn):
        return {**turn, "content": content}
    said = [part for part in _blocks(content) if part.get("type") != "text" or part.get("text")]
    uses = [
        {
            "type": "tool_use",
            "id": _id(call.id),
            "name": call.name,
            "input": call.table(f"{place}.tool_calls"),
        }
        for call in calls
    ]
    return {"role": "assistant", "content": [*said, *uses] if uses else content}


def _id(call_id: str) -> str:
    """An id as Anthropic takes it."""
    return _NOT_IN_AN_ID.sub("_", call_id) or "call"


def with_tools(body: Body) -> Body:
    """The request with its functions, and the choice among them, in Anthropic's form. Raises Unfit."""
    made = dict(body)
    given, choice = made.get("tools"), made.get("tool_choice")
    if isinstance(given, list):
        made["tools"] = [_tool(one, at) for one, at in _each(given)]
    own = isinstance(choice, dict) and choice.get("type") in ("auto", "any", "tool", "none")
    found = choice_of(choice, made.pop("parallel_tool_calls", None))
    if found is not None and not (own and found.parallel) and (given or choice is not None):
        made["tool_choice"] = _choice(found)
    return made


def _each(given: list[Json]) -> list[tuple[Tool | Body, str]]:
    return [(one, f"tools[{place}]") for place, tool in enumerate(given) for one in _read(tool, place)]


def _read(tool: Json, place: int) -> list[Tool | Body]:
    """What stands in Anthropic's form already stays as it is, with all that it says."""
    if isinstance(tool, dict) and "input_schema" in tool:
        return [tool]
    try:
        return tools_of([tool])
    except Unfit as fault:
        raise Unfit(fault.place.replace("tools[0]", f"tools[{place}]"), fault.message) from None


def _tool(tool: Tool | Body, place: str) -> Body:
    if not isinstance(tool, Tool):
        if "custom" in tool or ("type" not in tool and "input_schema" not in tool):
            raise Unfit(
                place, "Anthropic takes functions with a JSON Schema, and tools of its own by their type"
            )
        return tool
    made: Body = {"name": tool.name, "input_schema": {"type": "object", **tool.schema}}
    if tool.description is not None:
        made["description"] = tool.description
    return made | ({"strict": True} if tool.strict else {})


def _choice(choice: Choice) -> Body:
    if len(choice.names) > 1:
        raise Unfit("tool_choice", "Anthropic takes one function or all; offer fewer in tools")
    made: Body = {"type": "tool", "name": choice.names[0]} if choice.names else {"type": _MODES[choice.mode]}
    if not choice.parallel and choice.mode != "none":
        made["disable_parallel_tool_use"] = True
    return made
