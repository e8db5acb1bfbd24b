"""`[output] dir`: one JSON file a result as batchata writes them, when the batch has ended, for programs that read folders.

A list in the folder says which files are ours. Where a file of somebody else has the name of one that is to be written,
all go into a folder inside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from batchtui.engine.outputs.raw_files import raw_files
from batchtui.errors import BadInput
from batchtui.model import BatchSpec, JobState, Json, Result
from batchtui.results.export.file import json_text
from batchtui.results.scenarios.place import holds_scenarios, owner_of
from batchtui.store.disk.lines import replace_file
from batchtui.store.folder import BatchFolder

PER_FOLDER = 1000
NAME_BYTES = 120
MARK = ".batchtui.jsonl"
"""First line: whose folder it is; then the path of every file that was written there, one a line."""
_LONGEST_ENDING = len("_raw.json")
_WORDS = {
    "time_limit": "Time limit exceeded: batch execution time limit exceeded",
    "budget": "Cost limit exceeded",
}
"""What programs that read batchata's results look for."""


def output_dir(spec: BatchSpec, base: str | Path) -> Path:
    """Where `[output] dir` leads from the batch file's folder."""
    return Path(base, os.path.expanduser(spec.output.dir or ""))


def is_taken(target: Path) -> bool:
    """Whether results may meet files of somebody else there."""
    if not target.is_dir() or (target / MARK).is_file():
        return False
    return any(one.suffix == ".json" or one.name == "raw_files" for one in target.iterdir())


@dataclass
class Written:
    """`count` results are in `place`, inside the folder that was asked for where that holds files of the same names."""

    place: Path
    count: int
    files: list[str] = field(default_factory=list)


def is_unwritten(folder: BatchFolder) -> bool:
    """Whether all jobs have ended and the output is still to be written: it was cut off, or a fault was told."""
    progress, header = folder.progress, folder.header
    wanted = bool(header.spec.output.dir) or holds_scenarios(header)
    return wanted and not progress.live and (not progress.ended or ("output", None) in progress.attention)


def write_results(folder: BatchFolder, target: Path) -> Written:
    """Write `<job id>.json` for every job, in folders of 1,000 where there are more, and raw_files/ beside them.

    What an earlier run wrote there is replaced, nothing else is touched. Raises BadInput for ids that cannot be
    told apart as file names, before anything is written, and OSError.
    """
    names = _names(folder, target)
    if target.exists() and not target.is_dir():
        raise BadInput(f"{target}: is a file; name a folder")
    paths = [f"{_share(n, len(names))}{name}.json" for n, name in enumerate(names)]
    place = target / folder.id if _meets_others(target, paths) else target
    place.mkdir(parents=True, exist_ok=True)
    earlier = _files_of(place)
    _mark(place, folder, [*earlier, *paths])
    written = Written(place, len(names))
    for n, path in enumerate(paths):
        data = json_text(job_result(folder.result(n)), indent=2).encode()
        written.files.append(_put(place, path, data))
    if folder.header.spec.output.raw:
        for path, source in raw_files(folder, names, lambda n: _share(n, len(names))):
            written.files.append(_put(place, path, source))
    kept = set(written.files)
    for path in earlier:
        if path not in kept:
            _remove(place, path)
    _mark(place, folder, written.files)
    return written


def _names(folder: BatchFolder, target: Path) -> list[str]:
    names = [file_name(job_id) for job_id in folder.jobs.ids]
    taken: dict[str, str] = {}
    for job_id, name in zip(folder.jobs.ids, names, strict=True):
        other = taken.setdefault(name.casefold(), job_id)
        if other != job_id:
            raise BadInput(
                f'{target}: ids "{other}" and "{job_id}" would be one file name; use `export` instead'
            )
    return names


def _meets_others(target: Path, paths: list[str]) -> bool:
    """Whether one of these files is there already and is not ours, or the folder is one of tables of scenarios."""
    if not target.is_dir():
        return False
    if owner_of(target) or (not (target / MARK).is_file() and (target / "raw_files").exists()):
        return True
    ours = set(_files_of(target))
    return any(path not in ours and (target / path).exists() for path in paths)


def _share(n: int, total: int) -> str:
    """The folder of job `n`, with its slash; none in a small batch."""
    return f"{n // PER_FOLDER:04}/" if total > PER_FOLDER else ""


def _put(place: Path, path: str, data: bytes | Iterator[bytes]) -> str:
    target = place / path
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True)
    if isinstance(data, bytes):
        replace_file(target, data, durable=False)
        return path
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        file.writelines(data)
    part.replace(target)
    return path


def job_result(result: Result) -> dict[str, Json]:
    """A result in batchata's shape. A cost that is not known stays null; where nothing was used it is 0."""
    used = result.input_tokens is not None or result.output_tokens is not None
    return {
        "job_id": result.job_id,
        "raw_response": result.raw_response,
        "parsed_response": result.parsed_response,
        "citations": result.citations,
        "citation_mappings": result.citation_mappings,
        "input_tokens": result.input_tokens or 0,
        "output_tokens": result.output_tokens or 0,
        "cost_usd": result.cost_usd if result.cost_usd is not None or used else 0.0,
        "error": _error(result),
        "batch_id": result.batch_id,
    }


def _error(result: Result) -> str | None:
    if result.status is JobState.COMPLETED:
        return None
    if result.status is JobState.CANCELLED:
        return "Cancelled by user"
    return _WORDS.get(result.error_kind or "") or result.error or result.error_kind or result.status.value


def file_name(job_id: str) -> str:
    """The id percent-encoded, without an ending, never hidden, at most 120 bytes with any ending of ours."""
    encoded = quote(job_id, safe=" ()[]{}+,;=@!", errors="surrogatepass").replace("~", "%7E")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    most = NAME_BYTES - _LONGEST_ENDING
    if len(encoded) > most:
        digest = hashlib.sha256(job_id.encode(errors="surrogatepass")).hexdigest()[:16]
        encoded = f"{re.sub('%[0-9A-F]?$', '', encoded[: most - 17])}-{digest}"
    return encoded


# ---- what is ours in the folder


def _mark(place: Path, folder: BatchFolder, files: list[str]) -> None:
    lines = [json.dumps({"schema": 1, "file": "output", "batch": folder.id}), *map(json.dumps, files)]
    replace_file(place / MARK, "\n".join(lines).encode() + b"\n", durable=False)


def _files_of(place: Path) -> list[str]:
    """What an earlier run wrote there, as far as its list can be read."""
    found: list[str] = []
    with contextlib.suppress(OSError, ValueError):
        for line in (place / MARK).read_text("utf-8").splitlines()[1:]:
            path = json.loads(line)
            if isinstance(path, str) and not path.startswith("/") and ".." not in path.split("/"):
                found.append(path)
    return found


def _remove(place: Path, path: str) -> None:
    """One file of an earlier run, and its folder where that is empty now."""
    target = place / path
    with contextlib.suppress(OSError):
        target.unlink()
        while target.parent != place:
            target = target.parent
            target.rmdir()
