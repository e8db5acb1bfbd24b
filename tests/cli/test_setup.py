"""`config`, `backends`, `doctor`, and the terminal's side of things."""

from __future__ import annotations

import os
import sys
import tomllib

import pytest

from tests.cli.cli_help import PENGUINS, Cli, local_options, until


def test_config_init_writes_a_sound_starter_once(cli: Cli) -> None:
    path = cli.folder / "config.toml"
    path.unlink()
    ran = cli("config", "init")
    assert (ran.code, ran.out.strip()) == (0, str(path))
    assert tomllib.loads(path.read_text()) == {}
    assert path.stat().st_mode & 0o777 == 0o600
    assert cli("config", "check").code == 0
    path.write_text("# mine\n")
    assert cli("config", "init").code == 2
    assert path.read_text() == "# mine\n"


def test_config_path(cli: Cli) -> None:
    assert cli("config", "path").out.strip() == str(cli.folder / "config.toml")
    other = cli.folder / "other.toml"
    (found,) = cli("config", "path", "--json", "--config", str(other)).documents
    assert found == {"config": str(other), "exists": False, "data_dir": str(cli.folder / "data")}


def test_config_show_with_origin(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text('[defaults]\nbackend = "local"\n')
    rows = {row["key"]: row for row in cli("config", "show", "--origin", "--json").documents}
    assert rows["defaults.backend"]["origin"].endswith("config.toml")
    assert rows["backends.local.kind"]["origin"] == "built in"
    assert 'defaults.backend = "local"' in cli("config", "show").out


def test_config_check_names_file_and_key(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text("[defaults]\nbackend = 7\n")
    ran = cli("config", "check")
    assert ran.code == 3
    assert "config.toml" in ran.err
    assert "defaults.backend" in ran.err


def test_config_check_looks_into_every_table(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(
        '[backends.a]\nkind = "openai"\nbase_ulr = "x"\n[backends.b]\nkind = "openai"\n'
        '[backends.c]\nkind = "chat"\nheaders = { X-Lab = "env:NOT_SET_HERE" }\n'
        '[backends.d]\nkind = "rest"\nbase_url = "http://127.0.0.1:9"\npoll = { path = "x" }\n'
        'submit = { path = "x", body = "{{ inptu }}" }\n'
    )
    ran = cli("config", "check")
    assert ran.code == 3
    assert "problem: " in ran.err
    assert 'backends.a.base_ulr: unknown key; did you mean "base_url"?' in ran.err
    assert "backends.b" not in ran.err
    assert "backends.c.headers.X-Lab: the variable NOT_SET_HERE is not set" in ran.err
    assert 'backends.d.submit.body: no name "inptu" here; did you mean "input"?' in ran.err
    (cli.folder / "config.toml").write_text(
        '[backends.c]\nkind = "chat"\nheaders = { A = "env:NOT_SET_HERE" }\n'
    )
    ran = cli("config", "check")
    assert (ran.code, "warning" in ran.err) == (0, True)


def test_doctor_is_content_and_then_not(cli: Cli) -> None:
    cli.local(["true"], "--set", "source.limit=1")
    well = cli("doctor", "--json")
    assert well.code == 0
    names = {row["name"]: row["state"] for row in well.documents}
    assert names["locks"] == "ok"
    assert names["python"] == "ok"
    assert {"[demo]", "[power]", "[prices]", "[yaml]", "[pgm]"} <= names.keys()
    assert "[test]" not in names
    (cli.folder / "data" / "batches" / "broken").mkdir()
    ill = cli("doctor")
    assert ill.code == 1
    assert "broken" in ill.out


def test_a_broken_batch_hides_no_other(cli: Cli) -> None:
    cli.local(["true"], "--set", "source.limit=1")
    (cli.folder / "data" / "batches" / "broken").mkdir()
    ran = cli("list", "--json")
    assert ran.code == 1, "something that is stored is damaged"
    assert [batch["name"] for batch in ran.documents] == ["birds"]
    assert "broken" in ran.err


@pytest.fixture
def terminal(cli: Cli):  # type: ignore[no-untyped-def]
    """Runs a command on a terminal of its own."""
    pexpect = pytest.importorskip("pexpect")

    def spawn(*arguments: str, columns: int = 60):  # type: ignore[no-untyped-def]
        return pexpect.spawn(
            sys.executable, ["-m", "batchtui", *arguments], dimensions=(24, columns), cwd=str(cli.folder),
            env=cli.environment(TERM="xterm-256color"), encoding="utf-8", timeout=60,
        )  # fmt: skip

    return spawn


def test_a_table_fits_the_terminal(cli: Cli, terminal) -> None:  # type: ignore[no-untyped-def]
    cli.local(["echo", "日本語 " * 40], "--set", "source.limit=2", name="a very long name " * 6)
    child = terminal("list", "--color", "never")
    lines = child.read().splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert "…" in lines[1]
    wide = terminal("results", "a very long name " * 6, "--color", "never").read()
    assert "日本語" in wide


def test_colour_only_on_a_terminal(cli: Cli, terminal) -> None:  # type: ignore[no-untyped-def]
    cli.local(["true"], "--set", "source.limit=1")
    assert "\x1b[32m" in terminal("list", columns=200).read()
    assert "\x1b" not in terminal("list", "--color", "never").read()
    assert "\x1b" not in cli("list").out
    os.environ.pop("NO_COLOR", None)


def test_rm_asks_on_a_terminal(cli: Cli, terminal) -> None:  # type: ignore[no-untyped-def]
    cli.local(["true"], "--set", "source.limit=1")
    child = terminal("rm", "birds", columns=200)
    child.expect("no way back")
    child.sendline("n")
    child.read()
    child.close()
    assert child.exitstatus == 1
    assert "birds" in cli("list").out
    child = terminal("rm", "birds", columns=200)
    child.expect("no way back")
    child.sendline("y")
    child.expect("is deleted")
    assert cli("list", "--json").out == ""


def test_the_progress_line_is_rewritten_and_ctrl_c_is_130(cli: Cli, terminal) -> None:  # type: ignore[no-untyped-def]
    child = terminal("run", str(PENGUINS), *local_options(["sleep", "0.1"], "birds"), columns=100)
    child.expect(r"\r\x1b\[K.*done")
    child.sendintr()
    child.expect("batchtui resume")
    child.read()
    child.close()
    assert child.exitstatus == 130


def test_watch_on_a_terminal_and_plain(cli: Cli, terminal) -> None:  # type: ignore[no-untyped-def]
    cli.local(["true"], "--set", "source.limit=1")
    assert "\r\x1b[K" in terminal("watch", "birds").read()
    assert "\x1b" not in terminal("watch", "birds", "--plain").read()


def test_a_damaged_batch_is_said_and_can_be_let_go(cli: Cli) -> None:
    process = cli.start("run", str(PENGUINS), *local_options(["sleep", "0.1"], "birds"))
    journal = cli.folder / "data" / "batches"
    until(lambda: any(b'"completed"' in path.read_bytes() for path in journal.glob("*/events.jsonl")))
    process.terminate()
    process.communicate(timeout=60)
    (folder,) = journal.iterdir()
    (folder / "checkpoint.json").unlink(missing_ok=True)
    lines = (folder / "events.jsonl").read_bytes().split(b"\n")
    lines[3] = b"X" + lines[3][1:]
    (folder / "events.jsonl").write_bytes(b"\n".join(lines))
    for command in (("resume", "birds"), ("resume",), ("cancel", "birds")):
        ran = cli(*command)
        assert ran.code == 1
        assert "events.jsonl" in ran.err
    (folder / "batch.json").write_text("{")
    assert "--forget" in cli("rm", folder.name).err
    assert cli("rm", folder.name, "--forget", "--yes").code == 0
    assert list(journal.iterdir()) == []
