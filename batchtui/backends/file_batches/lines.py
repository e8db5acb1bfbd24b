"""Rows in OpenAI's manner for providers that differ in a few fields: what is renamed, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping

from batchtui.model import Json


def renamed(body: dict[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    """The body with fields under the provider's names; one given under that name already wins."""
    kept = {key: value for key, value in body.items() if key not in names}
    moved = {names[key]: value for key, value in body.items() if key in names}
    return {**moved, **kept}


def bare_line(custom_id: str, body: dict[str, Json]) -> bytes:
    """One line of an input file that names no method and no address, ASCII and compact, with its LF."""
    return json.dumps({"custom_id": custom_id, "body": body}, separators=(",", ":")).encode() + b"\n"
