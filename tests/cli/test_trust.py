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


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"job": 'command = ["pwd"]\ncwd = "."'},
        {"more": '[output]\ndir = "results/out"\n'},
        {"job": 'command = ["cat", "/etc/hostname"]'},
    ],
)
def test_inside_its_folder_nothing_is_asked(cli: Cli, tables: dict[str, str]) -> None:
    ran = cli("run", str(batch(cli.folder / "here", **tables)))
    assert ran.code == 0
    assert "outside" not in ran.err


def test_outside_it_takes_a_word(cli: Cli) -> None:
    away = cli.folder / "away"
    path = batch(cli.folder / "here", more=f'[output]\ndir = "{away}"\n')
    refused = cli("run", str(path))
    assert refused.code == 2
    assert refused.err.strip() == (
        f"batchtui: {path} reaches outside its folder: it writes results to {away}; --trust allows that"
    )
    assert not cli("list", "--json").out
    assert "run asks first" in cli("check", str(path)).err
    assert cli("run", str(path), "--trust").code == 0
    assert away.is_dir()


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
    assert cli("run", str(path), "--set", f"output.dir={cli.folder / 'away'}").code == 0


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
    assert f"reads files in {cli.folder}; --trust" in ran.err
    (here / "rows.csv").write_text("id,path\na,in.txt\n")
    assert cli("run", str(batch_file)).code == 0


def test_it_is_asked_once_and_anew_after_a_change(cli: Cli) -> None:
    pexpect = pytest.importorskip("pexpect")
    path = batch(cli.folder / "here", more=f'[output]\ndir = "{cli.folder / "away"}"\n')

    def asked(answer: str) -> int:
        child = pexpect.spawn(
            sys.executable, ["-m", "batchtui", "run", str(path)], cwd=str(cli.folder),
            env=cli.environment(TERM="xterm"), encoding="utf-8", timeout=20,
        )  # fmt: skip
        child.expect("from now on")
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        return int(child.exitstatus)

    assert asked("n") == 2
    assert asked("y") == 0
    assert len(json.loads((cli.folder / "data/trusted.json").read_text())) == 1
    assert cli("run", str(path)).code == 0
    batch(cli.folder / "here", more=f'[output]\ndir = "{cli.folder / "further"}"\n')
    assert cli("run", str(path)).code == 2
