"""A small file in which a script remembers the batch that it made, so that it does not make it twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from batchtui.api.engines import Home
from batchtui.errors import BadInput, NotFound
from batchtui.text import cell


@dataclass(frozen=True, slots=True)
class StateFile:
    """`reuse` off begins anew whatever the file says."""

    path: Path
    reuse: bool = True

    def note(self, batch_id: str, name: str) -> None:
        """Written before the batch is made, which a crash in between leaves unmade."""
        from batchtui.store.disk.lines import replace_file

        text = json.dumps({"file": "batchtui state", "batch": batch_id, "name": name})
        replace_file(self.path.absolute(), text.encode() + b"\n")

    def found(self, home: Home, job_ids: list[str]) -> str | None:
        """The id of the batch of these jobs; None where there is none. Raises BadInput where it has other jobs."""
        if not (self.reuse and self.path.exists()):
            return None
        shown = cell(self.path)
        try:
            noted = json.loads(self.path.read_bytes())
        except (OSError, ValueError) as fault:
            raise BadInput(f"{shown}: cannot be read ({fault}); remove it to begin anew") from None
        if not isinstance(noted, dict) or not isinstance(noted.get("batch"), str):
            raise BadInput(
                f"{shown}: was not written by batchtui; `batchtui import` reads a state file of batchata"
            )
        try:
            folder = home.library.open(noted["batch"])
        except NotFound:
            return None  # it was never made, or was removed
        if ([seed.id for seed in folder.header.seeds] or folder.jobs.ids) != job_ids:
            raise BadInput(
                f"{shown}: batch {folder.id} has other jobs than these; "
                "name another file, or set_state(…, reuse_state=False) to begin anew"
            )
        return folder.id
