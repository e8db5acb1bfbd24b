"""The keys of `[source]` that belong to some forms of source only, and their ranges."""

from __future__ import annotations

from batchtui.model import SourceSpec
from batchtui.sources.faults import BadSource
from batchtui.text import cell

_TABLES = ("csv", "tsv")
_TEXTS = (*_TABLES, "json", "jsonl", "yaml")
_BELONG: dict[str, tuple[str, ...]] = {
    "rows": ("json",),
    "sheet": ("sheet",),
    "encoding": _TEXTS,
    "separator": _TABLES,
    "decimal": _TABLES,
}
_WORDS = {
    "csv": "CSV",
    "tsv": "TSV",
    "json": "a JSON document",
    "jsonl": "JSON Lines, where each line is a row",
    "yaml": "a scenario manifest",
    "scenarios": "a scenario manifest",
    "parquet": "Parquet",
    "sheet": "a spreadsheet",
    "folder": "a folder",
}
_SHORT = {"csv": "csv", "tsv": "tsv", "json": "JSON documents", "sheet": "spreadsheets"}


def check_settings(spec: SourceSpec, form: str) -> None:
    """Raises BadSource for a key that this form of source has no use for."""
    for key, forms in _BELONG.items():
        if getattr(spec, key) is not None and form not in forms:
            belongs = "texts" if forms is _TEXTS else " and ".join(_SHORT[one] for one in forms)
            message = f"belongs to {belongs}; {cell(spec.file)} is {_WORDS[form]}"
            raise BadSource(message, key=f"source.{key}")


def check_ranges(spec: SourceSpec) -> None:
    """Raises BadSource."""
    if spec.limit is not None and spec.limit < 1:
        raise BadSource(f"expected 1 or more, got {spec.limit}", key="source.limit")
    if spec.skip is not None and spec.skip < 0:
        raise BadSource(f"expected 0 or more rows, got {spec.skip}", key="source.skip")
    for key in ("rows", "sheet"):
        if getattr(spec, key) == "":
            raise BadSource("empty; name a place, or leave the key out", key=f"source.{key}")
