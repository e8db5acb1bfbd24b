"""Buttermilk's batch API, as it was for ten days; under /head the same server without it, as it is since."""

from __future__ import annotations

import json
import re
from typing import ClassVar

from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route, json_response
from batchtui.demo.world import World
from batchtui.domains.flows.demo.batch import BROKEN, FLOWS, Batch, Record
from batchtui.model import Json

PREFIX = "/buttermilk"
_PATH = f"{PREFIX}/api/batches"
_DEFAULTS: dict[str, Json] = {
    "shuffle": True,
    "max_records": None,
    "concurrency": 1,
    "error_policy": "continue",
    "parameters": {},
    "interactive": False,
}
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
Fault = dict[str, Json]


class ButtermilkDemo(DemoKind):
    """All in memory: `POST /buttermilk/restart` is the server started anew."""

    name: ClassVar[str] = "buttermilk"
    prefix: ClassVar[str] = PREFIX

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.batches: dict[str, Batch] = {}

    def routes(self) -> list[Route]:
        return [
            Route("POST", _PATH, "create", self.create),
            Route("GET", _PATH, "list", self.list),
            Route("POST", f"{_PATH}/", "list", self.redirect),
            Route("GET", f"{_PATH}/", "list", self.redirect),
            Route("GET", f"{_PATH}/{{id}}", "poll", self.poll),
            Route("DELETE", f"{_PATH}/{{id}}", "cancel", self.cancel),
            Route("GET", f"{_PATH}/{{id}}/jobs", "read", self.jobs),
            Route("GET", f"{_PATH}/{{id}}/jobs/{{record_id}}", "results", self.job),
            Route("GET", f"{PREFIX}/api/flows", "models", self.flows),
            Route("GET", f"{PREFIX}/head/api/flows", "models", self.flows),
            Route("GET", f"{PREFIX}/health", "models", self.health),
            Route("POST", f"{PREFIX}/restart", "delete", self.restart),
        ]

    def error(self, fault: ApiError) -> Response:
        detail = fault.message
        if fault.status == 404 and detail.startswith("Invalid URL"):
            detail = "Not Found"
        elif fault.status == 405:
            detail = "Method Not Allowed"
        elif fault.status == 500:
            detail = f"Internal server error: {detail}"
        headers = {} if fault.after is None else {"Retry-After": f"{fault.after:.2f}"}
        return json_response({"detail": detail}, fault.status, headers)

    def reset(self) -> None:
        for batch in self.batches.values():
            batch.forget()
        self.batches.clear()

    async def describe(self, call: Call) -> None:
        call.remote_id = call.params.get("id")

    # ---- batches

    async def create(self, call: Call) -> Response:
        try:
            asked = json.loads(await call.request.body())
        except ValueError as fault:
            place, why = getattr(fault, "pos", 0), getattr(fault, "msg", str(fault))
            return _invalid([_fault("json_invalid", [place], "JSON decode error", {}, error=why)])
        faults = _check(asked)
        if faults:
            return _invalid(faults)
        if asked["flow"] == BROKEN:
            raise ApiError(400, f"Failed to extract records for flow '{BROKEN}': its source cannot be read")
        if asked["flow"] not in FLOWS:
            known = ", ".join(FLOWS)
            raise ApiError(400, f"Flow '{asked['flow']}' not found. Available flows: {known}")
        batch = Batch(self.world, {**_DEFAULTS, **asked})
        self.batches[batch.id] = batch
        call.remote_id, call.job_ids = batch.id, list(batch.records)
        return self.reply(batch.body())

    async def list(self, call: Call) -> Response:
        status = call.request.query_params.get("status")
        batches = (batch.body() for batch in self.batches.values())
        return self.reply([body for body in batches if status is None or body["status"] == status])

    async def redirect(self, call: Call) -> Response:
        return Response(status_code=307, headers={"Location": str(call.request.url).rstrip("/")})

    async def poll(self, call: Call) -> Response:
        return self.reply(self._find(call).body())

    async def cancel(self, call: Call) -> Response:
        call.remote_id = call.params["id"]
        batch = self._find(call)
        if not batch.cancel():
            raise ApiError(404, f"Cannot cancel batch '{batch.id}': it is {batch.status}")
        return self.reply(batch.body())

    async def jobs(self, call: Call) -> Response:
        return self.reply(self._find(call).listed())

    async def job(self, call: Call) -> Response:
        batch_id, record_id = call.params["id"], call.params["record_id"]
        batch = self.batches.get(batch_id)
        record: Record | None = batch.records.get(record_id) if batch else None
        if batch is None or record is None or record.status not in ("completed", "failed"):
            raise ApiError(404, f"Job for record '{record_id}' in batch '{batch_id}' not found")
        return self.reply(batch.result(record))

    def _find(self, call: Call) -> Batch:
        batch = self.batches.get(call.params["id"])
        if batch is None:
            raise ApiError(404, f"Batch '{call.params['id']}' not found")
        return batch

    # ---- the rest of the server

    async def flows(self, call: Call) -> Response:
        if "application/json" not in call.request.headers.get("accept", ""):
            return Response("<html><body>flows</body></html>", media_type="text/html")
        return self.reply({"flow_choices": [*FLOWS, BROKEN]})

    async def health(self, call: Call) -> Response:
        return self.reply({"status": "ok"})

    async def restart(self, call: Call) -> Response:
        self.reset()
        return self.reply({"batches": 0})


# ---- what a create may hold --------------------------------------------------------------------


def _invalid(faults: list[Fault]) -> Response:
    return json_response({"detail": faults}, 422)


def _fault(type_: str, loc: list[Json], message: str, given: Json, **ctx: Json) -> Fault:
    fault: Fault = {"type": type_, "loc": ["body", *loc], "msg": message, "input": given}
    return {**fault, "ctx": ctx} if ctx else fault


def _check(asked: Json) -> list[Fault]:
    """What is wrong with it, by field; numbers and truths in text become themselves."""
    if not isinstance(asked, dict):
        return [_fault("model_attributes_type", [], "Input should be a valid dictionary", asked)]
    faults = [] if "flow" in asked else [_fault("missing", ["flow"], "Field required", asked)]
    for name, value in list(asked.items()):
        fault = _check_field(asked, name, value)
        if fault:
            faults.append(fault)
    return faults


def _check_field(asked: dict[str, Json], name: str, value: Json) -> Fault | None:
    match name:
        case "flow" if not isinstance(value, str):
            return _fault("string_type", [name], "Input should be a valid string", value)
        case "shuffle" | "interactive" if not isinstance(value, bool):
            if str(value).lower() not in _BOOLEANS:
                text = "Input should be a valid boolean, unable to interpret input"
                return _fault("bool_parsing", [name], text, value)
            asked[name] = _BOOLEANS[str(value).lower()]
        case "max_records" | "concurrency":
            if value is None and name == "max_records":
                return None
            if isinstance(value, bool) or not isinstance(value, int):
                if not _INTEGER.fullmatch(str(value)):
                    text = "Input should be a valid integer, unable to parse string as an integer"
                    return _fault("int_parsing", [name], text, value)
                asked[name] = int(value)
        case "error_policy" if value not in ("continue", "stop"):
            expected = "'continue' or 'stop'"
            return _fault("enum", [name], f"Input should be {expected}", value, expected=expected)
        case "parameters" if not isinstance(value, dict):
            return _fault("dict_type", [name], "Input should be a valid dictionary", value)
        case "flow" | "shuffle" | "interactive" | "error_policy" | "parameters":
            return None
        case _:
            return _fault("extra_forbidden", [name], "Extra inputs are not permitted", value)
    return None
