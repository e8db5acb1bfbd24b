"""The calls of Buttermilk's batch API, each with what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from batchtui.backends.base import Forgotten, Refused, RemoteJob, Transient, Unsure
from batchtui.backends.wire.calls import ask
from batchtui.backends.wire.replies import Reply, object_of, raise_for
from batchtui.backends.wire.values import usable_id
from batchtui.domains.flows import wire
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http

CREATE_TIMEOUT = 120.0
"""Seconds: the server reads all records of a flow before it answers."""
LIST_TIMEOUT = 20.0
GONE = "the server knows no such batch; it may have been started anew, which forgets all"
Batches = list[dict[str, Json]]


class Calls:
    """All but `create` may be repeated. They raise Transient, TryLater, NeedsPerson where nothing can be said."""

    def __init__(self, connect: Callable[[], Http], base_url: str) -> None:
        """`base_url` with or without its /api."""
        self._connect = connect
        self._http: Http | None = None
        self.path = wire.BATCHES.removeprefix("api/") if base_url.endswith("/api") else wire.BATCHES
        self.flows_path = self.path.replace("batches", "flows")

    @property
    def http(self) -> Http:
        if self._http is None:
            self._http = self._connect()
        return self._http

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def batches(self) -> Batches:
        """Every batch with a usable id, oldest first. Raises as `listed`."""
        return [one for one in await self.listed() if usable_id(one.get("id"))]

    async def listed(self) -> Batches:
        """Every batch as the server shows it, oldest first. Raises Forgotten where there is no batch API."""
        reply = await ask(self.http, "GET", self.path)
        if reply.status in (404, 405):
            raise Forgotten(wire.NO_API)
        _judge(reply)
        if not isinstance(reply.json, list):
            raise Transient("the list of batches is no JSON list", kind="bad_reply")
        return [one for one in reply.json if isinstance(one, dict)]

    async def batch(self, remote_id: str | None) -> dict[str, Json]:
        """Raises Forgotten."""
        reply = await ask(self.http, "GET", self._at(remote_id))
        _known(reply)
        _judge(reply)
        return object_of(reply)

    async def create(self, body: dict[str, Json]) -> str:
        """The id of what was made. Raises Refused, Unsure, and as above."""
        reply = await self.http.request_json(
            "POST", self.path, json=body, timeout=CREATE_TIMEOUT, create=True
        )
        if reply.status in (400, 404, 405, 422):
            raise wire.refusal(reply)
        remote_id = usable_id(object_of(reply, create=True).get("id"))
        if remote_id is None:
            raise Unsure("the reply names no usable id for the batch", answered=True)
        return remote_id

    async def cancel(self, remote_id: str | None) -> None:
        """Raises Refused for a batch that has ended; one that is gone is told by the next poll."""
        reply = await ask(self.http, "DELETE", self._at(remote_id))
        if reply.status != 404:
            _judge(reply)
        elif "Cannot cancel" in wire.words(reply):
            raise Refused("already finished", "finished")

    async def records(self, remote_id: str | None) -> list[RemoteJob]:
        """The records that show. Raises Forgotten."""
        reply = await ask(self.http, "GET", f"{self._at(remote_id)}/jobs")
        _known(reply)
        _judge(reply)
        items = reply.json if isinstance(reply.json, list) else []
        return [job for item in items if (job := wire.record_of(item)) is not None]

    async def result(self, remote_id: str | None, segment: str) -> Reply:
        """What the server says of one record, its id as a step of a path; a 404 where it has no result."""
        return await ask(self.http, "GET", f"{self._at(remote_id)}/jobs/{segment}")

    async def flows(self) -> list[str]:
        """Their names, where the server lists them."""
        accept = {"Accept": "application/json"}
        reply = await self.http.request_json("GET", self.flows_path, headers=accept, timeout=LIST_TIMEOUT)
        body = reply.json if reply.status == 200 and isinstance(reply.json, dict) else {}
        listed = body.get("flow_choices")
        return [flow for flow in listed if isinstance(flow, str)] if isinstance(listed, list) else []

    def _at(self, remote_id: str | None) -> str:
        return f"{self.path}/{quote(remote_id or '', safe='')}"


def _known(reply: Reply) -> None:
    if reply.status == 404:
        raise Forgotten(wire.NO_API if wire.no_api(reply) else GONE)


def _judge(reply: Reply) -> None:
    """Nothing for a good reply; what the server refuses here may pass."""
    try:
        raise_for(reply)
    except Refused as fault:
        raise Transient(fault.message, kind=fault.kind) from None
