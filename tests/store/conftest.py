"""Fixtures of the store's tests."""

from __future__ import annotations

import json

import pytest

from tests.store.store_help import HOSTILE


@pytest.fixture
def hostile() -> list[dict[str, str]]:
    """The hostile strings that stand for ids; `hex` is their UTF-8, lone halves passed through."""
    lines = (HOSTILE / "hostile-strings.jsonl").read_bytes().splitlines()
    cases = [json.loads(line) for line in lines]
    return [case for case in cases if case["category"] == "id-as-file-name"]
