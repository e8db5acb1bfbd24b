"""Which proxy stands between us and a backend is shown, and its password never."""

from __future__ import annotations

from tests.cli.cli_help import Cli

CONFIG = """
[backends.openai]
kind = "openai"
[backends.near]
kind = "chat"
base_url = "http://127.0.0.1:9/v1"
[backends.own]
kind = "chat"
base_url = "https://models.example.com/v1"
proxy = "http://inner.example.com:3128"
"""


def test_proxies_are_shown_without_their_passwords(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(CONFIG)
    outer = {"HTTPS_PROXY": "http://user:dummy-secret@outer.example.com:8080"}
    found = {one["name"]: one["proxy"] for one in cli("backends", "--json", **outer).documents}
    found = {name: found[name] for name in ("openai", "near", "own")}
    assert found == {
        "openai": "http://outer.example.com:8080",
        "near": None,
        "own": "http://inner.example.com:3128",
    }
    for command in ("backends", "doctor"):
        ran = cli(command, **outer)
        assert "outer.example.com:8080" in ran.out
        assert "dummy-secret" not in ran.out + ran.err


def test_without_a_proxy_none_is_shown(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(CONFIG)
    assert {one["name"]: one["proxy"] for one in cli("backends", "--json").documents}["openai"] is None
