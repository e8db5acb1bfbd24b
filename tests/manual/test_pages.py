"""The manual's pages: each is led to, each link leads somewhere, and `help` shows what it says it does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from batchtui import manual
from batchtui.cli.commands import COMMANDS
from batchtui.errors import BadInput
from tests.cli.cli_help import Cli

FOLDER = Path(manual.__file__).parent


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_every_page_is_in_the_contents_and_every_link_leads_to_one() -> None:
    there = {path.stem for path in FOLDER.glob("*.md")}
    assert set(manual.names()) == there
    for name in there:
        for link in re.findall(r"\]\(([^)]+)\)", manual.page(name).text):
            assert link.removesuffix(".md") in there, (name, link)


def test_no_page_has_the_name_of_a_command() -> None:
    """`help NAME` must be able to show either."""
    assert not set(manual.names()) & COMMANDS.keys()


def test_every_page_begins_with_its_title_and_says_something() -> None:
    for name in manual.names():
        page = manual.page(name)
        assert page.text.startswith(f"# {page.title}\n\n")
        assert len(page.text) > 400, name


def test_a_page_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r'no page "monye"; did you mean "money"\?'):
        manual.page("monye")


def test_search_names_page_heading_and_line() -> None:
    hits = manual.search("ENQUEUED_TOKENS")
    assert {hit.page for hit in hits} >= {"batch-apis"}
    (first, *_) = [hit for hit in hits if hit.page == "batch-apis"]
    line = manual.page("batch-apis").text.splitlines()[first.line - 1]
    assert first.text == line.strip()
    assert "enqueued_tokens" in line


def test_the_messages_that_trouble_explains_are_those_that_are_told() -> None:
    section = manual.page("trouble").text.partition("## By the words of the message")[2].partition("\n## ")[0]
    words = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    code = "".join(path.read_text("utf-8") for path in FOLDER.parent.rglob("*.py"))
    told = re.sub(r'"\s*\n\s*f?"', "", code)  # a text that goes on in the next line
    assert len(words) > 10
    assert [one for one in words if one not in told] == []


def test_help_lists_the_pages_and_shows_them(cli: Cli) -> None:
    told = cli("help")
    assert told.code == 0
    for name in manual.names():
        assert f"\n  {name} " in told.out
    assert cli("help", "money").out == manual.page("money").text
    assert json.loads(cli("help", "money", "--json").out)["title"] == manual.page("money").title
    assert [one["name"] for one in cli("help", "--json").documents] == list(manual.names())


def test_help_of_a_command_is_what_it_says_itself(cli: Cli) -> None:
    assert cli("help", "run").out == cli("run", "--help").out


def test_help_refuses_a_word_that_is_neither(cli: Cli) -> None:
    told = cli("help", "reslove")
    assert told.code == 2
    assert 'did you mean "resolve"?' in told.err
    assert told.out == ""


def test_help_searches(cli: Cli) -> None:
    told = cli("help", "--search", "take-over")
    assert told.code == 0
    assert "elsewhere" in told.out
    assert cli("help", "--search", "no such words anywhere").code == 7
