"""Looking up a run of kind `daly` whose reply was lost: by the token in its name."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from urllib.parse import quote

from batchtui.backends.base import Found, Submission
from batchtui.backends.wire.calls import repeatable
from batchtui.backends.wire.replies import raise_for
from batchtui.domains.energy import wire
from batchtui.domains.energy.session import Session
from batchtui.domains.energy.wire import Ids
from batchtui.model import Json

RUNS = "energymodels"
RESULT_TIMEOUT = 300.0
MOST_LOOKED_AT = 200
"""Runs of others that are opened to find one of ours."""


class Lookup:
    """What energy models are called does not change, so each is asked for once."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session
        self._names: dict[str, list[str]] = {}

    async def find(self, submission: Submission, listed: AsyncIterable[dict[str, Json]]) -> Found:
        """The run whose name bears this token, among the tasks `listed` since then; opened where their model is known."""
        others = {Ids.of(other).task for other in submission.others}
        tasks = [task async for task in listed if wire.task_ids(task).task not in others]
        tasks.sort(key=lambda task: wire.task_ids(task).task.zfill(64), reverse=True)
        unclear: list[dict[str, Json]] = []
        opened = 0
        for task in tasks:
            ids = wire.task_ids(task)
            names = [name for name in wire.names_in(task) if submission.token in name]
            if not names and ids.model and (ids.model in self._names or opened < MOST_LOOKED_AT):
                opened += ids.model not in self._names
                names = await self._named(ids.model)
            if any(submission.token in name for name in names):
                return Found(remote_id=str(ids))
            if not names:
                unclear.append(task)
        if not unclear:
            return Found(absent=True)
        told = ", ".join(wire.task_ids(task).task for task in unclear[:5])
        if any(wire.status_of(task) not in wire.TERMINAL for task in unclear):
            return Found(reason=f"it may be task {told}: their names show when they have ended", later=True)
        return Found(reason=f"it may be task {told}, which do not tell their names")

    async def name(self, task: dict[str, Json]) -> str:
        """What the run of this task is called; empty where nothing tells, as before it has ended."""
        names, model = wire.names_in(task), wire.task_ids(task).model
        if not names and model:
            names = await self._named(model)
        return names[0] if names else ""

    async def _named(self, model: str) -> list[str]:
        """What an energy model is called; empty where it does not tell."""
        if model not in self._names:
            path = f"{RUNS}/{quote(model, safe='')}"
            reply = await self._session().call(
                "GET", path, params={"include": "inputs"}, timeout=RESULT_TIMEOUT
            )
            if reply.status in (403, 404, 409, 422):
                return []
            with repeatable():
                raise_for(reply)
            if names := wire.names_in(reply.json):
                self._names[model] = names
            return names
        return self._names[model]
