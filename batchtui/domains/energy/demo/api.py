"""Daly's energy API: sign-in for a token, one run a call, tasks to watch, results by the model's id.

What a run's name says becomes of it (see `daly_runs.SCRIPTS`). The user key says how tokens behave: `form-a` gives the
other form of the reply, `lives-2` tokens that are refused after 2 s, `says-2` a reply that tells so, `deaf` tokens that
nothing takes; the key `wrong` is refused.
"""

from __future__ import annotations

import base64
import re
import time
from typing import ClassVar

import msgspec
from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route, json_response
from batchtui.demo.world import World
from batchtui.domains.energy.demo.runs import TERMINAL, USUAL, Run, label_and_mark, problems
from batchtui.model import Json

LIFE = 86_400
_PAGE, _LARGEST_PAGE = 50, 1000


class _Unfit(ApiError):
    """A 422 that lists its faults."""

    def __init__(self, faults: list[dict[str, Json]]) -> None:
        super().__init__(422, "Validation failed")
        self.faults = faults


class DalyDemo(DemoKind):
    name: ClassVar[str] = "daly"
    prefix: ClassVar[str] = "/daly"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.runs: list[Run] = []
        self.tokens: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        """How often each call was made, by its op: what tests count."""

    def routes(self) -> list[Route]:
        runs, tasks = f"{self.prefix}/energymodels", f"{self.prefix}/tasks"
        return [
            Route("POST", f"{self.prefix}/auth/token", "read", self.sign_in),
            Route("POST", runs, "create", self.create),
            Route("GET", runs + "/{id}", "results", self.result),
            Route("PUT", runs + "/{id}", "upload", self.replace),
            Route("POST", runs + "/{id}/run", "create", self.rerun),
            Route("GET", tasks, "list", self.list),
            Route("GET", tasks + "/{id}", "poll", self.task),
            Route("POST", tasks + "/{id}/cancel", "cancel", self.cancel),
        ]

    def error(self, fault: ApiError) -> Response:
        headers = {} if fault.after is None else {"retry-after": f"{fault.after:.3f}"}
        detail = fault.faults if isinstance(fault, _Unfit) else fault.message
        return json_response({"detail": detail}, fault.status, headers)

    def reset(self) -> None:
        self.runs.clear()
        self.tokens.clear()
        self.calls.clear()

    async def describe(self, call: Call) -> None:
        if call.op == "create" and "id" not in call.params:
            self._named(call, await call.json())
        elif call.op == "cancel":
            call.remote_id = call.params["id"]

    # ---- signing in

    async def sign_in(self, call: Call) -> Response:
        self._count("auth")
        asked = await call.json()
        workspace, user = asked.get("workspace_id"), asked.get("user_id")
        if not isinstance(workspace, str) or not isinstance(user, str):
            raise ApiError(422, "workspace_id and user_id are required")
        if "wrong" in (workspace, user):
            raise ApiError(401, f"Invalid API key: {user}")
        lives = float(found[1]) if (found := re.search(r"lives-([\d.]+)", user)) else LIFE
        says = int(found[1]) if (found := re.search(r"says-(\d+)", user)) else LIFE
        claims = {"workspace_id": 1, "user_id": 1, "exp": int(time.time()) + says}
        token = ".".join((_packed({"alg": "none"}), _packed(claims), self.world.new_id("sig")))
        self.tokens[token] = 0.0 if "deaf" in user else time.monotonic() + lives
        if "form-a" in user:
            return self.reply({"result": "success", "token": token})
        return self.reply({"access_token": token, "token_type": "bearer", "expires_in": says})

    def _enter(self, call: Call) -> None:
        """Raises ApiError (401) for a call without a token that lives."""
        self._count(call.op)
        token = self.key(call.request) or ""
        if time.monotonic() >= self.tokens.get(token, 0.0):
            raise ApiError(401, f"Token is missing, unknown or expired: {token}")

    def _count(self, op: str) -> None:
        self.calls[op] = self.calls.get(op, 0) + 1

    # ---- runs

    async def create(self, call: Call) -> Response:
        asked = await call.json()
        self._named(call, asked)
        self._enter(call)
        if found := problems(asked):
            raise _Unfit(found)
        takes = USUAL if self.world.faults.duration is None else self.world.faults.duration
        number = len(self.runs) + 1
        fails = self.world.faults.chance("partial", number, call.job_ids[0])
        run = Run(number, asked, takes, fails)
        self.runs.append(run)
        call.remote_id = str(run.task)
        if call.request.query_params.get("async") != "true":
            run.script, run.takes = "sync", 0.0
        return self.reply(run.queued())

    def _named(self, call: Call, asked: dict[str, Json]) -> None:
        label, call.token = label_and_mark(asked.get("name"))
        call.job_ids = [label]

    async def result(self, call: Call) -> Response:
        self._enter(call)
        return self.reply(
            self._model(call).result(inputs=call.request.query_params.get("include") == "inputs")
        )

    async def replace(self, call: Call) -> Response:
        self._enter(call)
        run, asked = self._model(call), await call.json()
        self._idle(run)
        if found := problems(asked):
            raise _Unfit(found)
        run.asked = asked
        return self.reply({"result": "success", "energyModelId": run.model})

    async def rerun(self, call: Call) -> Response:
        self._enter(call)
        run = self._model(call)
        self._idle(run)
        self._named(call, run.asked)
        run.began, run.cancelled, run.revision = time.monotonic(), False, run.revision + 1
        call.remote_id = str(run.task)
        return self.reply(run.queued())

    def _model(self, call: Call) -> Run:
        found = next((run for run in self.runs if str(run.model) == call.params["id"]), None)
        if found is None:
            raise ApiError(404, "Energy model not found")
        return found

    def _idle(self, run: Run) -> None:
        if run.status not in TERMINAL:
            raise ApiError(409, f"Energy model is {run.status}")

    # ---- tasks

    async def list(self, call: Call) -> Response:
        self._enter(call)
        query = call.request.query_params
        page, size = int(query.get("page", 1)), int(query.get("page_size", _PAGE))
        if page < 1 or not 1 <= size <= _LARGEST_PAGE:
            raise _Unfit(
                [{"type": "range", "loc": ["query", "page_size"], "msg": "Input should be 1 to 1000"}]
            )
        after, before = query.get("created_after", ""), query.get("created_before", "9999")
        records = [run.record for run in reversed(self.runs)]
        fitting = [
            record
            for record in records
            if query.get("task_type", "energy_model") == record["taskType"]
            and query.get("status", record["status"]) == record["status"]
            and after <= record["createdAt"] < before
        ]
        shown = fitting[(page - 1) * size : page * size]
        return self.reply({"tasks": shown, "total": len(fitting), "page": page, "pageSize": size})

    async def task(self, call: Call) -> Response:
        self._enter(call)
        return self.reply(self._task(call).record)

    async def cancel(self, call: Call) -> Response:
        call.remote_id = call.params["id"]
        self._enter(call)
        run = self._task(call)
        if run.status in TERMINAL:
            raise ApiError(409, f"Task is already {run.status}")
        run.cancelled = True
        return self.reply(run.record)

    def _task(self, call: Call) -> Run:
        found = next((run for run in self.runs if str(run.task) == call.params["id"]), None)
        if found is None:
            raise ApiError(404, "Task not found")
        return found


def _packed(value: Json) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
