"""One terminal for every batch; from Python: `from batchtui import Batch`, whose docstrings are the manual.

Nothing is imported before it is used.
"""

__version__ = "0.1.0"

_API = ("Batch", "BatchRun", "BatchStatus", "Citation", "JobResult", "NeedsPerson")
_KINDS = (
    "Anthropic", "Buttermilk", "Chat", "Daly", "Gat", "Gemini", "Local", "Mistral", "OpenAI", "Rest", "Slurm", "Together",
)  # fmt: skip
_ERRORS = ("BadInput", "BatchtuiError", "ConfigError", "LimitHit", "NotFound", "StoreDamaged", "Unreachable")
__all__ = [*_API, *_KINDS, *_ERRORS, "__version__"]


def __getattr__(name: str) -> object:
    if name not in (*_API, *_KINDS, *_ERRORS):
        raise AttributeError(f"module 'batchtui' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module("batchtui.errors" if name in _ERRORS else "batchtui.api"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
