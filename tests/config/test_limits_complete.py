"""A limit stands in every table that speaks of limits: its range, its field in the editor, its argument from Python."""

from __future__ import annotations

import inspect

import pytest

from batchtui import Batch, limit_ranges
from batchtui.batchfile import check_limits
from batchtui.model import BatchSpec, LimitsSpec
from batchtui.tui.models.form_fields import LIMITS

NAMES = LimitsSpec.__struct_fields__
ARGUMENTS = {"jobs_per_submission": "items_per_batch", "submissions_at_once": "max_parallel_batches"}
"""What batchata called them stays their name from Python."""
METHODS = {"cost_usd": "add_cost_limit", "time": "add_time_limit"}
NO_FIELD = {"jobs_per_submission", "submissions_at_once"}
"""Those that the editor leaves to the batch file: few need them."""


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_has_a_range(name: str) -> None:
    text = name == "error_policy"
    limits = LimitsSpec(**{name: "sometimes" if text else -5})
    (problem,) = limit_ranges.limit_problems(limits, "x.toml")
    assert problem.key == f"limits.{name}"
    assert [one.key for one in check_limits(BatchSpec(limits=limits), "x.toml") if one.fatal] == [problem.key]


def test_the_editor_has_a_field_for_each_but_two() -> None:
    assert {field.key.removeprefix("limits.") for field in LIMITS} == set(NAMES) - NO_FIELD


@pytest.mark.parametrize("name", NAMES)
def test_python_takes_it(name: str) -> None:
    if name in METHODS:
        assert callable(getattr(Batch, METHODS[name]))
    else:
        assert ARGUMENTS.get(name, name) in inspect.signature(Batch.__init__).parameters


def test_each_says_what_it_is() -> None:
    source = inspect.getsource(LimitsSpec)
    assert [name for name in NAMES if f"    {name}: " not in source] == []
    assert source.count('"""') == 2 * (1 + len(NAMES))
