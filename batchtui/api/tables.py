"""The tables of a batch for pyarrow and pandas, which are imported when a table is asked for."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from batchtui.amounts import counted
from batchtui.errors import BadInput, nearest
from batchtui.model import ENDED_BATCH_STATES
from batchtui.results.scenarios.files import SUMMARY, folder_name
from batchtui.results.scenarios.place import holds_scenarios, lost, place_of
from batchtui.results.scenarios.tables import read_table, table_file
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

if TYPE_CHECKING:
    import pyarrow

RESULTS: Final = "results"
_WHOLE: Final = {
    "scenarios": "aggregated_results",
    "branches": "branches",
    "buses": "buses",
    "contingencies": "contingencies",
}
"""The tables of all scenarios, and their files under `summary/`."""
_OF_ONE: Final = {"branches": "branch", "buses": "bus", "contingencies": "contingency"}
NAMES: Final = (RESULTS, *_WHOLE)


def arrow_table(folder: BatchFolder, name: str, job: str | None) -> pyarrow.Table:
    """As `BatchRun.table` says."""
    if name not in NAMES:
        hint = nearest(str(name), NAMES) or f"; tables are {', '.join(NAMES)}"
        raise BadInput(f'no table "{cell(name, 60)}"{hint}')
    needed("pyarrow", "parquet")
    if name == RESULTS:
        return _results(folder, job)
    whose = f"batch {folder.id}"
    if not holds_scenarios(folder.header):
        raise BadInput(f'{whose} is not one of scenarios: it has no table "{name}", but "{RESULTS}"')
    number = None if job is None else folder.number(job)
    ended = folder.state() in ENDED_BATCH_STATES
    if number is None and not ended:
        have = "has" if folder.progress.live == 1 else "have"
        live = f"{folder.progress.live:,} of {counted(len(folder.jobs), 'scenario')} {have} not ended"
        raise BadInput(f'{whose}: {live}; `wait` first, or read the table of one that has with job="…"')
    place = place_of(folder)
    if place is None:
        raise BadInput(lost(folder) if ended else f"{whose}: no scenario has completed yet")
    if number is not None:
        where = place / folder_name(folder.jobs.ids[number])
        found = _read(where, _OF_ONE.get(name, ""))
        whose = f'scenario "{cell(job, 60)}" ({folder.columns().state(number).value})'
        there = [one for one, base in _OF_ONE.items() if table_file(where, base)]
    else:
        found = _read(place / SUMMARY, _WHOLE[name])
        there = [one for one, base in _WHOLE.items() if table_file(place / SUMMARY, base)]
    if found is None:
        raise BadInput(f'{whose} has no table "{name}"; it has {", ".join(there) or "none"}')
    return found


def needed(package: str, extra: str) -> None:
    """Raises BadInput, with what to install, where a package is not there."""
    try:
        importlib.import_module(package)
    except ImportError:
        raise BadInput(
            f"tables here need {package}, which is not installed: pip install 'batchtui[{extra}]'"
        ) from None


def _read(where: Path, base: str) -> pyarrow.Table | None:
    """The table of this name in the folder, in either form; None where it is not there. Raises BadInput."""
    import pyarrow
    import pyarrow.parquet

    path = table_file(where, base) if base else None
    if path is None:
        return None
    if path.suffix != ".parquet":
        from batchtui.results.scenarios.columns import arrow_table as as_arrow

        return as_arrow(read_table(where, base) or {})
    try:
        return pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as fault:
        raise BadInput(f"{path}: cannot be read ({fault})") from None


def _results(folder: BatchFolder, job: str | None) -> pyarrow.Table:
    """What `batchtui export` writes as Parquet."""
    import pyarrow.parquet

    from batchtui.results.export.file import export_batch

    with tempfile.TemporaryDirectory(prefix="batchtui-") as place:
        path = f"{place}/results.parquet"
        export_batch(folder, path, numbers=None if job is None else {folder.number(job)})
        return pyarrow.parquet.read_table(path)
