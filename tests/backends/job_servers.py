"""Four job APIs on loopback, each written from its public description, with faults on request.

`ogc`: OGC API - Processes, Part 1. `workflows`: AWS Step Functions' StartSyncExecution. `aws`: the calls of AWS Batch
behind a gateway that wants a key, results in a store of their own (another port, so another host) at signed addresses.
`azure`: a long-running operation as Microsoft's REST API guidelines have it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "key-of-nobody-0123456789"
PAGE = 2
NOT_FOUND = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-job"


@dataclass
class Said:
    """One answer. `body`: JSON, bytes, or None for none at all."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class JobServer:
    """What it holds, what it was asked, and what goes wrong next."""

    url: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    seconds: float = 0.1
    """How long a job takes."""
    lose: int = 0
    """Creates whose reply is lost: the connection is cut once the work was begun."""
    late: float = 0.0
    """Seconds after which such a job shows up at all."""
    nameless: int = 0
    """Creates that are answered without anything that could name the job."""
    at_once: bool = False
    """An `ogc` that does the work before it answers."""
    polls_at: list[float] = field(default_factory=list)
    """When it was asked for what still ran."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    store: JobServer | None = None

    def asked(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if call.method == method and call.path == path]

    def made(self, token: str, given: Any) -> tuple[dict[str, Any], bool]:
        """A new job, and whether its reply gets lost."""
        now = time.time()
        lost = self.lose > 0
        self.lose -= lost
        job = {
            "id": f"j-{len(self.jobs) + 1}",
            "token": token,
            "input": given,
            "begun": now,
            "stopped": False,
        }
        job["shows"] = now + (self.late if lost else 0)
        self.jobs[job["id"]] = job
        return job, lost

    def named(self) -> bool:
        """Whether this create is answered with a name."""
        if self.nameless:
            self.nameless -= 1
            return False
        return True

    def shown(self) -> list[dict[str, Any]]:
        return [job for job in self.jobs.values() if job["shows"] <= time.time()]

    def state(self, job: dict[str, Any], words: tuple[str, str, str, str, str]) -> str:
        """waiting, running, done, failed or stopped, in the API's own words."""
        waiting, running, done, failed, stopped = words
        age = (time.time() - job["begun"]) / self.seconds
        if job["stopped"]:
            return stopped
        if age < 1:
            return waiting if age < 0.3 else running
        return failed if _text(job) == "break" else done


def _text(job: dict[str, Any]) -> str:
    given = job["input"]
    return str(given.get("text", given)) if isinstance(given, dict) else str(given)


# ---- OGC API - Processes -----------------------------------------------------------------------

OGC_WORDS = ("accepted", "running", "successful", "failed", "dismissed")


def ogc(server: JobServer, call: Call) -> Said | None:
    parts = call.path.strip("/").split("/")
    if call.path == "/processes":
        return Said(
            body={
                "processes": [{"id": "upper", "version": "1.0"}, {"id": "lower", "version": "1.0"}],
                "links": [],
            }
        )
    if call.method == "POST" and parts[0] == "processes" and parts[2:] == ["execution"]:
        assert call.headers["prefer"] == "respond-async"
        job, lost = server.made("", call.body["inputs"])
        if lost:
            return None
        if server.at_once:
            return Said(200, {"text": _text(job).upper()})
        if not server.named():
            return Said(201, {"status": "accepted"})
        place = {"Location": f"/jobs/{job['id']}", "Preference-Applied": "respond-async"}
        return Said(201, None, place)  # as pygeoapi answers: no body
    if call.path == "/jobs":
        start = int(call.query.get("offset", 0))
        jobs = server.shown()
        links = [{"rel": "self", "href": server.url + "/jobs"}]
        if start + PAGE < len(jobs):
            links.append({"rel": "next", "href": f"/jobs?offset={start + PAGE}"})
        return Said(
            body={"jobs": [_ogc_status(server, job) for job in jobs[start : start + PAGE]], "links": links}
        )
    job_ = server.jobs.get(parts[1]) if len(parts) > 1 else None
    if job_ is None:
        return Said(404, {"type": NOT_FOUND, "title": "No such job"})
    state = server.state(job_, OGC_WORDS)
    if call.method == "DELETE":
        job_["stopped"] = state in ("accepted", "running")
        return Said(200, _ogc_status(server, job_))
    if parts[2:] == ["results"]:
        if state == "successful":
            return Said(body={"text": _text(job_).upper()})
        return Said(
            404, {"type": NOT_FOUND.replace("no-such-job", "result-not-ready"), "title": "Result not ready"}
        )
    return Said(body=_ogc_status(server, job_))


def _ogc_status(server: JobServer, job: dict[str, Any]) -> dict[str, Any]:
    state = server.state(job, OGC_WORDS)
    shown = {"jobID": job["id"], "processID": "upper", "type": "process", "status": state, "links": []}
    return shown | ({"message": "it broke"} if state == "failed" else {"progress": 50})


# ---- workflows that are run at once ------------------------------------------------------------


def workflows(server: JobServer, call: Call) -> Said | None:
    if call.headers.get("x-api-key") != KEY:
        return Said(403, {"message": "Forbidden"})
    assert call.path == "/v1/startsyncexecution", call.path
    job, lost = server.made(call.body["name"], call.body["input"])
    if lost:
        return None
    said = {
        "executionArn": f"arn:aws:states:eu-west-1:1:express:{job['id']}",
        "id": "no id that can be asked for",
    }
    text = _text(job)
    if text == "break":
        return Said(body=said | {"status": "FAILED", "error": "States.TaskFailed", "cause": "it broke"})
    if text == "odd":
        return Said(body=said | {"status": "SETTLED", "output": {"text": "ODD"}})
    if text == "nothing":
        return Said(body=said | {"status": "SUCCEEDED"})
    return Said(body=said | {"status": "SUCCEEDED", "output": {"text": text.upper()}})


# ---- AWS-style ---------------------------------------------------------------------------------

AWS_WORDS = ("RUNNABLE", "RUNNING", "SUCCEEDED", "FAILED", "FAILED")


def aws(server: JobServer, call: Call) -> Said | None:
    if call.headers.get("x-api-key") != KEY:
        return Said(403, {"message": "Forbidden"})
    body = call.body or {}
    if call.path == "/v1/submitjob":
        job, lost = server.made(body["jobName"], body["parameters"])
        if lost:
            return None
        name = {"jobArn": f"arn:aws:batch:eu-west-1:123456789012:job/{job['id']}", "jobId": job["id"]}
        return Said(body=(name if server.named() else {}) | {"jobName": body["jobName"]})
    if call.path == "/v1/listjobs":
        start = int(body.get("nextToken", 0))
        jobs = server.shown()
        found = [
            {"jobId": job["id"], "jobName": job["token"], "status": server.state(job, AWS_WORDS)}
            for job in jobs[start : start + PAGE]
        ]
        more = {"nextToken": str(start + PAGE)} if start + PAGE < len(jobs) else {}
        return Said(body={"jobSummaryList": found, **more})
    if call.path == "/v1/describejobs":
        return Said(
            body={
                "jobs": [_described(server, server.jobs[id_]) for id_ in body["jobs"] if id_ in server.jobs]
            }
        )
    if call.path == "/v1/terminatejob":
        server.jobs[body["jobId"]]["stopped"] = True
        return Said(body={})
    return Said(404, {"message": "no such action"})


def _described(server: JobServer, job: dict[str, Any]) -> dict[str, Any]:
    state = server.state(job, AWS_WORDS)
    told = {"jobId": job["id"], "jobName": job["token"], "status": state}
    if state == "SUCCEEDED":
        assert server.store
        told["outputUrl"] = (
            f"{server.store.url}/out/{job['id']}.json?X-Amz-Expires={time.time() + 5:.1f}&X-Amz-Signature=feed"
        )
    return told | (
        {"statusReason": "it broke" if _text(job) == "break" else "stopped"} if state == "FAILED" else {}
    )


def bucket(server: JobServer, call: Call) -> Said | None:
    """A store takes the signature alone: a key beside it is refused."""
    if "authorization" in call.headers or "x-api-key" in call.headers:
        return Said(400, b"<Error><Code>InvalidArgument</Code></Error>")
    if float(call.query.get("X-Amz-Expires", 0)) < time.time() or call.query.get("X-Amz-Signature") != "feed":
        return Said(403, b"<Error><Code>AccessDenied</Code></Error>")
    id_ = call.path.removeprefix("/out/").removesuffix(".json")
    assert server.store
    return Said(body={"text": _text(server.store.jobs[id_]).upper()})


# ---- Azure-style -------------------------------------------------------------------------------

AZURE_WORDS = ("NotStarted", "Running", "Succeeded", "Failed", "Canceled")


def azure(server: JobServer, call: Call) -> Said | None:
    if call.headers.get("ocp-apim-subscription-key") != KEY:
        return Said(401, {"error": {"code": "Unauthorized", "message": f"no such key: {call.headers}"}})
    if call.query.get("api-version") != "2024-05-01":
        return Said(
            400, {"error": {"code": "MissingApiVersionParameter", "message": "api-version is required"}}
        )
    if call.path == "/documents:analyze":
        job, lost = server.made(call.headers["x-ms-client-request-id"], call.body)
        if lost:
            return None
        place = f"{server.url}/operations/{job['id']}?api-version=2024-05-01"
        return Said(
            202, None, {"Retry-After": "1"} | ({"Operation-Location": place} if server.named() else {})
        )
    if call.path == "/operations":
        start = int(call.query.get("skip", 0))
        jobs = server.shown()
        value = [
            _operation(server, job) | {"clientRequestId": job["token"]} for job in jobs[start : start + PAGE]
        ]
        following = f"{server.url}/operations?api-version=2024-05-01&skip={start + PAGE}"
        return Said(body={"value": value, **({"nextLink": following} if start + PAGE < len(jobs) else {})})
    if call.path.startswith("/results/"):
        return Said(
            body={"documents": [{"text": _text(server.jobs[call.path.removeprefix("/results/")]).upper()}]}
        )
    id_, _, verb = call.path.removeprefix("/operations/").partition(":")
    if id_ not in server.jobs:
        return Said(404, {"error": {"code": "NotFound", "message": "no such operation"}})
    if verb == "cancel":
        server.jobs[id_]["stopped"] = True
        return Said(202, None)
    told = _operation(server, server.jobs[id_])
    live = told["status"] in ("NotStarted", "Running")
    server.polls_at += [time.monotonic()] if live else []
    return Said(body=told, headers={"Retry-After": "1"} if live else {})


def _operation(server: JobServer, job: dict[str, Any]) -> dict[str, Any]:
    state = server.state(job, AZURE_WORDS)
    told: dict[str, Any] = {"id": job["id"], "status": state}
    if state == "Succeeded":
        told["resourceLocation"] = f"/results/{job['id']}?api-version=2024-05-01"
    elif state == "Failed":
        told["error"] = {"code": "BadDocument", "message": "it broke"}
    return told


# ---- on a socket -------------------------------------------------------------------------------

Answer = Callable[[JobServer, Call], Said | None]


@contextmanager
def served(answer: Answer, store: Answer | None = None) -> Iterator[JobServer]:
    """One of the above; with `store` that holds its results, which knows its jobs."""
    with _listening(answer) as server:
        if store is None:
            yield server
            return
        with _listening(store) as there:
            server.store, there.store = there, server
            yield server


@contextmanager
def _listening(answer: Answer) -> Iterator[JobServer]:
    server = JobServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            with server.lock:
                call = Call(self.command, parts.path, query, headers, body)
                server.calls.append(call)
                said = answer(server, call)
            if said is None:
                self.close_connection = True
                return
            data = (
                said.body
                if isinstance(said.body, bytes)
                else b""
                if said.body is None
                else json.dumps(said.body).encode()
            )
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = serve

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
