"""A domain is known by its card alone: ours, somebody else's, one that is broken, and one that is not there."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from batchtui.backends import registry
from batchtui.catalog import domains
from batchtui.catalog.domains import GROUP, found, own_names, tasks
from batchtui.results.views import registry as views
from batchtui.store.library import Library
from batchtui.work.job import ProgramWork
from batchtui.work.tasks import libraries, missing_libraries, task_notices
from tests.tui.samples import Sample

ROOT = Path(__file__).parents[2]
ROOMS = ("store", "sources/test_readers.py")
"""Tests that are run over the product without power grids. Those of other rooms pass too, but for what they say of grids."""
START = """
import asyncio
from batchtui.catalog import domains
from batchtui.tui.app import BatchtuiApp
from tests.tui.samples import app_over
from batchtui.store.library import Library
from pathlib import Path

async def main():
    app = app_over(Library(Path("data")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.screen.place, "no screen"

asyncio.run(main())
print([domain.name for domain in domains()])
"""

Packages = Callable[..., None]


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """Names of domains and what stands behind them, as installed packages give them."""

    def use(**named: str) -> None:
        entries = [EntryPoint(name, value, GROUP) for name, value in named.items()]
        monkeypatch.setattr(
            importlib.metadata, "entry_points", lambda group: entries if group == GROUP else []
        )
        found.cache_clear()

    yield use
    found.cache_clear()


def test_ours_name_what_is_there() -> None:
    assert own_names() == ["energy", "flows", "power"]
    for domain in domains():
        for place in (domain.solver, *domain.demo):
            module, _, name = place.partition(":")
            assert not place or hasattr(import_module(module), name)
        for module in filter(None, (domain.checks, domain.manifests, *domain.views)):
            import_module(module)


def test_one_of_a_package_is_known_as_ours_are(packages: Packages, tmp_path: Path) -> None:
    packages(words="tests.domains.other_field:DOMAIN")
    assert "count" in tasks()
    work = ProgramWork(task="count", grid="words.txt")
    assert work.function == "tests.domains.other_field:count"
    assert task_notices(work) == [("grid", "words.txt is looked at")]
    assert missing_libraries(work) == [("task", "a library of words is missing")]
    assert libraries(work) == ("words",)
    sample = Sample(Library(tmp_path / "data"), "k7fq2m", "eval", ["a"], backend="local", remote=False)
    sample.close()
    assert ("words", "Words") in views.names(sample.folder)
    assert not views.build(sample.folder, "words").table.rows


def test_one_that_is_broken_is_told_and_no_crash(packages: Packages) -> None:
    packages(gone="no_such_module:DOMAIN", odd="json:loads", power="tests.domains.other_field:DOMAIN")
    assert {"energy", "flows", "power", "words"} == {domain.name for domain in domains()}
    told = dict(registry.broken())
    assert "no_such_module" in told["gone"]
    assert "json:loads is no batchtui.catalog.Domain" in told["odd"]


def test_a_task_that_no_domain_does_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match='there is no task "count"; known are dc, ac'):
        ProgramWork(task="count", grid="words.txt")


def test_without_power_the_rest_starts_and_passes_its_tests(tmp_path: Path) -> None:
    for name in ("batchtui", "tests", "pyproject.toml", "README.md"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)
    shutil.rmtree(tmp_path / "batchtui/domains/power")
    env = os.environ | {"PYTHONPATH": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=env, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    assert python("-c", START).strip() == "['energy', 'flows']"
    (tmp_path / "b.toml").write_text(
        'backend = "local"\n[source]\nfile = "rows.json"\n[job]\ncommand = ["echo", "{{ a }}"]\n'
    )
    (tmp_path / "rows.json").write_text('[{"a": 1}, {"a": 2}]')
    python("-m", "batchtui", "run", "b.toml", "--trust", "--data-dir", str(tmp_path / "data"))
    rooms = [f"tests/{room}" for room in ROOMS]
    assert " passed" in python("-m", "pytest", "-n", "0", *rooms).splitlines()[-1]
