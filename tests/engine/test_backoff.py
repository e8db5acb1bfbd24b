"""How long a backend that failed is left alone."""

from __future__ import annotations

import random

import pytest

from batchtui.engine.shared import backoff


@pytest.mark.parametrize(("share", "waits"), [(1.0, [1, 2, 4, 8, 16, 32, 60, 60]), (0.5, [0.5, 1, 2, 4, 8])])
def test_waits_double_to_a_minute(monkeypatch: pytest.MonkeyPatch, share: float, waits: list[float]) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: share * most)
    assert [backoff.delay(fails) for fails in range(1, len(waits) + 1)] == waits


def test_it_is_never_shorter_than_was_asked_for() -> None:
    for fails in (1, 3, 50):
        assert all(7.5 <= backoff.delay(fails, 7.5) <= 7.5 * 1.1 for _ in range(50))
        assert all(0 < backoff.delay(fails) <= backoff.PAUSE_MOST for _ in range(50))


def test_a_wait_of_nothing_is_no_reason_to_ask_at_once() -> None:
    assert all(0.5 <= backoff.delay(1, 0) <= 1.0 for _ in range(50))
