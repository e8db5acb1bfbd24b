"""Sample data for the tests of the app."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.backends.base import Probe
from batchtui.store.library import Library
from batchtui.tui.models import offered as models
from tests.tui.samples import sample_library

POWER = Path(__file__).parent.parent / "data" / "power"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return sample_library(tmp_path / "data")


async def _nobody_answers(*_: object) -> Probe:
    """The compose form asks backends for their models; not from a test."""
    return Probe(ok=False, message="not asked in tests")


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of the day and drawing characters that do not depend on the machine."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(models, "ask", _nobody_answers)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def case14(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a grid and its manifests, in which the app runs."""
    folder = tmp_path / "case14"
    shutil.copytree(POWER / "case14", folder)
    monkeypatch.chdir(folder)
    return folder
