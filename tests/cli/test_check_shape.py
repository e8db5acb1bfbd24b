"""`check` of a batch file with several keys that are wrong tells all of them, and what is wrong beyond its shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui import batchfile
from batchtui.errors import BadInput
from tests.cli.cli_help import Cli

FILE = """\
[limit]
cost_usd = 1

[source]
file = "rows.csv"

[job]
command = ["echo", "{{ nothing }}"]

[limits]
retries = "x"
concurrency = 0
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "rows.csv").write_text("id,text\na,b\n")
    (tmp_path / "two.toml").write_text(FILE)
    return Cli(tmp_path)


def test_all_of_it_is_told(cli: Cli) -> None:
    done = cli("check", "two.toml", "--backend", "local")
    assert done.code == 2
    told = done.err.splitlines()
    for words in ('limit: unknown key; did you mean "limits"?', "limits.retries: expected int",
                  "limits.concurrency: expected 1 to 1,000, got 0", "nothing"):  # fmt: skip
        assert [line for line in told if words in line], (words, told)
    problems = cli("check", "two.toml", "--backend", "local", "--json").documents[0]["problems"]
    assert [problem["key"] for problem in problems][:2] == ["limit", "limits.retries"]


def test_run_says_the_first_and_that_there_are_more(cli: Cli) -> None:
    done = cli("run", "two.toml", "--backend", "local")
    assert done.code == 2
    assert done.err.strip() == (
        'batchtui: two.toml: limit: unknown key; did you mean "limits"? (2 more: `batchtui check` tells them all)'
    )


def test_what_is_left_has_the_files_name_and_its_good_keys(cli: Cli) -> None:
    with pytest.raises(batchfile.Misshapen) as caught:
        batchfile.load(cli.folder / "two.toml")
    assert isinstance(caught.value, BadInput)
    spec = caught.value.spec
    assert spec is not None
    assert (spec.name, spec.source and spec.source.file, spec.limits.concurrency) == ("two", "rows.csv", 0)
    with pytest.raises(batchfile.Misshapen, match=r"^x: name: expected str, got int$"):
        batchfile.loads("name = 3", "x")


JOB = """\
backend = "openai"

[source]
file = "rows.csv"

[job]
model = "demo-small"
promt = "Say {{ text }}"
max_tokens = "many"
system = "{{ nothing }}"
file = 3
frobnicate = 1

[limits]
concurrency = 0
retries = -1
"""


def told_of(cli: Cli, text: str) -> list[str]:
    (cli.folder / "job.toml").write_text(text)
    done = cli("check", "job.toml", OPENAI_API_KEY="any")
    assert done.code == 2
    return [line for line in done.err.splitlines() if line.startswith("problem: ")]


def test_all_that_is_wrong_within_a_table_is_told(cli: Cli) -> None:
    """The words of `promt` are looked at as those of `prompt`, and nothing is said twice."""
    told = told_of(cli, JOB)
    for words in ('job.promt: unknown key; did you mean "prompt"?', "job.max_tokens: expected int",
                  'job.system: no column "nothing"', "job.file: expected", "job.frobnicate: unknown key; `batchtui help",
                  "limits.concurrency: expected 1 to 1,000, got 0", "limits.retries: expected"):  # fmt: skip
        assert len([line for line in told if words in line]) == 1, (words, told)
    assert len(told) == 7


def test_what_follows_from_a_wrong_key_is_no_fault_of_its_own(cli: Cli) -> None:
    assert len(told_of(cli, 'backend = "local"\n[job]\ncommand = 5\n')) == 1
    assert len(told_of(cli, 'backend = "openai"\n[job]\nmodel = ["a"]\nprompt = "x"\n')) == 1
    assert (
        "sweep.max_tokens: expected array, got int"
        in told_of(cli, 'backend = "local"\n[job]\ncommand = ["a"]\n[sweep]\nmax_tokens = 3\n')[0]
    )
    within = 'backend = "local"\n[job]\ncommand = ["echo"]\nenv = { A = [1], B = [2] }\ncwd = 3\n'
    assert [line.split(": ")[2] for line in told_of(cli, within)] == ["job.env.A", "job.env.B", "job.cwd"]


def test_run_tells_all_of_it_too(cli: Cli) -> None:
    (cli.folder / "job.toml").write_text(JOB.partition("[limits]")[0])
    done = cli("run", "job.toml", OPENAI_API_KEY="any")
    assert done.code == 2
    assert done.err.count("problem: ") == 5
    assert "nothing was sent: 5 problems" in done.err


def test_no_cost_is_told_of_jobs_that_cannot_be_made(cli: Cli) -> None:
    (cli.folder / "bad.toml").write_text(
        'backend = "openai"\n[source]\nfile = "rows.csv"\n[job]\nmodel = "demo-small"\nprompt = "{{ nothing }}"\n'
    )
    done = cli("check", "bad.toml", OPENAI_API_KEY="any")
    assert (done.code, "jobs         0" in done.out, "cost" in done.out) == (2, True, False)
