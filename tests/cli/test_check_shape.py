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
        'batchtui: two.toml: limit: unknown key; did you mean "limits"? (1 more: `batchtui check` tells them all)'
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
