"""Fixtures of the cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.case_help import Case, copied


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Case]:
    """`case("chat-empty-answer")`: the case of that name, copied; another name: an empty folder for own inputs."""
    return lambda name: copied(name, tmp_path)
