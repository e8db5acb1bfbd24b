"""`import batchtui` costs next to nothing, and brings nothing along."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
