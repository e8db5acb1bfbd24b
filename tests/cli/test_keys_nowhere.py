"""Nine keys through a whole session, with `--debug`, jobs that print what they see, and a crash: found nowhere.

Where keys come from: variables, a command, the keyring, `--env-file`, a header, the pair of an energy service.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.tui.app import BatchtuiApp
from tests.cli.cli_help import Cli
from tests.daly_help import energy_model
from tests.terminal.terminals import Pty

NAMES = (
    "OPENAI_API_KEY", "CLAUDE", "GEMINI", "MISTRAL_FROM_FILE", "TOGETHER_API_KEY", "EXTRA_HEADER", "MY_CHAT_NAME",
    "DALY_WORKSPACE_KEY", "DALY_USER_KEY",
)  # fmt: skip
KEYS = {name: f"dummy-{number}-{name.lower().replace('_', '-')}-7f3a" for number, name in enumerate(NAMES)}
IN_ENVIRONMENT = set(NAMES) - {"CLAUDE", "GEMINI", "MISTRAL_FROM_FILE"}
TAKES = {
    "openai": 'api_key_env = "OPENAI_API_KEY"',
    "anthropic": 'api_key_command = ["cat", "{safe}/CLAUDE"]',
    "gemini": 'api_key_keyring = "GEMINI"',
    "mistral": 'api_key_env = "MISTRAL_FROM_FILE"',
    "together": 'api_key_env = "TOGETHER_API_KEY"\nheaders = {{ X-Extra = "env:EXTRA_HEADER" }}',
    "chat": 'api_key_env = "MY_CHAT_NAME"',
    "daly": "",
}
MODELS = [name for name in TAKES if name != "daly"]
KEYRING = "from pathlib import Path\ndef get_password(service, user):\n    return Path(f'{safe}/{{user}}').read_text()\n"
CRASH = """
import os
if "CRASH" in os.environ:
    from batchtui.tui.screens.batches import BatchesScreen
    def tick(self):
        keys = {name: value for name, value in os.environ.items()}
        raise ValueError("broken on purpose")
    BatchesScreen.tick = tick
"""
LOOK = """
import glob, os
def around():
    seen = dict(os.environ)
    for path in glob.glob("/proc/[0-9]*/cmdline") + ["/proc/self/environ"]:
        try:
            seen[path] = open(path, "rb").read().decode(errors="replace")
        except OSError:
            pass
    return seen
"""


class Told:
    """The session, and all that it said."""

    def __init__(self, cli: Cli, server: DemoServer, safe: Path) -> None:
        self.cli, self.said = cli, b""
        lines = []
        for name, keys in TAKES.items():
            address = f"{server.url}/v1" if name in ("openai", "chat") else f"{server.url}/{name}"
            lines += [
                f"[backends.{name}]",
                f'kind = "{name}"',
                f'base_url = "{address}"',
                keys.format(safe=safe),
            ]
            lines += [] if name == "chat" else ["settle = 1.0", "poll_interval = 0.1"]
        (cli.folder / "config.toml").write_text("\n".join(lines))
        library = safe / "library"
        (library / "keyring").mkdir(parents=True)
        (library / "keyring" / "__init__.py").write_text(KEYRING.format(safe=safe))
        (library / "keyring" / "errors.py").write_text("class KeyringError(Exception): pass\n")
        (library / "sitecustomize.py").write_text(CRASH)
        for name, key in KEYS.items():
            (safe / name).write_text(key)
        (safe / "keys.env").write_text(f"MISTRAL_FROM_FILE={KEYS['MISTRAL_FROM_FILE']}\n")
        cli.env |= {name: KEYS[name] for name in IN_ENVIRONMENT}
        cli.env |= {"BATCHTUI_ENV_FILE": str(safe / "keys.env"), "TERM": "xterm", "LANG": "C.UTF-8"}
        cli.env["PYTHONPATH"] = f"{library}:{cli.environment()['PYTHONPATH']}"

    def __call__(self, *arguments: str) -> str:
        done = self.cli(*arguments)
        self.said += (done.out + done.err).encode()
        assert done.code == 0, done.err
        return done.out

    def crash(self) -> None:
        terminal = Pty(self.cli.environment(CRASH="1"), size=(120, 60))
        assert terminal.ended() == 1
        terminal.close()
        assert b"broken on purpose" in terminal.written
        self.said += terminal.written


@pytest.fixture
def told(cli: Cli, demo_server: Callable[..., DemoServer], tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(cli, demo_server(), tmp_path_factory.mktemp("safe"))


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return name


async def test_nine_keys_go_nowhere(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = told.cli.folder
    write(folder, "rows.csv", "b\n" + "\n".join(MODELS) + "\n")
    prompts = 'name = "all"\n[source]\nfile = "rows.csv"\n[job]\nbackend = "{{ b }}"\nmodel = "demo-small"\nprompt = "hi"\n'
    common = ("--trust", "--yes", "--debug", "-v", "--no-input")
    told("run", write(folder, "all.toml", prompts + "max_tokens = 20\n"), "--out", "all.csv", *common)
    model = f'name = "energy"\nbackend = "daly"\n[job]\ninput_file = "{write(folder, "in.json", json.dumps(energy_model()))}"\n'
    told("run", write(folder, "energy.toml", model), "--out", "energy.jsonl", *common)
    write(folder, "look.py", LOOK)
    local = 'name = "{}"\nbackend = "local"\n[job]\n{}\n'
    told(
        "run",
        write(folder, "env.toml", local.format("env", 'command = ["env"]')),
        "--out",
        "env.jsonl",
        *common,
    )
    told(
        "run",
        write(folder, "call.toml", local.format("call", 'call = "look:around"')),
        "--out",
        "call.json",
        *common,
    )
    for read in (
        ("status", "all"),
        ("results", "all"),
        ("show", "all", "1"),
        ("config", "show", "--origin"),
        ("view", "all", "table", "--out", "v.svg"),
        ("list", "--json"),
    ):
        told(*read, "--debug")
    told.crash()
    for name in IN_ENVIRONMENT:
        monkeypatch.setenv(name, KEYS[name])
    app = BatchtuiApp(load_config(folder / "config.toml"), folder / "data", worker=False)
    async with app.run_test(size=(140, 40)) as pilot:
        for number, key in enumerate(("4", "5", "1", "enter", "enter")):
            await pilot.press(key)
            await pilot.pause()
            (folder / f"screen-{number}.svg").write_text(app.export_screenshot())

    kept = [path for path in folder.rglob("*") if path.is_file()]
    kept += [path for path in Path(told.cli.environment()["BATCHTUI_STATE_DIR"]).rglob("*") if path.is_file()]
    assert {"all.csv", "energy.jsonl", "call.json", "v.svg", "screen-4.svg", "results.jsonl"} <= {
        path.name for path in kept
    }
    assert sys.executable in (folder / "call.json").read_text()  # it did look at the other processes
    found = [
        (name, path.name) for path in kept for name, key in KEYS.items() if key.encode() in path.read_bytes()
    ]
    assert found == []
    assert [name for name, key in KEYS.items() if key.encode() in told.said] == []
