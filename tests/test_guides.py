"""The pages for contributors: every path that they name exists, every module is where they say, and they stay short."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".github"
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason="a source archive has no .github")
PAGES = sorted(HOME.rglob("*.md"))
FORMS = sorted([*HOME.rglob("*.yml"), ROOT / ".pre-commit-config.yaml"])
TOP = ("batchtui", "tests", "screenshots", ".github", ".ci")
OURS = ("README.md", "pyproject.toml")


def _paths(page: Path) -> Iterator[tuple[str, Path]]:
    """What a page names: links from its own folder, and words in backquotes from the top."""
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in link:
            yield link, page.parent / link
    for word in re.findall(r"`([^`\n]+)`", text):
        first = word.partition("/")[0]
        if word in OURS or (first in TOP and "/" in word and " " not in word):
            yield word, ROOT / word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert [named for named, path in _paths(page) if not path.exists()] == []


def test_files_that_the_architecture_names_by_their_name_alone_are_the_engine_s() -> None:
    text = (HOME / "ARCHITECTURE.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_]+\.py)`", text))
    engine = [path.name for path in (ROOT / "batchtui/engine").rglob("*.py")]
    assert {name for name in named if engine.count(name) != 1} == set()
    assert len(text.splitlines()) <= 130


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_forms_are_yaml_and_call_what_there_is(form: Path) -> None:
    assert yaml.safe_load(form.read_text("utf-8"))
    for script in re.findall(r"(?<![\w/])\.ci/[\w-]+", form.read_text("utf-8")):
        assert (ROOT / script).is_file(), script
    for module in re.findall(r"python -m (tests\.[\w.]+)", form.read_text("utf-8")):
        assert (ROOT / module.replace(".", "/")).exists(), module


def test_extras_that_the_pages_install_are_declared() -> None:
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    for page in [*PAGES, *FORMS]:
        for named in re.findall(r"'\.\[([a-z,]+)\]'", page.read_text("utf-8")):
            assert set(named.split(",")) <= declared, page.name
