"""Files that a crash, a copy or another program left in a data folder, each with what comes of it."""

from __future__ import annotations

import json

from batchtui.model import Json
from tests.store.store_help import HOSTILE

CASES: list[dict[str, Json]] = json.loads((HOSTILE / "bad-state" / "index.json").read_text())
NAMES = [case["path"] for case in CASES]


def original(case: dict[str, Json]) -> bytes:
    return (HOSTILE / "bad-state" / case["path"]).read_bytes()
