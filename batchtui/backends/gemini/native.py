"""A request in Gemini's own form: Google reads its fields in camelCase and in snake_case, we send the former."""

from __future__ import annotations

import re

from batchtui.model import Json

_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_AS_THEY_ARE = frozenset(
    {
        "args",
        "response",
        "labels",
        "parameters",
        "parametersJsonSchema",
        "responseJsonSchema",
        "responseSchema",
    }
)
"""Fields whose keys are the user's own words, or a schema, which Google reads either way."""


def camel_name(key: str) -> str:
    return _UNDERSCORE.sub(lambda found: found[1].upper(), key)


def camel_case(value: Json) -> Json:
    """The value with its keys as Google's reference writes them."""
    if isinstance(value, list):
        return [camel_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {camel_name(key): item for key, item in value.items()}
    return {key: item if key in _AS_THEY_ARE else camel_case(item) for key, item in named.items()}
