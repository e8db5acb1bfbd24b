"""What a test needs beside the extra `test`: without it the test is skipped, and the reason says what to install."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest

MODULES = {
    "docs": ("pypdf",),
    "excel": ("python_calamine",),
    "pandapower": ("pandapower",),
    "parquet": ("pyarrow",),
    "power": ("lightsim2grid", "numpy", "pyarrow", "pypower", "scipy"),
}
"""By extra, what it brings; where one of them is missing, so is the extra."""


def has(extra: str) -> bool:
    return all(find_spec(module) for module in MODULES[extra])


def reason(extra: str) -> str:
    return f"needs the extra `{extra}`"


def needs(extra: str) -> pytest.MarkDecorator:
    """Marks a test, or as `pytestmark` a whole module, that makes no sense without it."""
    return pytest.mark.skipif(not has(extra), reason=reason(extra))


def require(extra: str) -> None:
    """The same from inside: a fixture, a helper, or a module before it imports what the extra brings."""
    if not has(extra):
        pytest.skip(reason(extra), allow_module_level=True)


def require_program(name: str, package: str = "") -> None:
    """A program of the system."""
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}: install the package {package or name}")
