"""Each case through the command line, over a server on loopback: what comes of it, in what words, and what was sent."""

from __future__ import annotations

import json
import shutil
import tomllib

from batchtui.model import Json
from batchtui.store.library import Library
from tests.cli.cli_help import Ran
from tests.extras import has
from tests.hostile.corpus import Case
from tests.hostile.place import Place
from tests.hostile.server import CREATE, OFTEN, POLL, Odd, bomb, flood, nested, whole
from tests.hostile.states import state

KEY = "sk-test-0000000000"
CONFIG = """
[backends.openai]
kind = "openai"
base_url = "{url}/v1"
api_key_env = "KEY"
poll_interval = 0.1
settle = 0.2
[prices.m]
input = 1.0
output = 2.0
"""
SCHEMA = '{"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}'
SLOW = '{"a": "' + "a" * 60 + '!"}'
"""What a slow pattern would look at for years."""
SECRETS = (KEY, "sk-test-00000", "u:p", "X-Evil: 1")
RUN = ("--yes", "--trust", "--no-input", "--set", "name=t")
ASKED = ("--backend", "openai", "--set", "job.model=m", "--set")


def set_up(place: Place, url: str = "http://127.0.0.1:9") -> None:
    (place.root / "config.toml").write_text(CONFIG.format(url=url))
    place.environment["KEY"] = KEY


def told(case: Case, ran: Ran, more: str = "") -> None:
    """Every word that must be told is, and no secret."""
    text = ran.err + ran.out + more
    assert all(words in text for words in case.says), (case.says, text)
    assert not [secret for secret in SECRETS if secret in text], text


# ---- configuration


def config(case: Case, place: Place) -> None:
    """`config check` says it; the other commands go on with what is sound."""
    shutil.copy(case.path, place.root / "config.toml")
    if case.name.startswith("data-dir"):
        named = tomllib.loads(case.path.read_text())["data_dir"]
        place.environment["BATCHTUI_DATA_DIR"] = named
        ran = place("list")
        assert ran.code == 3, ran
    elif case.name == "key-newline.toml":
        place.environment["BATCHTUI_TEST_KEY"] = "abc\nX-Evil: 1"
        (place.root / "rows.jsonl").write_text('{"t": "x"}\n')
        ran = place(
            "run", "rows.jsonl", "--backend", "a", "--set", "job.model=m", "--set", "job.prompt=hi", *RUN
        )
        assert ran.code == 3, ran
    else:
        ran = place("config", "check")
        assert ran.code == (3 if case.stops else 0), ran
        assert ("problem: " in ran.err) == case.stops, ran.err
        assert ("warning: " in ran.err) == case.warns or case.stops, ran.err
        assert place("list").code == 0
        assert place("config", "show").code in (0, 3)
    told(case, ran)


# ---- sources and schemas


def source(case: Case, place: Place) -> None:
    """A run of it: what must be mended first stops it before a single call, the rest comes home."""
    shutil.copy(case.path, place.root)
    with Odd() as server:
        set_up(place, server.url)
        ran = place("run", *arguments(case, place), *RUN)
        told(case, ran)
        if case.stops:
            assert ran.code == 2, ran
            assert server.calls == []
            assert not list(Library(place.data).folders())
            return
        assert ("warning: " in ran.err) == case.warns, ran.err
        if _is_scenarios(case):
            assert ran.code == 1, ran  # its grid is nowhere
            return
        assert ran.code == 0, ran
        rows = results(place)
        assert [row["status"] for row in rows] == ["completed"] * len(rows)
        assert len(rows) == (2 if case.name in ("dup-id-nfc.jsonl", "mixed-models.jsonl") else 1)
        if case.name == "csv-formula.csv":
            assert b'"=1+1"' in server.bodies["POST /v1/files"]
        if case.name == "lone-surrogate.jsonl":
            assert b"\\ud83d" in server.bodies["POST /v1/files"]


def _is_scenarios(case: Case) -> bool:
    return case.name.endswith(".json") and case.name != "json-array.json"


def needs_power(case: Case) -> bool:
    return case.part == "bad-manifests" and _is_scenarios(case) and not has("power")


def arguments(case: Case, place: Place) -> list[str]:
    """What `run` is given for a source, or for a schema that answers have to fit."""
    if case.part == "bad-schemas":
        (place.root / "rows.jsonl").write_text('{"id": "a", "t": "x"}\n')
        return ["rows.jsonl", *ASKED, "job.prompt={{ t }}", "--set", f"job.schema={case.name}"]
    if _is_scenarios(case):
        return [case.name, "--backend", "local"]
    if case.name.endswith(".csv"):
        ids = ["--set", "source.id={{ id }}"] if case.name == "csv-no-header.csv" else []
        return [case.name, *ASKED, "job.prompt={{ prompt }}", *ids]
    if case.name.endswith(".toml"):
        asked = tomllib.loads(case.path.read_text())
        (place.root / case.name).write_text(
            'backend = "openai"\n[source]\nfile = "rows.jsonl"\n[job]\nmodel = "m"\n'
            f"prompt = {json.dumps(asked['template'])}\n"
        )
        (place.root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked["rows"]))
        return [case.name]
    prompt = {
        "ls-in-string.jsonl": "{{ body.x }}",
        "lone-surrogate.jsonl": "{{ body.x }}",
        "mixed-models.jsonl": "hi",
    }
    if case.name in prompt:
        return [case.name, *ASKED, f"job.prompt={prompt[case.name]}"]
    return [case.name, "--backend", "openai"]


def schema(case: Case, place: Place) -> None:
    """A run whose answers must fit it: refused before a call, or judged in time whatever it holds."""
    shutil.copy(case.path, place.root)
    answer = SLOW if case.name == "redos.json" else "{}"
    with Odd(output=row("a", answer)) as server:
        set_up(place, server.url)
        ran = place("run", *arguments(case, place), *RUN)
        told(case, ran)
        if case.stops:
            assert ran.code == 2, ran
            assert server.calls == []
            return
        assert ("warning: " in ran.err) == case.warns, ran.err
        [result] = results(place)
        assert result["status"] == ("completed" if case.name == "proto.json" else "invalid")


def row(job_id: str, answer: str) -> bytes:
    body = {"choices": [{"message": {"content": answer}}]}
    return json.dumps({"custom_id": job_id, "response": {"status_code": 200, "body": body}}).encode() + b"\n"


# ---- results and replies


def results(place: Place) -> list[dict[str, Json]]:
    return place("results", "t", "--format", "jsonl").documents


def run_of(case: Case, place: Place, server: Odd) -> tuple[Ran, str]:
    """A batch whose ids are the case's, until it ends or until all that must be told was; what it then told in all."""
    verdict = case.verdict
    ids = list(verdict.get("rows", {})) or ["a"]
    set_up(place, server.url)
    (place.root / "rows.jsonl").write_text("".join(json.dumps({"id": one, "t": one}) + "\n" for one in ids))
    extra: tuple[str, ...] = ()
    if verdict.get("schema"):
        (place.root / "schema.json").write_text(SCHEMA)
        extra = ("--set", "job.schema=schema.json")
    seen = [""]

    def enough(text: str) -> bool:
        seen[0] = text
        return all(words in text for words in (*case.says, *verdict.get("until", ())))

    waits = verdict.get("waits", False)
    ran = place(
        "run", "rows.jsonl", *ASKED, "job.prompt={{ t }}", *extra, *RUN, enough=enough if waits else None
    )
    server.over.set()
    assert ran.code == (130 if waits else verdict.get("code", 0)), ran
    if waits:
        assert "nothing is lost" in ran.err
    return ran, seen[0] if waits else place.statuses()


def outcome(case: Case, place: Place, server: Odd) -> None:
    ran, status = run_of(case, place, server)
    found = results(place)
    told(case, ran, status + json.dumps(found, ensure_ascii=False) + _journal(place))
    assert {one["job_id"]: one["status"] for one in found} == case.verdict["rows"], found
    for key, value in case.verdict.get("first", {}).items():
        assert found[0][key] == value, (key, found[0][key])
    if cost := case.verdict.get("cost"):
        assert found[0]["cost_usd"] == (None if cost == "unknown" else cost)
    for form in ("table", "csv", "json"):
        assert place("results", "t", "--format", form).code == 0
    assert place("errors", "t").code == 0
    assert len(server.made) == case.verdict.get("made", 1), server.calls


def _journal(place: Place) -> str:
    return "".join(path.read_text() for path in place.data.glob("batches/*/events.jsonl"))


def result_file(case: Case, place: Place) -> None:
    ids = case.verdict["rows"]
    counts = {"total": len(ids), "completed": len(ids), "failed": 0}
    with Odd(output=case.path.read_bytes(), request_counts=counts) as server:
        outcome(case, place, server)
    if case.name == "formula.jsonl":
        sheet = place("results", "t", "--format", "csv").out
        assert "'=HYPERLINK" in sheet
    if case.name == "not-utf8.jsonl":
        [raw] = place.data.glob("batches/*/raw/1-output.jsonl")
        assert b"\xff\xfe" in raw.read_bytes()


def reply(case: Case, place: Place) -> None:
    server = Odd()
    prepare(case, server)
    with server:
        outcome(case, place, server)
    if case.name == "create-id-path.json":
        assert "GET /v1/batches/..%2F..%2Fescape" in server.calls


_ACTIONS = {"headers-flood": flood, "cost-json-bomb": nested, "gzip-bomb": bomb}


def prepare(case: Case, server: Odd) -> None:
    """Give the server the case's reply: to creates, or to polls."""
    name = case.name.removesuffix(".json")
    asked = json.loads(case.path.read_text())
    at = CREATE if name.startswith("create-") else POLL
    if name == "slow-drip":
        server.raw[at] = [server.drip] * OFTEN
    elif name in _ACTIONS:
        server.raw[at] = [_ACTIONS[name]()] * OFTEN
    elif name in ("create-lost", "create-late"):
        server.raw[at] = [b""]
        server.hidden = 1 if name == "create-late" else 0
    elif name == "create-500-committed":
        server.raw[at] = [whole(500, {}, b"{}")]
    elif isinstance(asked, list):
        bodies = [json.dumps({"id": "batch_1", **json.loads(one["body"])}) for one in asked]
        server.raw[at] = [whole(200, {}, body.encode()) for body in bodies]
    elif name in ("expired", "counts-lie", "status-unknown"):
        server.batch |= {key: value for key, value in json.loads(asked["body"]).items() if key != "id"}
        server.output = row("a", "ok") + row("b", "ok") if name == "expired" else None
    else:
        odd = whole(asked["status"], asked["headers"], asked["body"].encode())
        server.raw[at] = [odd] * (1 if at == CREATE else OFTEN)
        if name == "create-id-path":
            server.id = json.loads(asked["body"])["id"]


PLAYS = {
    "bad-config": config,
    "bad-manifests": source,
    "bad-schemas": schema,
    "bad-results": result_file,
    "bad-replies": reply,
    "bad-state": state,
}


def play(case: Case, place: Place) -> None:
    PLAYS[case.part](case, place)
