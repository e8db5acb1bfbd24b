"""Fixtures of the promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crashes.laboratory import Laboratory, laboratory


@pytest.fixture
def room() -> Iterator[Laboratory]:
    """A crash laboratory."""
    pytest.importorskip("uvicorn", reason="needs the extra `demo`")
    with laboratory() as made:
        yield made
