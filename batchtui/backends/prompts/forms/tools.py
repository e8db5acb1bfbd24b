"""Functions that a model may call: read from any provider's form, with the choice among them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json


@dataclass(frozen=True, slots=True)
class Tool:
    """`parameters` is a JSON Schema, of an object."""

    name: str
    description: str | None = None
    parameters: dict[str, Json] | None = None
    strict: bool | None = None

    @property
    def schema(self) -> dict[str, Json]:
        return self.parameters or {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Choice:
    """`mode` is auto, none or required; `names` are the functions it is narrowed to."""

    mode: str
    names: tuple[str, ...] = ()
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model made. `arguments` is JSON text."""

    id: str
    name: str
    arguments: str

    def table(self, place: str) -> dict[str, Json]:
        """The arguments as a table. Raises Unfit."""
        try:
            found = json.loads(self.arguments or "{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unfit(place, f"the arguments of {self.name} are no JSON object")
        return found


def tools_of(given: Json) -> list[Tool | dict[str, Json]]:
    """Each function that is offered, whatever form it is in; what is none (a provider's own tool) as it stands."""
    found: list[Tool | dict[str, Json]] = []
    for place, tool in enumerate(given if isinstance(given, list) else []):
        if not isinstance(tool, dict):
            raise Unfit(f"tools[{place}]", "expected a table")
        declared = tool.get("functionDeclarations", tool.get("function_declarations"))
        if isinstance(declared, list):
            found += [_declared(one, f"tools[{place}]") for one in declared]
            others = {key: value for key, value in tool.items() if key not in _DECLARATIONS}
            found += [others] if others else []
        else:
            found.append(_tool(tool, f"tools[{place}]"))
    return found


_DECLARATIONS = ("functionDeclarations", "function_declarations")


def _tool(tool: dict[str, Json], place: str) -> Tool | dict[str, Json]:
    inner = tool.get("function")
    if isinstance(inner, dict):
        return _named(inner, inner.get("parameters"), place)
    if tool.get("type") == "function" and "name" in tool:
        return _named(tool, tool.get("parameters"), place)
    if tool.get("type") in (None, "custom") and "input_schema" in tool:
        return _named(tool, tool["input_schema"], place)
    if tool.get("type") == "function":
        raise Unfit(place, "a tool of type function has a table `function` with its name and parameters")
    return tool


def _declared(one: Json, place: str) -> Tool:
    if not isinstance(one, dict):
        raise Unfit(place, "expected a list of functionDeclarations")
    schema = one.get("parametersJsonSchema", one.get("parameters_json_schema"))
    return _named(one, _lower_types(one.get("parameters")) if schema is None else schema, place)


def _named(given: dict[str, Json], parameters: Json, place: str) -> Tool:
    name, words, strict = given.get("name"), given.get("description"), given.get("strict")
    if not isinstance(name, str) or not name:
        raise Unfit(place, "the function has no name")
    if parameters is not None and not isinstance(parameters, dict):
        raise Unfit(place, f"the parameters of {name} are a JSON Schema, a table")
    return Tool(
        name,
        words if isinstance(words, str) else None,
        parameters,
        strict if isinstance(strict, bool) else None,
    )


def _lower_types(schema: Json) -> Json:
    """Gemini's schemas say `OBJECT` and `STRING`."""
    if isinstance(schema, list):
        return [_lower_types(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _lower_types(value) for key, value in schema.items()}
    if isinstance(made.get("type"), str):
        made["type"] = made["type"].lower()
    return made


def choice_of(given: Json, parallel: Json = None) -> Choice | None:
    """The choice in OpenAI's two forms or Anthropic's; None where none is given. Raises Unfit."""
    alone = parallel is False
    if given is None:
        return Choice("auto", parallel=False) if alone else None
    if isinstance(given, str):
        mode = {"any": "required"}.get(given, given)
        if mode not in ("auto", "none", "required"):
            raise Unfit("tool_choice", f'expected auto, none, required or a function, got "{given[:40]}"')
        return Choice(mode, parallel=not alone)
    kind = given.get("type") if isinstance(given, dict) else None
    alone = alone or (kind is not None and given.get("disable_parallel_tool_use") is True)
    if isinstance(kind, str) and kind in ("auto", "any", "none"):
        return Choice({"any": "required"}.get(kind, kind), parallel=not alone)
    if kind in ("function", "tool"):
        inner = given.get("function")
        name = inner.get("name") if isinstance(inner, dict) else given.get("name")
        if isinstance(name, str) and name:
            return Choice("required", (name,), not alone)
    if kind == "allowed_tools":
        inner = given.get("allowed_tools")
        allowed = inner if isinstance(inner, dict) else given
        names = tuple(
            tool.name for tool in tools_of(_with_names(allowed.get("tools"))) if isinstance(tool, Tool)
        )
        return Choice(str(allowed.get("mode") or "auto"), names, not alone)
    raise Unfit("tool_choice", "expected auto, none, required or a function by its name")


def _with_names(tools: Json) -> list[Json]:
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def calls_of(message: dict[str, Json], place: str) -> list[ToolCall]:
    """The calls of an assistant's message, `function_call` of older files among them. Raises Unfit."""
    given = message.get("tool_calls")
    older = message.get("function_call")
    if not given and isinstance(older, dict):
        return [_call(older, older_id(older.get("name")), f"{place}.function_call")]
    calls: list[ToolCall] = []
    for number, call in enumerate(given if isinstance(given, list) else []):
        at = f"{place}.tool_calls[{number}]"
        inner = call.get("function") if isinstance(call, dict) else None
        if not isinstance(inner, dict):
            raise Unfit(at, "expected a call with an id and a function")
        calls.append(_call(inner, str(call.get("id") or older_id(inner.get("name"))), at))
    return calls


def older_id(name: Json) -> str:
    """The id of a call that has none, from its function's name."""
    return f"call_{name}"


def _call(inner: dict[str, Json], call_id: str, place: str) -> ToolCall:
    name, arguments = inner.get("name"), inner.get("arguments")
    if not isinstance(name, str) or not name:
        raise Unfit(place, "the call names no function")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, separators=(",", ":"))
    return ToolCall(call_id, name, text)


class Asked:
    """The calls that a conversation holds so far, by which what a tool answered finds its own."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def calls(self, message: dict[str, Json], place: str) -> list[ToolCall]:
        """The calls of an assistant's message, kept for what answers them. Raises Unfit."""
        found = calls_of(message, place)
        self._names |= {call.id: call.name for call in found}
        return found

    def answered(self, message: dict[str, Json], place: str) -> tuple[str, str]:
        """Id and function of the call that this turn of a tool answers. Raises Unfit."""
        call_id = str(message.get("tool_call_id") or older_id(message.get("name")))
        if call_id not in self._names:
            raise Unfit(f"{place}.tool_call_id", "names no call of the assistant above it")
        return call_id, self._names[call_id]
