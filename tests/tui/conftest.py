"""Sample data for the tests of the app."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.store.library import Library
from tests.tui.samples import sample_library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return sample_library(tmp_path / "data")


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of the day and drawing characters that do not depend on the machine."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "UTF-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
