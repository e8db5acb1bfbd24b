"""The usual variables of each provider: which one holds the key, and where it may be sent."""

from __future__ import annotations

import pytest

from batchtui.config.keys.secrets import resolve_key
from batchtui.config.providers import has_key, offered, usual_key_env
from batchtui.config.shape import BackendConfig


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("gemini", "GEMINI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
        ("mistral", "MISTRAL_API_KEY"),
        ("together", "TOGETHER_API_KEY"),
    ],
)
def test_a_provider_is_ready_where_its_key_is_set(name, variable):
    env = {variable: "key-0123456789"}
    assert not has_key(name, {})
    assert has_key(name, env)
    key = resolve_key(offered(env)[name], env)
    assert key is not None
    assert key.reveal() == "key-0123456789"


def test_googles_first_variable_wins():
    env = {"GOOGLE_API_KEY": "first-0123456789", "GEMINI_API_KEY": "second-0123456789"}
    assert usual_key_env("gemini", env) == "GOOGLE_API_KEY"
    assert offered(env)["gemini"].table["api_key_env"] == "GOOGLE_API_KEY"
    assert usual_key_env("gemini", {}) == "GEMINI_API_KEY"
    bare = BackendConfig(name="g", kind="gemini", table={"kind": "gemini"}, origin="config.toml")
    key = resolve_key(bare, env)
    assert key is not None
    assert key.reveal() == "first-0123456789"


def test_an_address_of_the_environment_is_taken():
    env = {"TOGETHER_API_KEY": "k", "TOGETHER_BASE_URL": "https://host.example"}
    assert offered(env)["together"].table["base_url"] == "https://host.example"
