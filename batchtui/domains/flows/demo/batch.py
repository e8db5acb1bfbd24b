"""One Buttermilk batch of the demo: its records as they run, and what the real server does otherwise, on request.

A batch's `parameters` ask for it: `fail` names records that fail (true: all), `quirks` the ways of the real server.
"""

from __future__ import annotations

import asyncio
import random
import string
from dataclasses import dataclass
from datetime import UTC, datetime

from batchtui.demo.answers import HOSTILE, answer
from batchtui.demo.world import World
from batchtui.model import Json

FLOWS: dict[str, list[str]] = {
    "demo": ["r1", "r2", "r3", "r4"],
    "good": ["r1", "r2", "r3", "r4"],
    "empty": [],
    "names": ["a b?ü", "a/b", "..", "plain"],
    "many": [f"r{n}" for n in range(1, 201)],
}
"""Records by flow; the first of `demo` fails."""
BROKEN = "broken"
"""A flow whose records cannot be read."""
REAL = frozenset({"hide_running", "no_limit", "no_policy", "revive", "stuck_empty", "never_failed"})
"""What the server of that commit does: running jobs are in no list, concurrency and error_policy are not read, a
cancelled batch goes on and ends as completed, an empty one never ends, and no batch ever ends as failed."""
QUIRKS = REAL | {"callback", "no_counts", "bare_jobs"}
"""`callback`: a job is done before its flow, with `{}`; `no_counts`: nothing updates them; `bare_jobs`: no status."""
ENDED = frozenset({"completed", "failed", "cancelled"})
_LETTERS = string.ascii_letters + string.digits


@dataclass(slots=True)
class Record:
    id: str
    created: str
    status: str = "pending"
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    result: Json = None


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Batch:
    """Runs from the moment it is made."""

    def __init__(self, world: World, asked: dict[str, Json]) -> None:
        self.id = "batch-" + "".join(random.choices(_LETTERS, k=8))
        self.asked = asked
        self.flow: str = asked["flow"]
        self.parameters: dict[str, Json] = asked["parameters"]
        self.interactive: bool = asked["interactive"]
        self.status = "pending"
        self.created = now()
        self.started: str | None = None
        self.ended: str | None = None
        self.quirks = self._quirks()
        ids = list(FLOWS[self.flow])
        if asked["shuffle"]:
            world.faults.random.shuffle(ids)
        if asked["max_records"] is not None:
            ids = ids[: asked["max_records"]]  # a negative one drops the last
        self.records = {one: Record(one, self.created) for one in ids}
        self._world = world
        self._stop = self.parameters.get("error_policy") == "stop"
        self._stop |= asked["error_policy"] == "stop" and "no_policy" not in self.quirks
        at_once = len(ids) if "no_limit" in self.quirks else max(1, asked["concurrency"])
        whole = 0.4 if world.faults.duration is None else world.faults.duration
        self._seconds = whole / max(1, -(-len(ids) // max(1, at_once)))
        self._limit = asyncio.Semaphore(max(1, at_once))
        self._task = world.spawn(self._run())

    def _quirks(self) -> frozenset[str]:
        asked = self.parameters.get("quirks")
        words = (
            {asked} if isinstance(asked, str) else set(map(str, asked)) if isinstance(asked, list) else set()
        )
        return frozenset(words | (REAL if "real" in words else frozenset())) & QUIRKS

    # ---- what it tells

    @property
    def done(self) -> tuple[int, int]:
        """Records that completed and that failed."""
        if "no_counts" in self.quirks:
            return 0, 0
        words = [record.status for record in self.records.values()]
        return words.count("completed"), words.count("failed")

    def body(self) -> dict[str, Json]:
        completed, failed = self.done
        return {
            "id": self.id,
            "flow": self.flow,
            "created_at": self.created,
            "started_at": self.started,
            "completed_at": self.ended,
            "total_jobs": len(self.records),
            "completed_jobs": completed,
            "failed_jobs": failed,
            "status": self.status,
            "parameters": self.parameters,
            "interactive": self.interactive,
        }

    def definition(self, record: Record) -> dict[str, Json]:
        if "bare_jobs" in self.quirks:
            return {
                "flow": self.flow,
                "record_id": record.id,
                "batch_id": self.id,
                "parameters": self.parameters,
            }
        return {
            "batch_id": self.id,
            "flow": self.flow,
            "record_id": record.id,
            "parameters": self.parameters,
            "status": record.status,
            "created_at": record.created,
            "started_at": record.started,
            "completed_at": record.ended,
            "error": record.error,
            "result_uri": None,
        }

    def listed(self) -> list[dict[str, Json]]:
        hidden = "running" if "hide_running" in self.quirks else None
        return [self.definition(record) for record in self.records.values() if record.status != hidden]

    def result(self, record: Record) -> dict[str, Json]:
        kept = {"error": record.error} if record.status == "failed" else {"result": record.result}
        return {"job_definition": self.definition(record), **kept, "completed_at": record.ended}

    # ---- what it does

    def cancel(self) -> bool:
        """False where it has ended by itself. Asked twice it is cancelled anew."""
        if self.status in ("completed", "failed"):
            return False
        self.status, self.ended = "cancelled", now()
        for record in self.records.values():
            if record.status == "pending" or (record.status == "running" and "revive" not in self.quirks):
                record.status, record.ended = "cancelled", self.ended
        return True

    def forget(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        if not self.records and "stuck_empty" in self.quirks:
            return
        await asyncio.sleep(min(0.05, self._seconds))
        if self.status == "pending" and "no_counts" not in self.quirks:
            self.status, self.started = "running", now()
        await asyncio.gather(*(self._one(record) for record in self.records.values()))
        if self.status == "cancelled" and "revive" not in self.quirks:
            return
        words = {record.status for record in self.records.values()}
        if self.status == "cancelled" and "cancelled" in words:
            return  # what never ran keeps it from coming back
        if self.status in ("running", "pending", "cancelled") and "no_counts" not in self.quirks:
            all_failed = words == {"failed"} and "never_failed" not in self.quirks
            self.status, self.ended = "failed" if all_failed else "completed", now()

    async def _one(self, record: Record) -> None:
        async with self._limit:
            if record.status != "pending":
                return
            record.status, record.started = "running", now()
            if "callback" not in self.quirks:
                await asyncio.sleep(self._seconds)
        if record.status != "running":
            return  # cancelled meanwhile
        record.ended = now()
        if self._fails(record.id):
            record.status, record.error = "failed", f"flow {self.flow} failed on record {record.id}"
            if self._stop and self.status == "running":
                self._stopped()
            return
        record.status, record.result = (
            "completed",
            {} if "callback" in self.quirks else self._answer(record.id),
        )

    def _stopped(self) -> None:
        """An error under `error_policy` stop: what waits is not run."""
        self.status, self.ended = "failed", now()
        for record in self.records.values():
            if record.status == "pending":
                record.status = "cancelled"

    def _fails(self, record_id: str) -> bool:
        asked = self.parameters.get("fail")
        if asked is not None:
            return asked is True or (isinstance(asked, list) and record_id in asked)
        return (self.flow == "demo" and record_id == "r1") or self._world.faults.chance(
            "partial", self.flow, record_id
        )

    def _answer(self, record_id: str) -> Json:
        text = answer(f"record {record_id}", f"{self.flow}\0{record_id}".encode())
        if self._world.faults.chance("hostile", self.flow, record_id):
            text = HOSTILE
        return {"record_id": record_id, "flow": self.flow, "outputs": text}
