"""Keys come from where the config points, and are never shown."""

import os
import sys
from pathlib import Path

import pytest

from batchtui.config import BackendConfig, env_key, key_state, resolve_key
from batchtui.config.keys import secrets as fetching
from batchtui.errors import ConfigError
from tests.engine.bench import until

ENV = {"PATH": os.environ["PATH"]}


def backend(**table: object) -> BackendConfig:
    return BackendConfig(name="a", kind="openai", table={"kind": "openai"} | table, origin="c.toml")


def key_of(chosen: BackendConfig, **env: str) -> str | None:
    key = resolve_key(chosen, ENV | env)
    return key.reveal() if key else None


def test_from_a_variable() -> None:
    chosen = backend(api_key_env="MY_KEY")
    assert key_of(chosen, MY_KEY="k-1") == "k-1"
    assert "k-1" not in repr(resolve_key(chosen, {"MY_KEY": "k-1"}))
    assert key_state(chosen, {"MY_KEY": "k-1"}) == "MY_KEY is set"
    assert key_state(chosen, {}) == "MY_KEY is not set"
    daly = BackendConfig(name="d", kind="daly", table={"kind": "daly", "user_key_env": "MY_KEY"}, origin="c")
    assert key_state(daly, {"MY_KEY": "k-1"}) == "DALY_WORKSPACE_KEY is not set, MY_KEY is set"
    with pytest.raises(ConfigError, match=r"c\.toml: backends\.a\.api_key_env: MY_KEY is not set"):
        key_of(chosen)


def test_the_usual_variable_goes_only_to_the_usual_address() -> None:
    assert key_of(backend(), OPENAI_API_KEY="k") == "k"
    assert key_state(backend(), {}) == "OPENAI_API_KEY is not set"
    assert key_of(backend()) is None
    elsewhere = backend(base_url="https://other.example.com")
    assert key_of(elsewhere, OPENAI_API_KEY="k") is None
    assert key_state(elsewhere, {"OPENAI_API_KEY": "k"}) == "no key configured"


@pytest.mark.parametrize("bad", ["hush\nX: 1", "hush\n", "hush\x00", "hush\x7f", "hushé", "\u200bhush", "  "])
def test_unusable_keys_are_refused_unseen(bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        env_key("MY_KEY", {"MY_KEY": bad}, "here")
    assert "hush" not in str(caught.value)
    assert "MY_KEY" in str(caught.value)


def test_from_a_command_without_a_shell() -> None:
    assert key_of(backend(api_key_command=["printf", "first\nsecond"])) == "first"
    assert key_of(backend(api_key_command=["echo", "$HOME;ls"])) == "$HOME;ls"
    assert key_state(backend(api_key_command=["pass", "show", "x"])) == "from the command pass"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["batchtui-no-such-program"], "cannot be started"),
        ([sys.executable, "-c", "import sys; print('hush'); sys.exit(3)"], "ended with 3"),
        (["true"], "empty"),
        ([sys.executable, "-c", r"import sys; sys.stdout.buffer.write(b'hush\xff')"], "not text"),
    ],
)
def test_commands_that_give_no_key(command: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        key_of(backend(api_key_command=command))
    assert "hush" not in str(caught.value)


def test_a_hanging_command_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "COMMAND_SECONDS", 0.5)
    pid_file = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"]
    with pytest.raises(ConfigError, match=r"no key within 0\.5 s"):
        key_of(backend(api_key_command=command))
    child = int(pid_file.read_text())
    until(lambda: not _lives(child), "the end of its child")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


FAKE_KEYRING = """
def get_password(service, user):
    if service == "locked":
        raise errors.KeyringError("hush")
    return {("batchtui", "openai"): "ring-1", ("team/x", "bob"): "ring-2"}.get((service, user))
from keyring import errors
"""


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "keyring"
    package.mkdir()
    (package / "__init__.py").write_text(FAKE_KEYRING)
    (package / "errors.py").write_text("class KeyringError(Exception): pass")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("keyring", "keyring.errors"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("keyring")
def test_from_the_keyring() -> None:
    assert key_of(backend(api_key_keyring="openai")) == "ring-1"
    assert key_of(backend(api_key_keyring="batchtui/openai")) == "ring-1"
    assert key_of(backend(api_key_keyring="team/x/bob")) == "ring-2"
    with pytest.raises(ConfigError, match="keyring set batchtui none"):
        key_of(backend(api_key_keyring="none"))
    with pytest.raises(ConfigError, match="cannot be read"):
        key_of(backend(api_key_keyring="locked/x"))


def test_a_missing_keyring_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"batchtui\[keyring\]"):
        key_of(backend(api_key_keyring="openai"))
