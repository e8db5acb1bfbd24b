"""Functions, and the choice among them, as Gemini has them."""

from __future__ import annotations

from batchtui.backends.gemini.native import camel_case
from batchtui.backends.prompts.forms.tools import Choice, Tool, choice_of, tools_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json

_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_PLAIN = frozenset(
    """type description title properties required items enum nullable minimum maximum minItems maxItems minLength
    maxLength pattern anyOf""".split()  # noqa: SIM905
)
"""Keywords of the narrow schema that `parameters` takes, as read on 2026-11-28."""


def with_tools(tools: Json, choice: Json) -> dict[str, Json]:
    """`tools` and `toolConfig` for what stands in OpenAI's fields. Raises Unfit."""
    made: dict[str, Json] = {}
    if isinstance(tools, list):
        declared: list[Json] = []
        others: list[Json] = []
        for place, one in enumerate(tools):
            if isinstance(one, dict) and _is_own(one):
                others.append(camel_case(one))
                continue
            for tool in tools_of([one]):
                if not isinstance(tool, Tool):
                    kind = tool.get("type")
                    raise Unfit(
                        f"tools[{place}]",
                        f'Gemini has no tool of type "{kind}"; it takes functions and its own',
                    )
                declared.append(_declaration(tool))
        made["tools"] = [*([{"functionDeclarations": declared}] if declared else []), *others]
    if (found := choice_of(choice)) is not None:
        made["toolConfig"] = {"functionCallingConfig": _config(found)}
    return made


def _is_own(tool: dict[str, Json]) -> bool:
    """`functionDeclarations`, `googleSearch` and the like: a key for each kind, and no type."""
    return not tool.keys() & {"type", "function", "input_schema"}


def _declaration(tool: Tool) -> dict[str, Json]:
    made: dict[str, Json] = {"name": tool.name}
    if tool.description is not None:
        made["description"] = tool.description
    schema = {key: value for key, value in (tool.parameters or {}).items() if key != "$schema"}
    if not schema.get("properties") and schema.keys() <= {
        "type",
        "properties",
        "required",
        "additionalProperties",
    }:
        return made  # a function without parameters has no schema there
    key = "parameters" if _is_plain(schema) else "parametersJsonSchema"
    return made | {key: schema}


def _is_plain(schema: Json) -> bool:
    """Whether it keeps to the narrow form, which every version takes."""
    if not isinstance(schema, dict) or not schema.keys() <= _PLAIN or not isinstance(schema.get("type"), str):
        return False
    if "enum" in schema and not (
        schema["type"] == "string" and all(isinstance(v, str) for v in schema["enum"])
    ):
        return False
    properties = schema.get("properties") or {}
    inner = [*(properties.values() if isinstance(properties, dict) else [None]), *(schema.get("anyOf") or [])]
    return all(map(_is_plain, inner + ([schema["items"]] if "items" in schema else [])))


def _config(choice: Choice) -> dict[str, Json]:
    narrowed = {"allowedFunctionNames": list(choice.names)} if choice.names else {}
    mode = "ANY" if choice.names and choice.mode == "required" else _MODES[choice.mode]
    if choice.names and mode == "AUTO":
        mode = "VALIDATED"
    return {"mode": mode, **narrowed}
