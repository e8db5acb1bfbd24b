"""`view` and `diff`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from batchtui.store.library import Library
from tests import extras
from tests.cli.cli_help import Cli
from tests.results.views.view_samples import answers, sweep


@pytest.fixture
def library(cli: Cli) -> Library:
    return Library(cli.folder / "data")


def test_without_a_name_it_lists_what_there_is(cli: Cli, library: Library) -> None:
    sweep(library)
    assert "histogram" in cli("view", "sweep").out
    assert {"name": "plot", "title": "Plot"} in cli("view", "sweep", "--json").documents


def test_a_view_is_table_and_picture_without_a_code(cli: Cli, library: Library) -> None:
    sweep(library)
    ran = cli("view", "sweep", "plot", "--x", "gcr", "--y", "summary.annual_mwh", "--width", "72")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "summary.annual_mwh over gcr"
    assert "site-19" in ran.out
    assert any(line.startswith("4100┤") for line in lines)
    assert max(map(len, lines)) <= 72
    assert "\x1b" not in ran.out


def test_no_letters_of_the_picture_need_more_than_the_locale_has(cli: Cli, library: Library) -> None:
    sweep(library)
    ran = cli("view", "sweep", "duration", PYTHONIOENCODING="ascii")
    assert ran.out.isascii()
    assert "?" not in ran.out.replace("of jobs", "")


@pytest.mark.parametrize(
    "ending", ["csv", "md", "svg", pytest.param("parquet", marks=extras.needs("parquet"))]
)
def test_to_a_file(cli: Cli, library: Library, ending: str) -> None:
    sweep(library)
    ran = cli("view", "sweep", "histogram", "--y", "gcr", "--out", f"v.{ending}")
    assert ran.code == 0
    assert "rows written to" in ran.err
    path = cli.folder / f"v.{ending}"
    if ending == "svg":
        ElementTree.parse(path)
    assert path.stat().st_size > 50


def test_formats_on_stdout(cli: Cli, library: Library) -> None:
    sweep(library)
    assert (
        cli("view", "sweep", "table", "--format", "csv")
        .out.splitlines()[0]
        .startswith("job,summary.annual_mwh,gcr")
    )
    assert cli("view", "sweep", "table", "--format", "markdown").out.startswith("# Table")
    ElementTree.fromstring(cli("view", "sweep", "plot", "--format", "svg").out)
    assert cli("view", "sweep", "table", "--format", "parquet").code == 2
    document = cli("view", "sweep", "table", "--json").documents[0]
    assert document["rows"][0][:3] == ["site-00", 4000, 0.3]


def test_what_is_wrong_is_said_with_the_nearest(cli: Cli, library: Library) -> None:
    sweep(library)
    for arguments, words, code in (
        (("plo",), 'did you mean "plot"', 7),
        (("plot", "--x", "gcrr"), 'did you mean "gcr"', 2),
        (("plot", "--width", "3"), "from 20 to 1000", 2),
        (("plot", "--out", "v.xlsx"), "may end in", 2),
        (("table", "--job", "a", "--job", "b", "--job", "c"), "takes one job", 2),
        (("table", "--job", "nobody"), "no job", 7),
    ):
        ran = cli("view", "sweep", *arguments)
        assert (ran.code, words in ran.err) == (code, True), ran.err


def test_two_batches(cli: Cli, library: Library) -> None:
    sweep(library)
    sweep(library, "again", loss=3)
    ran = cli("diff", "sweep", "again")
    assert ran.code == 0
    assert "again less sweep" in ran.out
    first = next(line for line in ran.out.splitlines() if line.startswith("site-"))
    assert first.split()[:5] == ["site-19", "summary.annual_mwh", "4133", "4076", "-57"]
    found = cli("diff", "sweep", "again", "--json").documents[0]
    assert found["jobs"] == 20
    assert found["differences"][0] == {
        "job_id": "site-19", "field": "summary.annual_mwh", "a": 4133, "b": 4076, "difference": -57,
    }  # fmt: skip
    assert {"field": "gcr", "jobs": 18, "differ": 0, "largest": 0.0} in found["fields"]
    assert cli("diff", "sweep", "again", "--out", "d.csv").code == 0
    assert (cli.folder / "d.csv").read_text().startswith("job,field,sweep,again,difference")


def test_answers_and_two_jobs(cli: Cli, library: Library) -> None:
    answers(library)
    answers(library, "later", words="green")
    found = cli("diff", "answers", "later", "--json").documents[0]
    assert found["answers"] == {"equal": 4, "different": 1, "job_ids": ["words"]}
    ran = cli("diff", "answers", "--job", "q1", "--job", "q3")
    assert "raw_response.score" in ran.out
    assert "answers different" in ran.out


def test_diff_says_what_it_takes(cli: Cli, library: Library, tmp_path: Path) -> None:
    sweep(library)
    for arguments, words in (
        (("sweep",), "name the batch to compare with"),
        (("sweep", "sweep"), "name two batches"),
        (("sweep", "--job", "site-01"), "two jobs"),
        (("sweep", "--job", "site-01", "--job", "site-02", "--field", "x"), "--field is for two batches"),
    ):
        ran = cli("diff", *arguments)
        assert (ran.code, words in ran.err) == (2, True), ran.err
