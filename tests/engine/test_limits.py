"""The limits that a batch runs under: its own, its backend's where it names none, and never above a provider's."""

from __future__ import annotations

import pytest

from batchtui.backends.base import KindLimits
from batchtui.engine.shared.limits import effective
from batchtui.model import LimitsSpec


@pytest.mark.parametrize(
    ("own", "kind", "sent"), [(None, 100, 100), (7, 100, 7), (100, 100, 100), (101, 100, 100), (50_000, 1, 1)]
)
def test_jobs_in_a_submission_never_pass_what_the_provider_takes(
    own: int | None, kind: int, sent: int
) -> None:
    limits = LimitsSpec(jobs_per_submission=own)
    assert effective(limits, KindLimits(jobs_per_submission=kind)).jobs_per_submission == sent
