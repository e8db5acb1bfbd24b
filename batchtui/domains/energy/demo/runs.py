"""Energy models of the demo server: what a run is asked for, how far it is, and what came of it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from batchtui.demo.kinds.base import ApiError
from batchtui.domains.energy.demo.results import sections
from batchtui.model import Json

STAGES = ("initializing", "calculating", "processing", "saving")
TERMINAL = ("completed", "failed", "cancelled")
USUAL = 0.5
"""Seconds that a run takes."""
SCRIPTS = ("fail", "cancelled", "never", "sync", "snake", "nested", "bare", "big", "untitled")
"""Words of a run's name that say what becomes of it; `bare`: its task never tells the model's id."""
ERROR = ("WeatherDataError", "Weather data: 24 timestamps are missing on 2026-03-29")
_MARK = re.compile(r"\s*\[([^\[\]]+)\]$")
_ROOTS = ("projectId", "locationId", "location")
_PARTS = ("inverterId", "shading", "losses", "acSystem", "albedo")
_KNOWN = ("projectId", "locationId", "location", "blocks", "weatherData", "schemaVersion", "plant", "settings",
          "output", "name")  # fmt: skip


def label_and_mark(name: Json) -> tuple[str, str | None]:
    """`Site A [token]` as its two parts."""
    text = name if isinstance(name, str) else ""
    found = _MARK.search(text)
    return (text[: found.start()], found[1]) if found else (text, None)


def problems(asked: dict[str, Json]) -> list[dict[str, Json]]:
    """What a validator says of an input, in its form; empty for a good one."""
    found: list[dict[str, Json]] = []

    def say(kind: str, message: str, *loc: str | int, given: Json = None) -> None:
        found.append({"type": kind, "loc": ["body", *loc], "msg": message, "input": given})

    for key in asked:
        if key not in _KNOWN:
            say("extra_forbidden", "Extra inputs are not permitted", key, given=asked[key])
    if sum(asked.get(key) is not None for key in _ROOTS) != 1:
        say("value_error", "Value error, exactly one of projectId, locationId or location is required")
    blocks = asked.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        say("too_short", "List should have at least 1 item after validation, not 0", "blocks", given=blocks)
        return found
    for place, block in enumerate(blocks):
        if not isinstance(block, dict):
            say("dict_type", "Input should be a valid dictionary", "blocks", place, given=block)
            continue
        for part in _PARTS:
            if block.get(part) is None:
                say("missing", "Field required", "blocks", place, part, given=block)
        if block.get("array") is None and block.get("dcInputs") is None:
            say("value_error", "Value error, array or dcInputs is required", "blocks", place)
        layout = block.get("layout")
        if layout is None and block.get("layoutRef") is None:
            say("value_error", "Value error, layout or layoutRef is required", "blocks", place)
        gcr = layout.get("gcr") if isinstance(layout, dict) else None
        if gcr is not None and (not isinstance(gcr, int | float) or not 0.15 <= gcr <= 0.9):
            message = "Input should be greater than or equal to 0.15 and less than or equal to 0.9"
            say("range", message, "blocks", place, "layout", "gcr", given=gcr)
    return found


@dataclass
class Run:
    """One energy model and its task. Where it stands follows from the clock alone."""

    number: int
    asked: dict[str, Json]
    takes: float
    fails: bool
    began: float = field(default_factory=time.monotonic)
    made: float = field(default_factory=time.time)
    task: int = 0
    cancelled: bool = False
    revision: int = 1

    def __post_init__(self) -> None:
        self.model = self.number + 9
        self.label, self.mark = label_and_mark(self.asked.get("name"))
        words = re.findall(r"[a-z]+", self.label.lower())
        self.script = next((word for word in words if word in SCRIPTS), "")
        self.task = self.task or self.number

    @property
    def share(self) -> float:
        """How much of its time is over, 0 to 1."""
        return min(1.0, (time.monotonic() - self.began) / self.takes) if self.takes else 1.0

    @property
    def status(self) -> str:
        share = self.share
        if self.cancelled or (self.script == "cancelled" and share >= 0.5):
            return "cancelled"
        if share < 0.1:
            return "pending"
        if share < 0.2:
            return "queued"
        if share < 1 or self.script == "never":
            return "running"
        return "failed" if self.fails or self.script == "fail" else "completed"

    @property
    def record(self) -> dict[str, Json]:
        """The task."""
        status, share = self.status, self.share
        going = max(0.0, (share - 0.2) / 0.8) if status in ("running", *TERMINAL) else 0.0
        failed = status == "failed"
        told = status == "completed" and self.script != "bare"
        return {
            "id": self.task,
            "taskType": "energy_model",
            "status": status,
            "progress": round(100 * going, 1),
            "stage": STAGES[min(3, int(4 * going))] if status == "running" else None,
            "resultData": {"energyModelId": self.model} if told else None,
            "errorType": ERROR[0] if failed else None,
            "errorMessage": ERROR[1] if failed else None,
            "createdAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.made)),
        }

    def queued(self) -> dict[str, Json]:
        """The reply to its submit, in the form that its name asks for."""
        if self.script == "snake":
            return {"task_id": self.task, "energy_model_id": self.model, "run_index": 0}
        mode = "sync_in_process" if self.script == "sync" else "async"
        details: dict[str, Json] = {
            "taskId": self.task,
            "executionMode": mode,
            "message": "Energy model queued",
            "warnings": [],
            "normalizationWarnings": [],
        }
        reply: dict[str, Json] = {
            "result": "success",
            "message": details["message"],
            "energyModelId": self.model,
            "globalEnergyModelId": f"1{self.model:08}",
            "projectId": 1,
            "revision": f"v{self.revision:04}",
            "runIndex": 0,
            "taskId": self.task,
            "taskDetails": details,
        }
        if self.script == "nested":
            for key in ("energyModelId", "runIndex"):
                details[key] = reply.pop(key)
            del reply["taskId"]
        if self.script == "sync":
            reply |= self.result()
        return reply

    def result(self, *, inputs: bool = False) -> dict[str, Json]:
        """Every section of a completed run, its figures made from what was asked. Raises ApiError (409)."""
        if self.status not in TERMINAL and self.script != "sync":
            raise ApiError(409, "Energy model run is not completed")
        big, untitled = self.script == "big", self.script == "untitled"
        found = sections(self.asked, big=big, untitled=untitled)
        return found | ({"inputs": self.asked} if inputs else {})
