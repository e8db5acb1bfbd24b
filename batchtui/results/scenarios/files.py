"""A scenario's folder in a batch's output: its tables, and `result.json`, which says what they were made from.

    <output>/job_<safe id>/result.parquet, bus.parquet, …, result.json

`result.json` is written last, so that a folder without one, or with one that does not fit its tables, holds nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from batchtui.model import Json
from batchtui.results.scenarios.columns import Columns
from batchtui.results.scenarios.tables import put, write_tables

RESULT: Final = "result.json"
SUMMARY: Final = "summary"
MANIFEST: Final = "batch_manifest.json"
JOURNAL: Final = "jobs.jsonl"
_NAME_BYTES = 120
_CUT_ESCAPE = re.compile("%[0-9A-F]?$")


def folder_name(scenario: str) -> str:
    """`job_<id>`, everything outside `[A-Za-z0-9._-]` percent-encoded; a long one is cut and ends in its hash."""
    encoded = "job_" + quote(scenario, safe="", errors="surrogatepass").replace("~", "%7E")
    if len(encoded) > _NAME_BYTES:
        digest = hashlib.sha256(scenario.encode(errors="surrogatepass")).hexdigest()[:16]
        encoded = f"{_CUT_ESCAPE.sub('', encoded[: _NAME_BYTES - 17])}-{digest}"
    return encoded


def keep(folder: Path, result: dict[str, Json], tables: Mapping[str, Columns]) -> dict[str, str]:
    """Write the tables, then `result` with their sizes and hashes; the tables' file names. Raises OSError."""
    earlier = None
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError:
        earlier = read_result(folder)
        (folder / RESULT).unlink(missing_ok=True)
    files = write_tables(folder, tables)
    if earlier is not None:
        _remove(
            folder, {file["name"] for file in _files(earlier)} - {file["name"] for file in files.values()}
        )
    put(f"{folder}/{RESULT}", _text({**result, "files": files}))
    return {table: file["name"] for table, file in files.items()}


def keep_failure(folder: Path, result: dict[str, Json]) -> None:
    """Write the result of a scenario that has no tables; those of an earlier one are removed. Raises OSError."""
    earlier = read_result(folder)
    (folder / RESULT).unlink(missing_ok=True)
    _remove(folder, {file["name"] for file in _files(earlier)})
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / RESULT, _text({**result, "files": {}}))


def _remove(folder: Path, names: set[str]) -> None:
    """Delete tables that no result names any more, and their twins."""
    for name in names:
        for path in (folder / name, (folder / name).with_suffix(".csv")):
            with contextlib.suppress(OSError):
                path.unlink()


def read_result(folder: Path) -> dict[str, Json] | None:
    """What `result.json` holds; None where there is none that can be read."""
    try:
        with open(f"{folder}/{RESULT}", "rb", buffering=0) as file:
            found = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def standing(folder: Path, input_hash: str | None) -> dict[str, Json] | None:
    """The finished result of exactly these inputs, where all its tables are as they were written; else None."""
    result = read_result(folder)
    if result is None or input_hash is None or result.get("input_hash") != input_hash:
        return None
    if result.get("status") != "ok":
        return None
    files = list(_files(result))
    return result if files and all(_is_as_written(folder, file) for file in files) else None


def taken_over(folder: Path, earlier: Iterable[Path], input_hash: str | None) -> dict[str, Json] | None:
    """The finished result of these inputs from the first of the earlier places that has it, then in `folder` as well.

    Its files are linked where they can be, so that they lie on the disk once: whoever writes one anew replaces it.
    """
    for place in earlier if input_hash else ():
        there = place / folder.name
        result = read_result(there)
        if not result or result.get("status") != "ok" or result.get("input_hash") != input_hash:
            continue
        names = [file["name"] for file in _files(result)]
        twins = [Path(name).with_suffix(".csv").name for name in names if name.endswith(".jsonl")]
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / RESULT).unlink(missing_ok=True)
            for name in (*names, *twins, RESULT):
                _link(there / name, folder / name)
            if found := standing(folder, input_hash):
                return found
        _remove(folder, {*names, RESULT})
    return None


def _link(source: Path, target: Path) -> None:
    """Raises OSError."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def value_standing(result: dict[str, Json]) -> dict[str, Json]:
    """The solver's value, of a result that stands."""
    files = {table: file["name"] for table, file in result["files"].items()}
    return {"summary": result.get("summary") or {}, "files": files, "input_hash": result["input_hash"]}


def _files(result: dict[str, Json] | None) -> Iterable[dict[str, Json]]:
    """Its tables as `result.json` lists them; names that lead out of the folder are none of ours."""
    listed = result.get("files") if result else None
    for file in listed.values() if isinstance(listed, dict) else ():
        name = file.get("name") if isinstance(file, dict) else None
        if isinstance(name, str) and name == os.path.basename(name) and name not in ("", ".", ".."):
            yield file


def _is_as_written(folder: Path, file: dict[str, Json]) -> bool:
    try:
        data = (folder / file["name"]).read_bytes()
    except OSError:
        return False
    return len(data) == file.get("size") and hashlib.sha256(data).hexdigest() == file.get("sha256")


def _text(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
