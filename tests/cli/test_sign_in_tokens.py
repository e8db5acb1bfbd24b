"""The token of a sign-in that a server says back, in a result and in every kind of error, is found nowhere afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.domains.energy.demo import api as daly
from batchtui.masking import DOTS
from batchtui.model import Json
from tests.cli.cli_help import Cli
from tests.daly_help import energy_model, service

TABLES = (Path(__file__).parents[1] / "data/rest/daly.toml").read_text()
NAMES = ("good", "fail", "refused")


def saying_back(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Has the service write its newest token into results, into why runs failed and into refusals; its tokens."""
    service_, reply, problems = service(server), service(server).reply, daly.problems
    tokens = service_.tokens

    def replied(value: dict[str, Json], *rest: object, **more: object) -> object:
        if "token" not in value and "access_token" not in value:
            value = {**value, "notes": [f"you came with {token}" for token in tokens]}
            for task in value.get("tasks") or [value]:  # several are polled by one list, a last one by itself
                if task.get("errorMessage"):
                    task["errorMessage"] = f"{next(iter(tokens))} had no weather"
        return reply(value, *rest, **more)

    def refused(asked: dict[str, Json]) -> list[dict[str, Json]]:
        if not str(asked.get("name")).startswith("refused"):
            return problems(asked)
        return [
            {
                "type": "value_error",
                "loc": ["body"],
                "msg": f"no: {next(iter(tokens))}",
                "input": dict(tokens),
            }
        ]

    monkeypatch.setattr(service_, "reply", replied)
    monkeypatch.setattr(daly, "problems", refused)
    return tokens


@pytest.mark.parametrize("kind", ["daly", "rest"])
def test_a_token_that_the_server_says_back_goes_nowhere(
    kind: str, cli: Cli, demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = demo_server()
    tokens = saying_back(server, monkeypatch)
    cli.env |= {"DALY_WORKSPACE_KEY": "wk_demo_4711", "DALY_USER_KEY": "uk_demo_4712"}
    tables = TABLES.replace('settle = "120s"', 'settle = "1s"\npoll_interval = 0.2')
    tables = tables.replace("http://localhost:8000", f"{server.url}/daly")
    own = (
        f'[backends.daly]\nkind = "daly"\nbase_url = "{server.url}/daly"\nsettle = 1.0\npoll_interval = 0.2\n'
    )
    (cli.folder / "config.toml").write_text(f"{own}\n{tables}")
    rows = [json.dumps({"id": name, "input": energy_model()}) for name in NAMES]
    (cli.folder / "sites.jsonl").write_text("\n".join(rows))
    backend = "daly" if kind == "daly" else "daly-by-rest"
    job = ("--set", "job.input={{ input }}", "--set", "job.name={{ id }}", "--set", "name=k", "--trust")
    said = ""
    for command in (
        ("run", "sites.jsonl", "--backend", backend, *job, "--out", "all.jsonl", "--debug", "-v"),
        ("results", "k"),
        ("results", "k", "--format", "csv"),
        *(("show", "k", name) for name in NAMES),
        ("errors", "k"),
        ("status", "k", "--json"),
        ("remote", backend, "--json"),
    ):
        done = cli(*command, "--debug")
        said += done.out + done.err
    assert tokens
    results = {result["job_id"]: result for result in cli("results", "k").documents}
    assert [results[name]["status"] for name in NAMES] == ["completed", "failed", "failed"]
    assert set(results["good"]["output"]["notes"]) == {f"you came with {DOTS}"}
    for name, words in (("fail", "had no weather"), ("refused", "no: ")):
        assert words in results[name]["error"]
    files = [path for path in cli.folder.rglob("*") if path.is_file()]
    files += [path for path in Path(cli.environment()["BATCHTUI_STATE_DIR"]).rglob("*") if path.is_file()]
    assert {"all.jsonl", "results.jsonl", "events.jsonl"} <= {path.name for path in files}
    for token in tokens:
        assert token not in said
        assert [path for path in files if token.encode() in path.read_bytes()] == []
