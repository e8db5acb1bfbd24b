"""The pages that list everything by name are as the code is now, and every name has its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batchtui import manual
from tests.manual.reference import PAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_as_the_code_is(name: str) -> None:
    assert manual.page(name).text == PAGES[name](), "run `python -m tests.manual.reference`"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_listed_without_its_words(name: str) -> None:
    bare = [
        line
        for line in manual.page(name).text.splitlines()
        if line.count(" | ") == 3 and re.search(r"\|\s*\|$", line)
    ]
    assert bare == []


def test_every_variable_of_ours_is_told() -> None:
    """Those that only our tests and processes of our own speak of begin with _ or end a name in the tests."""
    read = set()
    for path in (ROOT / "batchtui").rglob("*.py"):
        read |= set(
            re.findall(r"""(?:environ|env)(?:\.get\(|\[)["'](BATCHTUI_\w+)""", path.read_text("utf-8"))
        )
    told = manual.page("configuration").text + manual.page("slurm").text + manual.page("rest").text
    assert {name for name in read if name not in told and name not in INSIDE} == set()


INSIDE = frozenset({"BATCHTUI_DEBUG"})
"""Variables of an option, of which the page says that every option has one."""
