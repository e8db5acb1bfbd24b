"""What `retry` costs is told before it pays: asked on a terminal, said to a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cli_help import PENGUINS, Cli
from tests.engine.provider import Provider, bad
from tests.terminal.terminals import Pty

PRICE = '[prices."m"]\ninput = 1000.0\noutput = 1000.0\n'
PROMPT = ("--set", "job.model=m", "--set", "job.prompt=x", "--set", "job.max_tokens=10")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(lambda ids: {"output": "".join(map(bad, ids))}) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, provider: Provider) -> Cli:
    table = f'kind = "openai"\nbase_url = "{provider.url}/v1"\npoll_interval = 0.1\nsettle = 0.5\n'
    (tmp_path / "config.toml").write_text(f"[backends.openai]\n{table}{PRICE}", encoding="utf-8")
    made = Cli(tmp_path)
    options = ("--backend", "openai", "--set", "name=b", "--set", "source.limit=3", *PROMPT)
    assert made("run", str(PENGUINS), *options, "--yes").code == 1
    return made


def wanted(cli: Cli) -> int:
    return int(cli("status", "b", "--json").documents[0]["pending"])


def test_a_script_is_told(cli: Cli) -> None:
    ran = cli("retry", "b", "--where", "id:2")
    assert ran.code == 0
    assert "sending 1 job again: about $" in ran.err
    assert wanted(cli) == 1


def test_a_price_that_nobody_knows_is_told_as_such(cli: Cli) -> None:
    config = cli.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").removesuffix(PRICE), encoding="utf-8")
    assert "sending 3 jobs again: what that costs is not known" in cli("retry", "b").err


@pytest.mark.parametrize(("key", "code", "pending"), [(b"n\n", 1, 0), (b"y\n", 0, 3)])
def test_a_person_is_asked(cli: Cli, key: bytes, code: int, pending: int) -> None:
    terminal = Pty(cli.environment(TERM="xterm-256color"), "retry", "b")
    try:
        terminal.shows(b"sending 3 jobs again: about $")
        terminal.shows(b"Send and pay for them? [y/N] ", deadline=60)
        terminal.press(key)
        assert terminal.ended(deadline=60) == code
    finally:
        terminal.close()
    assert wanted(cli) == pending


def test_yes_answers_it(cli: Cli) -> None:
    terminal = Pty(cli.environment(TERM="xterm-256color"), "retry", "b", "--yes")
    try:
        assert terminal.ended(deadline=60) == 0
        terminal.shows(b"sending 3 jobs again: about $")
    finally:
        terminal.close()
    assert wanted(cli) == 3


def test_work_that_costs_nothing_is_sent_again_without_a_word(cli: Cli) -> None:
    assert cli.local(["false"], "--set", "source.limit=2").code == 1
    ran = cli("retry", "birds")
    assert ran.code == 0
    assert "sending" not in ran.err
