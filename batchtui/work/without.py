"""Packages that others import by the way, kept out of a process that has no need of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """While it lasts, these packages seem not to be installed, unless they are imported already.

    For processes of our own alone: what is imported meanwhile goes on without them.
    """

    class Hidden:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if name in names:
                raise ModuleNotFoundError(f"{name} is kept out of this process", name=name)

    sys.meta_path.insert(0, Hidden)
    try:
        yield
    finally:
        sys.meta_path.remove(Hidden)


def import_pyarrow() -> None:
    """Import pyarrow, if it is there, so that it never imports pandas only to see that a list is none of its series."""
    with without("pandas"), contextlib.suppress(ImportError):
        import pyarrow
        import pyarrow.parquet

        pyarrow.array([0.0])
