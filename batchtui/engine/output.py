"""`[output] dir`: one JSON file a result, written when the batch has ended, for programs that read folders."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import msgspec

from batchtui.errors import BadInput
from batchtui.store.folder import BatchFolder
from batchtui.store.lines import replace_file

PER_FOLDER = 1000
NAME_BYTES = 120


def output_dir(folder: BatchFolder) -> Path | None:
    """Where the batch wants its results, relative to its batch file's folder; None where it does not."""
    where = folder.header.spec.output.dir
    return Path(folder.header.base) / where if where else None


def write_results(folder: BatchFolder, target: Path) -> int:
    """Write `<job id>.json` for every job that has ended, in folders of 1,000 where there are more; how many.

    Raises BadInput for ids that cannot be told apart as file names, before anything is written, and OSError.
    """
    names = [file_name(job_id) for job_id in folder.jobs.ids]
    taken: dict[str, str] = {}
    for job_id, name in zip(folder.jobs.ids, names, strict=True):
        other = taken.setdefault(name.casefold(), job_id)
        if other != job_id:
            raise BadInput(
                f'{target}: ids "{other}" and "{job_id}" would be one file name; use `export` instead'
            )
    many = len(names) > PER_FOLDER
    for n, name in enumerate(names):
        place = target / f"{n // PER_FOLDER:04}" if many else target
        if n % PER_FOLDER == 0:
            place.mkdir(parents=True, exist_ok=True)
        result = msgspec.to_builtins(folder.result(n))
        result.pop("body")  # its own words are in raw/, and in `show --json`
        replace_file(place / name, json.dumps(result, indent=1).encode() + b"\n", durable=False)
    return len(names)


def file_name(job_id: str) -> str:
    """The id percent-encoded, at most 120 bytes, never hidden."""
    encoded = quote(job_id, safe=" ()[]{}+,;=@!", errors="surrogatepass").replace("~", "%7E")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) > NAME_BYTES:
        import hashlib

        digest = hashlib.sha256(job_id.encode(errors="surrogatepass")).hexdigest()[:16]
        encoded = f"{encoded[: NAME_BYTES - 17].rstrip('%')}-{digest}"
    return encoded + ".json"
