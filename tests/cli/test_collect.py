"""`collect` and what `retry` says before it pays, as people type them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.api import Batch
from tests.cli.cli_help import Cli
from tests.engine.bench import until
from tests.engine.provider import Provider, good

MISSING = 2
ROWS = 6


class Forgetful(Provider):
    """Its output file lacks rows until `mended`, and its counts agree with what it gives."""

    mended = False

    def __init__(self) -> None:
        super().__init__(lambda ids: {"output": "".join(map(good, ids if self.mended else ids[:-MISSING]))})


@pytest.fixture
def provider() -> Iterator[Forgetful]:
    with Forgetful() as running:
        assert isinstance(running, Forgetful)
        yield running


@pytest.fixture
def cli(tmp_path: Path, provider: Forgetful) -> Cli:
    table = f'kind = "openai"\nbase_url = "{provider.url}/v1"\npoll_interval = 0.1\nsettle = 0.5\n'
    (tmp_path / "config.toml").write_text(f"[backends.openai]\n{table}")
    rows = "".join(json.dumps({"id": f"r{n}", "text": f"row {n}"}) + "\n" for n in range(ROWS))
    (tmp_path / "rows.jsonl").write_text(rows)
    (tmp_path / "b.toml").write_text(
        'name = "b"\nbackend = "openai"\n[source]\nfile = "rows.jsonl"\n[job]\nmodel = "m"\nprompt = "{{ text }}"\n'
    )
    return Cli(tmp_path)


def test_what_is_missing_comes_home_and_retry_tells_of_it(cli: Cli, provider: Forgetful) -> None:
    assert cli("run", "b.toml", "--yes").code == 1
    refused = cli("retry", "b")
    assert refused.code == 2
    assert "2 jobs of" in refused.err
    assert "`batchtui collect " in refused.err
    assert len(provider.made) == 1

    again = cli("collect", "b")
    assert (again.code, len(provider.made)) == (1, 1)
    assert "no answer came that was not here" in again.err

    provider.mended = True
    home = cli("collect", "b", "--submission", "1")
    assert home.code == 0, home.err
    assert "2 answers came home" in home.err
    results = cli("results", "b", "--format", "jsonl").documents
    assert [one["status"] for one in results] == ["completed"] * ROWS
    assert len(provider.made) == 1
    assert cli("retry", "b").code == 0  # there is nothing left to retry


def test_retry_with_yes_pays(cli: Cli, provider: Forgetful) -> None:
    cli("run", "b.toml", "--yes")
    assert cli("retry", "b", "--yes").code == 0
    provider.mended = True
    assert cli("resume", "b").code == 0
    assert len(provider.made) == 2


def test_it_works_beside_a_live_driver_and_sends_nothing_itself(cli: Cli, provider: Forgetful) -> None:
    provider.refuse["GET /v1/files/output/content"] = (404, {"error": {"message": "not yet"}})
    driver = cli.start("run", "b.toml", "--yes")
    try:
        until(lambda: [one for one in _attention(cli) if one["kind"] == "results"], "it is told")
        [item] = _attention(cli)
        assert item["actions"] == ["collect", "abandon"]
        waiting = cli("wait", "b", "--timeout", "1s")
        assert waiting.code == 6
        assert waiting.err.count("asked again until they are") == 1
        asked = cli("collect", "b")
        assert asked.code == 0
        assert "is asked for once more" in asked.err
        provider.mended = True
        provider.refuse.clear()
        _, said = driver.communicate(timeout=60)
    finally:
        driver.kill()
    assert driver.returncode == 0
    assert said.count("asked again until they are") == 1
    assert len(provider.made) == 1


def _attention(cli: Cli) -> list[dict[str, object]]:
    told = cli("list", "--json")
    return [item for one in told.documents for item in one["attention"]]


def test_giving_up_is_a_persons_word(cli: Cli, provider: Forgetful) -> None:
    provider.refuse["GET /v1/files/output/content"] = (204, "")
    driver = cli.start("run", "b.toml", "--yes")
    try:
        until(lambda: _attention(cli), "it is told")
        assert cli("resolve", "b", "--submission", "1", "abandon").code == 0
        driver.communicate(timeout=60)
    finally:
        driver.kill()
    assert driver.returncode == 1
    assert {one["error_kind"] for one in cli("results", "b").documents} == {"abandoned"}
    provider.refuse.clear()
    provider.mended = True
    assert cli("collect", "b").code == 0  # and may be taken back


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("collect", "nope"), "no batch"), (("collect", "b", "--submission", "7"), "has no submission 7")],
)
def test_what_cannot_be_collected_is_said(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    cli("run", "b.toml", "--yes")
    ran = cli(*arguments)
    assert ran.code in (2, 7)
    assert words in ran.err


def test_from_python(cli: Cli, provider: Forgetful, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("run", "b.toml", "--yes")
    for name, value in cli.environment().items():
        monkeypatch.setenv(name, value)
    run = Batch.open("b")
    assert len(run.failed) == MISSING
    provider.mended = True
    assert run.collect()
    assert run.wait(timeout=60)
    assert len(run.completed) == ROWS
    assert len(provider.made) == 1
