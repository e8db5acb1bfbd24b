"""A batch file that reaches outside its folder asks once; one that stays inside never does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.cli_help import Cli


def batch(folder: Path, **tables: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "batch.toml"
    job = tables.get("job", 'command = ["echo", "hi"]')
    path.write_text(f'backend = "local"\n[job]\n{job}\n' + tables.get("more", ""))
    return path


def prompts(folder: Path, **tables: str) -> Path:
    """A batch that only sends its words."""
    path = batch(folder, job='model = "demo-small"\nprompt = "hi"', **tables)
    path.write_text(path.read_text().replace('"local"', '"chat"'))
    return path


@pytest.mark.parametrize("more", ["", '[output]\ndir = "results/out"\n', '[source]\nfile = "rows.csv"\n'])
def test_what_only_sends_its_words_asks_nothing(cli: Cli, with_demo, more: str) -> None:  # type: ignore[no-untyped-def]
    with_demo()
    path = prompts(cli.folder / "here", more=more)
    (path.parent / "rows.csv").write_text("id\na\n")
    ran = cli("run", str(path))
    assert (ran.code, "asks first" in ran.err) == (0, False)
    assert cli("check", str(path), "--json").documents[0]["consent"] is None


OWNED = ["sh", "-c", "echo owned > owned.txt"]


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (f"command = {json.dumps(OWNED)}", f"it runs the program {json.dumps(OWNED)} on local"),
        (
            'command = ["env"]\nenv = { X = "env:HOME" }',
            "it hands over the value of HOME from your environment",
        ),
        (
            'call = "os:system"\narguments = { command = "echo owned > owned.txt" }',
            'it calls the function "os:system"',
        ),
        ('call = "beside:f"', 'it calls the function "beside:f"'),
    ],
)
def test_what_runs_something_is_asked_about(cli: Cli, job: str, told: str) -> None:
    path = batch(cli.folder / "here", job=job)
    (path.parent / "beside.py").write_text("open('owned.txt', 'w')\ndef f(): ...\n")
    refused = cli("run", str(path), "--no-input")
    assert (refused.code, told in refused.err) == (2, True)
    assert "--trust allows that" in refused.err
    assert not [*cli.folder.rglob("owned.txt")]
    assert not cli("list", "--json").out
    checked = cli("check", str(path))
    assert told in checked.out
    assert "run asks first" in checked.err


def test_check_says_what_would_run(cli: Cli) -> None:
    (cli.folder / "here").mkdir()
    (cli.folder / "here/rows.csv").write_text("id,word\na,one\nb,two\n")
    more = '[source]\nfile = "rows.csv"\n[sweep]\n"command.1" = ["-n", "-e"]\n'
    path = batch(cli.folder / "here", job='command = ["echo", "-", "{{ word }}"]', more=more)
    consent = cli("check", str(path), "--json").documents[0]["consent"]
    assert [run["template"]["command"][1:] for run in consent["runs"]] == [
        ["-n", "{{ word }}"],
        ["-e", "{{ word }}"],
    ]
    assert consent["runs"][0]["first"] == ["echo", "-n", "one"]
    assert (consent["agreed"], consent["uploads"], consent["variables"]) == (False, [], [])


def test_outside_it_takes_a_word(cli: Cli, with_demo) -> None:  # type: ignore[no-untyped-def]
    with_demo()
    away = cli.folder / "away"
    path = prompts(cli.folder / "here", more=f'[output]\ndir = "{away}"\n')
    refused = cli("run", str(path))
    assert refused.code == 2
    assert refused.err.strip().endswith(
        f"batchtui: {path} asks first: it writes results to {away}, outside its folder; "
        "nothing was sent, --trust allows that"
    )
    assert not cli("list", "--json").out
    assert "run asks first" in cli("check", str(path)).err
    assert cli("run", str(path), "--trust").code == 0
    assert away.is_dir()


@pytest.mark.parametrize("link", [False, True])
def test_rows_from_elsewhere_take_a_word(cli: Cli, with_demo, link: bool) -> None:  # type: ignore[no-untyped-def]
    with_demo()
    away = cli.folder / "away"
    away.mkdir()
    (away / "rows.csv").write_text("id,a\nx,secret\n")
    path = prompts(
        cli.folder / "here", more=f'[source]\nfile = "{"rows.csv" if link else away / "rows.csv"}"\n'
    )
    if link:
        (path.parent / "rows.csv").symlink_to(away / "rows.csv")
    refused = cli("run", str(path))
    assert refused.code == 2
    assert f"it reads files in {away / 'rows.csv'}, outside its folder" in refused.err
    assert cli("run", str(path), "--set", f"source.file={away / 'rows.csv'}").code == 0


def test_the_home_folder_is_outside(cli: Cli) -> None:
    refused = cli("run", str(batch(cli.folder / "here", more='[output]\ndir = "~/away"\n')))
    assert refused.code == 2
    assert f"it writes results to {Path.home()}/away" in refused.err


@pytest.mark.parametrize("link", [False, True])
def test_a_schema_from_elsewhere_takes_a_word(cli: Cli, with_demo, link: bool) -> None:  # type: ignore[no-untyped-def]
    with_demo()
    away = cli.folder / "away"
    away.mkdir()
    (away / "secret.json").write_text('{"type": "object", "client_secret": "s"}')
    named = "../away/secret.json"
    job = f'model = "demo-small"\nprompt = "hi"\nschema = "{"link.json" if link else named}"'
    path = batch(cli.folder / "here", job=job)
    path.write_text(path.read_text().replace("local", "chat"))
    if link:
        (path.parent / "link.json").symlink_to(away / "secret.json")
    refused = cli("run", str(path))
    assert refused.code == 2
    assert f"it reads files in {away}" in refused.err
    assert cli("run", str(path), "--trust").code == 0


def test_what_the_user_says_on_the_line_is_trusted(cli: Cli) -> None:
    path = batch(cli.folder / "here")
    typed = ("--set", f"output.dir={cli.folder / 'away'}", "--set", 'job.command=["true"]')
    assert cli("run", str(path), *typed).code == 0
    path.write_text(path.read_text().replace("command", "env = { LD_PRELOAD = 'x.so' }\ncommand"))
    assert "LD_PRELOAD" in cli("run", str(path), *typed).err


@pytest.mark.parametrize("where", ["/", "../.."])
def test_a_folder_to_run_in(cli: Cli, where: str) -> None:
    ran = cli("run", str(batch(cli.folder / "here", job=f'command = ["pwd"]\ncwd = "{where}"')))
    assert ran.code == 2
    assert "runs programs in /" in ran.err


@pytest.mark.parametrize("link", [False, True])
def test_files_that_rows_name(cli: Cli, with_demo, link: bool) -> None:  # type: ignore[no-untyped-def]
    with_demo()
    here = cli.folder / "here"
    here.mkdir()
    (here / "in.txt").write_text("inside")
    secret = cli.folder / "secret.txt"
    secret.write_text("outside")
    if link:
        (here / "linked.txt").symlink_to(secret)
    name = "linked.txt" if link else "../secret.txt"
    (here / "rows.csv").write_text(f"id,path\na,in.txt\nb,{name}\n")
    batch_file = here / "batch.toml"
    batch_file.write_text(
        'backend = "chat"\n[source]\nfile = "rows.csv"\n'
        '[job]\nmodel = "demo-small"\nprompt = "read"\nfile = "{{ path }}"\n'
    )
    ran = cli("run", str(batch_file))
    assert ran.code == 2
    assert f"reads files in {cli.folder}, outside its folder; nothing was sent, --trust" in ran.err
    (here / "rows.csv").write_text("id,path\na,in.txt\n")
    uploads = cli("run", str(batch_file))
    assert uploads.code == 2
    assert "it uploads files to chat (http://127.0.0.1" in uploads.err
    assert '): file = "{{ path }}", first in.txt; nothing' in uploads.err
    assert cli("run", str(batch_file), "--trust").code == 0


def test_check_takes_what_run_is_told(cli: Cli) -> None:
    path = batch(cli.folder / "here")
    plain, agreed = cli("check", str(path)), cli("check", str(path), "--trust")
    assert ("asks first" in plain.out, "run asks first" in plain.err) == (True, True)
    assert ("agreed to" in agreed.out, "run asks first" in agreed.err) == (True, False)
    told = cli("check", str(path), "--trust", "--again", "--yes", "--canary", "1", "--json")
    assert (told.code, told.documents[0]["limits"]) == (0, {"canary": 1})
    assert cli("run", str(path)).code == 2


def asked(cli: Cli, path: Path, answer: str) -> int:
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(
        sys.executable, ["-m", "batchtui", "run", str(path)], cwd=str(cli.folder),
        env=cli.environment(TERM="xterm"), encoding="utf-8", timeout=60,
    )  # fmt: skip
    child.expect("from now on")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return int(child.exitstatus)


def test_it_is_asked_once_and_anew_after_a_change(cli: Cli) -> None:
    path = batch(cli.folder / "here", more=f'[output]\ndir = "{cli.folder / "away"}"\n')
    assert asked(cli, path, "n") == 2
    assert asked(cli, path, "y") == 0
    remembered = cli.folder / "data/trusted.json"
    assert len(json.loads(remembered.read_text())) == 1
    assert remembered.stat().st_mode & 0o777 == 0o600
    assert cli("run", str(path)).code == 0
    assert cli("check", str(path), "--json").documents[0]["consent"]["agreed"]
    batch(cli.folder / "here", more=f'[output]\ndir = "{cli.folder / "further"}"\n')
    assert cli("run", str(path)).code == 2
    copied = batch(cli.folder / "there", more=f'[output]\ndir = "{cli.folder / "away"}"\n')
    assert cli("run", str(copied)).code == 2


def test_rows_are_data_unless_they_name_what_runs(cli: Cli) -> None:
    here = cli.folder / "here"
    here.mkdir()
    rows = here / "rows.csv"
    rows.write_text("id,word\na,echo\n")
    more = '[source]\nfile = "rows.csv"\n'
    path = batch(here, job='command = ["echo", "{{ word }}"]', more=more)
    assert asked(cli, path, "y") == 0
    rows.write_text("id,word\na,two\nb,three\n")
    assert cli("run", str(path)).code == 0
    for job in ('command = ["{{ word }}"]', 'command = ["nice", "sh", "-c", "{{ word }}"]'):
        rows.write_text("id,word\na,true\n")
        batch(here, job=job, more=more)
        assert asked(cli, path, "y") == 0
        assert cli("run", str(path)).code == 0
        rows.write_text("id,word\na,true\nb,id\n")
        refused = cli("run", str(path))
        assert refused.code == 2
        assert "it runs what its rows name: " in refused.err
        assert '"id"]' in refused.err
