"""One terminal for every batch; from Python: `from batchtui import Batch`, whose docstrings are the manual.

Nothing is imported before it is used.
"""

__version__ = "0.1.0"

_API = ("Batch", "BatchRun", "JobResult", "NeedsPerson")
_ERRORS = ("BadInput", "BatchtuiError", "ConfigError", "LimitHit", "NotFound", "StoreDamaged", "Unreachable")
__all__ = [*_API, *_ERRORS, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _API and name not in _ERRORS:
        raise AttributeError(f"module 'batchtui' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module("batchtui.api" if name in _API else "batchtui.errors"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
