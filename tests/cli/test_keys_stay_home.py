"""Programs and calls on this machine see our environment without any key, unless one is handed over by name."""

from __future__ import annotations

import json

from tests.cli.cli_help import Cli

KEYS = {
    "OPENAI_API_KEY": "sk-dummy-openai",
    "ANTHROPIC_API_KEY": "sk-dummy-anthropic",
    "GEMINI_API_KEY": "dummy-gemini",
    "GOOGLE_API_KEY": "dummy-google",
    "DALY_WORKSPACE_KEY": "dummy-workspace",
    "DALY_USER_KEY": "dummy-user",
    "MY_OWN_NAME": "dummy-own",
    "REST_SIGN_IN": "dummy-sign-in",
    "SOME_OTHER_API_KEY": "dummy-other",
}
ENV = 'backend = "local"\n[job]\ncommand = ["env"]\n'
CONFIG = """
[backends.mine]
kind = "chat"
base_url = "http://127.0.0.1:9/v1"
api_key_env = "MY_OWN_NAME"

[backends.broken]
kind = "rest"
headers = { Authorization = "env:REST_SIGN_IN" }
"""


def _seen(cli: Cli, *arguments: str, **environment: str) -> str:
    ran = cli("run", *arguments, "--yes", "--trust", "--out", "seen.jsonl", **environment)
    assert ran.code == 0, ran.err
    return (cli.folder / "seen.jsonl").read_text(encoding="utf-8")


def test_a_program_sees_no_key(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(CONFIG)
    (cli.folder / "env.toml").write_text(ENV)
    (cli.folder / "keys.env").write_text("BROUGHT_ALONG=dummy-brought\n")
    seen = _seen(
        cli,
        "env.toml",
        "--env-file",
        "keys.env",
        **KEYS,
        PLAIN="yes",
    )
    assert "PLAIN=yes" in seen
    assert "dummy" not in seen


def test_a_call_sees_no_key(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(CONFIG)
    (cli.folder / "look.py").write_text("import os\ndef around():\n    return dict(os.environ)\n")
    (cli.folder / "look.toml").write_text('backend = "local"\n[job]\ncall = "look:around"\n')
    seen = _seen(cli, "look.toml", **KEYS, PLAIN="yes")
    assert '"PLAIN":"yes"' in seen.replace(": ", ":")
    assert "dummy" not in seen


def test_a_key_is_handed_over_by_name_and_never_stored_with_the_job(cli: Cli) -> None:
    (cli.folder / "one.toml").write_text(
        'backend = "local"\n[job]\ncommand = ["sh", "-c", "echo ${#GIVEN}"]\n'
        'env = { GIVEN = "env:OPENAI_API_KEY" }\n'
    )
    seen = _seen(cli, "one.toml", **KEYS)
    assert json.loads(seen)["raw_response"].strip() == str(len("sk-dummy-openai"))
    kept = [path.read_bytes() for path in (cli.folder / "data").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"sk-dummy" in text for text in kept)


def test_a_variable_that_is_not_set_is_told_before_anything_runs(cli: Cli) -> None:
    (cli.folder / "one.toml").write_text(
        'backend = "local"\n[job]\ncommand = ["true"]\nenv = { GIVEN = "env:NOT_THERE" }\n'
    )
    ran = cli("check", "one.toml")
    assert ran.code == 2
    assert "the variable NOT_THERE is not set here" in ran.out + ran.err


def test_the_config_hands_a_variable_to_everything_that_runs_here(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text('[backends.local]\nkind = "local"\nexport = ["OPENAI_API_KEY"]\n')
    (cli.folder / "env.toml").write_text(ENV)
    seen = _seen(cli, "env.toml", **KEYS)
    assert "sk-dummy-openai" in seen
    assert "sk-dummy-anthropic" not in seen


def test_no_key_goes_to_a_cluster(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text('[backends.slurm]\nkind = "slurm"\n')
    (cli.folder / "one.toml").write_text(
        'backend = "slurm"\n[job]\ncommand = ["true"]\nenv = { GIVEN = "env:OPENAI_API_KEY" }\n'
    )
    ran = cli("check", "one.toml", **KEYS)
    assert ran.code == 2
    assert "keys stay on this machine" in ran.out + ran.err
