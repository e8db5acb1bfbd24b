"""`import batchtui` costs next to nothing, and brings nothing along."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import batchtui

HEAVY = ("textual", "rich", "httpx", "asyncio", "jinja2", "jsonschema", "msgspec", "pydantic")


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import batchtui", ()),
        ("import batchtui; batchtui.__version__; dir(batchtui)", ()),
        ("from batchtui import BadInput", ()),
        ("from batchtui import Batch; Batch('x', data_dir='/nowhere', config='/nowhere')", ("msgspec",)),
    ],
)
def test_nothing_is_imported_until_used(statement: str, allowed: tuple[str, ...]) -> None:
    look = f"{statement}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert set(eval(done.stdout)) <= set(allowed)


def test_the_stub_names_what_there_is() -> None:
    stub = Path(batchtui.__file__).with_suffix(".pyi").read_text("utf-8")
    named = re.findall(r"import (\w+) as \1$", stub, re.MULTILINE) + re.findall(
        r"^(__\w+__):", stub, re.MULTILINE
    )
    assert sorted(named) == sorted(batchtui.__all__)
