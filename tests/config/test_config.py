import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.config import (
    Config,
    append_backend,
    config_path,
    data_dir,
    init_config,
    load_config,
    load_settings,
    origins,
    read_env_file,
    save_settings,
    settings_path,
)
from batchtui.config.address import base_url_fault
from batchtui.config.checks import backend_problems
from batchtui.errors import ConfigError, NotFound
from batchtui.prices import Price, cost_usd, price_of

FULL = """\
[backends.main]
kind = "openai"
api_key_env = "MAIN_KEY"
headers = { X-Team = "a", Authorization = "env:TEAM_KEY" }

[backends.vllm]
kind = "chat"
base_url = "http://127.0.0.1:8000/v1"
concurrency = 8
poll_interval = "5s"

[defaults]
backend = "main"
job = { max_tokens = 5 }
limits = { cost_usd = 2 }

[prices."gpt-x"]
input = 1
output = 2.5

[limits]
cost_usd_per_day = 20

[ui]
theme = "nord"

[keys]
quit = "ctrl+q"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def load(folder: Path, text: str, **env: str) -> Config:
    return load_config(written(folder, text), env=env)


def test_a_whole_config(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FULL), env={"MAIN_KEY": "k", "OPENAI_API_KEY": "k"}, strict=True)
    assert config.problems == []
    assert list(config.backends) == ["main", "vllm", "local"]
    assert config.backend("vllm").table["concurrency"] == 8
    assert config.backend("vllm").origin == str(tmp_path / "config.toml")
    assert (config.defaults.backend, config.defaults.job, config.defaults.limits.cost_usd) == (
        "main",
        {"max_tokens": 5},
        2,
    )
    assert config.prices == {"gpt-x": Price(1, 2.5)}
    assert (config.limits.cost_usd_per_day, config.ui, config.keys) == (
        20,
        {"theme": "nord"},
        {"quit": "ctrl+q"},
    )


def test_without_a_config_the_environment_sets_up_backends(tmp_path: Path) -> None:
    home = {"BATCHTUI_CONFIG": str(tmp_path / "none.toml")}
    assert list(load_config(env=home).backends) == ["local"]
    config = load_config(env=home | {"OPENAI_API_KEY": "k"})
    assert list(config.backends) == ["local", "openai", "chat"]
    assert config.backend("openai").table == {"kind": "openai", "api_key_env": "OPENAI_API_KEY"}
    assert config.backend("chat").table["base_url"] == "https://api.openai.com/v1"
    assert config.backend("chat").origin == "environment"
    config = load_config(env=home | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    assert config.backend("openai").table["base_url"] == "http://127.0.0.1:9/v1"
    config = load_config(env=home | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://api.invalid"})
    assert config.backend("local")
    with pytest.raises(ConfigError, match="https"):
        config.backend("openai")


def test_a_kind_whose_defaults_suffice_needs_no_table(tmp_path: Path) -> None:
    config = load(tmp_path, "[backends.a]\nkind = 'chat'\nbase_url = 'http://localhost:1/v1'")
    assert list(config.backends) == ["a", "local"]
    assert config.backend("openai").table["api_key_env"] == "OPENAI_API_KEY"
    with pytest.raises(NotFound, match='did you mean "openai"'):
        config.backend("opena1")


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.toml", env={}, strict=True)
    config = load_config(env={"BATCHTUI_CONFIG": str(tmp_path / "none.toml")}, strict=True)
    assert "BATCHTUI_CONFIG" in str(config.warnings[0])
    assert (
        load_config(env={"HOME": "/"}, path=config_path(env={})).problems == []
        or config_path(env={}).exists()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[limits]\ncost_usd_per_dya = 5",
            'limits.cost_usd_per_dya: unknown key; did you mean "cost_usd_per_day"?',
        ),
        ("[defaults.limits]\ntime = '1s'", "defaults.limits.time: expected from 10s to 24h, got 1s"),
        ("[defaults]\nbackend = 3", "defaults.backend: expected str | null, got int"),
        ("[prices.m]\ninput = 1", 'prices."m".output: missing'),
        ("[prices.m]\ninput = 1\noutput = nan", 'prices."m".output: expected US dollars'),
        ("config_version = 0x" + "f" * 9000, "newer"),
        ("limits = 3", "limits: expected a table, got a whole number"),
    ],
)
def test_a_fault_for_all_stops_every_backend(text: str, message: str, tmp_path: Path) -> None:
    config = load(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.backend("local")
    assert message in str(caught.value)
    assert str(tmp_path / "config.toml") in str(caught.value)


def test_unknown_tables_and_keys_are_warnings(tmp_path: Path) -> None:
    config = load(
        tmp_path, "[backend.a]\n[keys]\nquit = 'ctrl+entr'\nhelp = 'question_mark'\nnext = 'j,down'\n"
    )
    text = "\n".join(str(problem) for problem in config.warnings)
    assert 'backend: unknown key; did you mean "backends"?' in text
    assert 'keys.quit: unknown key "ctrl+entr"; did you mean "enter"?' in text
    assert "keys.help" not in text
    assert "keys.next" not in text
    config.check()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://api.example.com/v1", None),
        ("http://localhost:8000", None),
        ("http://[::1]:8000/v1", None),
        ("http://127.9.9.9/", None),
        ("http://10.0.0.5/v1", "https"),
        ("http://localhost.example.com", "https"),
        ("http://127.0.0.1.example.com", "https"),
        ("https://169.254.169.254/", "link-local"),
        ("https://2852039166/", "link-local"),
        ("https://0xA9FEA9FE/", "link-local"),
        ("https://[fe80::1]/", "link-local"),
        ("https://[::ffff:169.254.169.254]/", "link-local"),
        ("https://metadata.google.internal/", "link-local"),
        ("https://user@api.example.com", "user or password"),
        ("https://api.example.com:0", "port"),
        ("https://api.example.com:x", "port"),
        ("https://[::1", "not an address"),
        ("https:///v1", "host"),
        ("api.example.com/v1", "https"),
        ("javascript:alert(1)", "scheme"),
        ("https://api.example.com\\@evil.com", "backslash"),
        ("https://api.example.com/\t", "control character"),
        ("https://api.example.com/v1?key=abc", "no ? or # part"),
    ],
)
def test_addresses(url: str, words: str | None) -> None:
    fault = base_url_fault(url)
    assert fault is None if words is None else fault and words in fault
    assert "abc" not in (fault or "")


SECRET = "sk-" + "a1B2" * 8


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"api_key": "x"}, "api_key"),
        ({"model": SECRET}, "model"),
        ({"headers": {"Authorization": f"Bearer {SECRET}"}}, "headers.Authorization"),
        ({"headers": {"X-Other": SECRET}}, "headers.X-Other"),
        ({"headers": {"X-Other": "a\r\nb"}}, "headers.X-Other"),
        ({"headers": {"X Other": "a"}}, "headers.X Other"),
        ({"headers": {"X-Key": f"env:{SECRET}"}}, "headers.X-Key"),
        ({"api_key_env": "AIza" + "Sy1a" * 8}, "api_key_env"),
        ({"workspace_key_env": "not a name"}, "workspace_key_env"),
        ({"api_key_env": "A", "api_key_command": ["b"]}, "api_key_command"),
        ({"api_key_command": "pass show openai"}, "api_key_command"),
        ({"api_key_keyring": ""}, "api_key_keyring"),
        ({"proxy": "http://user:secret@host"}, "proxy"),
        ({"concurrency": True}, "concurrency"),
        ({"settle": -1}, "settle"),
        ({"timeout": [1]}, "timeout"),
        ({"base_url": 3}, "base_url"),
    ],
)
def test_tables_that_are_refused(table: dict[str, object], key: str) -> None:
    (problem,) = backend_problems("a", {"kind": "chat"} | table, ["chat"], "c.toml")
    assert problem.fatal
    assert problem.key == f"backends.a.{key}"
    assert SECRET not in str(problem)
    assert "secret" not in str(problem)


def test_origins_never_show_a_key(tmp_path: Path) -> None:
    save_settings(tmp_path / "settings.toml", {"ui": {"theme": "dark", "wide": True}, "keys": {"help": "f1"}})
    config = load(tmp_path, FULL + "\n[defaults.job.inner]\napi_key = 'hush'".replace("defaults.job", "ui"))
    rows = {key: (value, origin) for key, value, origin in origins(config)}
    file, settings = str(tmp_path / "config.toml"), str(tmp_path / "settings.toml")
    assert rows["backends.main.api_key_env"] == ("MAIN_KEY", file)
    assert rows["backends.local.kind"] == ("local", "built in")
    assert rows["limits.cost_usd_per_day"] == (20.0, file)
    assert rows["ui.theme"] == ("nord", file)
    assert rows["ui.wide"] == (True, settings)
    assert rows["keys.help"] == ("f1", settings)
    assert rows["prices.gpt-x.output"] == (2.5, file)
    assert rows["ui.inner.api_key"] == ("•••", file)
    assert "hush" not in repr(rows)


def test_a_damaged_settings_file_is_set_aside(tmp_path: Path) -> None:
    path = settings_path(tmp_path / "config.toml")
    path.write_text("theme = ")
    assert load_settings(path) == {}
    assert (tmp_path / "settings.toml.damaged").read_text() == "theme = "
    save_settings(path, {"ui": {"theme": "nord"}})
    assert load_settings(path) == {"ui": {"theme": "nord"}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_backend_is_added_without_touching_the_rest(tmp_path: Path) -> None:
    before = b"# mine\r\n[backends.a]\r\nkind='local' # here"
    path = tmp_path / "config.toml"
    path.write_bytes(before)
    table = {"kind": "chat", "base_url": "http://127.0.0.1:1/v1", "headers": {"X-Team": "b"}}
    added = append_backend(path, "my server", table)
    assert added.startswith('[backends."my server"]\nkind = "chat"\n')
    assert path.read_bytes().startswith(before)
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    assert load_config(path, env={}, strict=True).backend("my server").table == table
    after = path.read_bytes()
    for name, bad in (("a", {"kind": "local"}), ("b", {"kind": "lokal"}), ("c\x1b", {"kind": "local"})):
        with pytest.raises(ConfigError):
            append_backend(path, name, bad)
    assert path.read_bytes() == after
    path.write_text("backends = {a = {kind = 'local'}}")
    with pytest.raises(ConfigError):
        append_backend(path, "b", {"kind": "local"})
    assert path.read_text() == "backends = {a = {kind = 'local'}}"


def test_a_starter_config_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    assert init_config(path)
    assert not init_config(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_config(path, env={"OPENAI_API_KEY": "k"}, strict=True).problems == []
    examples = [line[2:] for line in path.read_text().split("\n")[3:] if line.startswith("# ")]
    path.write_text("\n".join(examples))
    config = load_config(path, env={"OPENAI_API_KEY": "k"}, strict=True)
    assert list(config.backends) == ["openai", "vllm", "local"]
    append_backend(tmp_path / "fresh.toml", "a", {"kind": "local"})
    assert (tmp_path / "fresh.toml").read_bytes() == b'[backends.a]\nkind = "local"\n'


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_dir("here") == tmp_path / "here"
    assert data_dir(env={"BATCHTUI_DATA_DIR": str(tmp_path)}) == tmp_path
    assert data_dir("x", env={"BATCHTUI_DATA_DIR": "/y"}) == tmp_path / "x"
    assert config_path(env={"BATCHTUI_CONFIG": "/a.toml"}) == Path("/a.toml")
    assert config_path("b.toml", env={"BATCHTUI_CONFIG": "/a.toml"}) == tmp_path / "b.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    if sys.platform == "linux":
        assert config_path(env={}) == tmp_path / "c" / "batchtui" / "config.toml"
        assert data_dir(env={}) == tmp_path / "d" / "batchtui"


def test_env_file(tmp_path: Path) -> None:
    path = tmp_path / "dot.env"
    path.write_text(
        '\ufeff# keys\nexport A=1\nB = two words # note\nC=\'a # b $A\'\nD="x\\ny\\"z" # end\nE=\nF=a#b\nG=#c\n\nA=2\n',
        encoding="utf-8",
    )
    assert read_env_file(path) == {
        "A": "2", "B": "two words", "C": "a # b $A", "D": 'x\ny"z', "E": "", "F": "a#b", "G": "",
    }  # fmt: skip
    for line in ("sk-hidden", "A='sk-hidden", '1A="sk-hidden"', "A='x'sk-hidden"):
        path.write_text(f"A=1\n{line}\n")
        with pytest.raises(ConfigError, match=r"line 2") as caught:
            read_env_file(path)
        assert "hidden" not in str(caught.value)


def test_prices() -> None:
    prices = {"gpt-x": Price(1, 2), "gpt-y-2026-01-31": Price(3, 4)}
    assert price_of("gpt-x-2026-01-31", prices) == price_of("gpt-x-20260131", prices) == prices["gpt-x"]
    assert price_of("gpt-y", prices) is None
    assert price_of("gpt-x-mini", prices) is None
    assert cost_usd(prices["gpt-x"], 1_000_000, 500_000, batch=False) == 2.0
    assert cost_usd(prices["gpt-x"], 1_000_000, 500_000, batch=True) == 1.0
    assert cost_usd(prices["gpt-x"], 0, 0, batch=False) == 0
    assert cost_usd(None, 1, 1, batch=False) is None
    assert cost_usd(prices["gpt-x"], None, 1, batch=False) is None


def test_the_import_is_light() -> None:
    heavy = (
        "platformdirs",
        "tomli_w",
        "subprocess",
        "keyring",
        "asyncio",
        "httpx",
        "textual",
        "jinja2",
        "jsonschema",
    )
    code = (
        f"import sys, batchtui.config, batchtui.batchfile; print([m for m in {heavy!r} if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert run.stdout.strip() == "[]"
