"""Patterns that may take for ever are told before the first answer comes."""

from __future__ import annotations

import pytest

from batchtui.results.judging.slow_patterns import slow_patterns


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "(a*)*", r"(?:\d+\s*)+x", "([a-z]+)*", r"(?P<n>\w+)+", "(a?b+)*"]
)
def test_slow(pattern: str) -> None:
    schema = {"properties": {"a": {"items": [{"pattern": pattern}]}}}
    assert list(slow_patterns(schema)) == ["$.properties.a.items[0].pattern"]


@pytest.mark.parametrize("pattern", [r"^(\w+,)*$", r"\d{4}-\d\d", "(ab)+", "(a|b)*", "(a+)?", r"\(a+\)+"])
def test_quick(pattern: str) -> None:
    assert not list(slow_patterns({"pattern": pattern}))
    assert not list(slow_patterns({"properties": {"pattern": {"type": "string"}}}))
