"""How much of a promise's figure a test runs: a part within the suite, the whole by `python -m tests.promises`."""

from __future__ import annotations

import os

import pytest

VARIABLE = "BATCHTUI_WHOLE"


def figure(part: int, whole: int) -> int:
    """`whole` where the whole was asked for, else `part`, which a run of the suite has time for."""
    return whole if os.environ.get(VARIABLE) else part


in_the_laboratory = pytest.mark.skipif(
    not (os.environ.get(VARIABLE) or os.environ.get("BATCHTUI_ALL_TESTS")),
    reason="takes minutes with others of its sort: BATCHTUI_ALL_TESTS=1 runs it",
)
