"""What Gemini refuses in the form of a request: names that its messages do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchtui.model import Json

_UNDERSCORE = re.compile(r"_([a-z0-9])")
_REQUEST = frozenset(
    """model contents systemInstruction generationConfig safetySettings tools toolConfig cachedContent labels
    serviceTier store""".split()  # noqa: SIM905
)
_PART = frozenset(
    """text inlineData fileData functionCall functionResponse executableCode codeExecutionResult thought
    thoughtSignature videoMetadata mediaResolution partMetadata toolCall toolResponse""".split()  # noqa: SIM905
)
_TOOL = frozenset(
    """functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext googleMaps computerUse
    fileSearch mcpServers""".split()  # noqa: SIM905
)
_FUNCTION = frozenset(
    """name description parameters parametersJsonSchema response responseJsonSchema behavior""".split()  # noqa: SIM905
)


def camel(name: str) -> str:
    """A field's name in camelCase: the other spelling is read too."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def named(request: dict[str, Json]) -> dict[str, Json]:
    return {camel(key): value for key, value in request.items()}


def misformed(request: Json) -> str | None:
    """Why this request is refused, or None."""
    for place, known, table in _tables(request):
        for name in table:
            if camel(name) not in known:
                at = f" at '{place}'" if place else ""
                return f'Invalid JSON payload received. Unknown name "{name[:60]}"{at}: Cannot find field.'
    return None


def _tables(request: Json) -> Iterator[tuple[str, frozenset[str], dict[str, Json]]]:
    """Each table of the request whose names are known, with its place."""
    if not isinstance(request, dict):
        return
    yield "", _REQUEST, request
    fields = named(request)
    for place, turn in _of("contents", fields.get("contents")):
        for at, part in _of(f"{place}.parts", turn.get("parts")):
            yield at, _PART, part
    for place, tool in _of("tools", fields.get("tools")):
        yield place, _TOOL, tool
        for at, function in _of(f"{place}.function_declarations", named(tool).get("functionDeclarations")):
            yield at, _FUNCTION, function


def _of(name: str, values: Json) -> Iterator[tuple[str, dict[str, Json]]]:
    for place, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield f"{name}[{place}]", value
