"""What a `[backends.NAME]` table of kind `gat` and its jobs may say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from batchtui.backends.base import BackendSettings
from batchtui.work.job import ProgramWork

COMMANDS: dict[str, tuple[str, str]] = {
    "dc": ("pf", "dc"),
    "ac": ("pf", "ac"),
    "dcopf": ("opf", "dc"),
    "acopf": ("opf", "ac"),
}
"""Task → the command and mode of `gat batch` that does it."""
LINEAR = "linear (gat batch)"
"""What `gat batch` does of AC power flow and AC-OPF, whatever its mode says."""
LICENCE_NOTE = (
    "gat is a program of its own under a licence of its own (PolyForm Shield with further conditions); "
    "its use needs a licence that you hold, and nothing of it comes with batchtui"
)


class GatSettings(BackendSettings, kw_only=True):
    """The program, and what `gat batch` is handed; the files for optimal power flow are the same for every scenario."""

    binary: str | None = None
    """The gat program that you installed, by its full path."""
    chunk: int = 32
    """Scenarios of one call."""
    threads: int | Literal["auto"] = "auto"
    """Of gat."""
    solver: Literal["gauss", "faer", "default"] | None = None
    """Of gat's linear systems."""
    lp_solver: Literal["clarabel", "coin_cbc", "cbc", "highs"] | None = None
    """Of gat's optimal power flow."""
    cost_file: str | None = None
    """CSV `bus_id,marginal_cost`, for optimal power flow."""
    limits_file: str | None = None
    """CSV `bus_id,pmin,pmax,demand`, for optimal power flow."""
    branch_limits_file: str | None = None
    """CSV `branch_id,flow_limit`, for optimal power flow."""
    piecewise_file: str | None = None
    """CSV `bus_id,start,end,slope`, for optimal power flow."""
    tol: float | None = None
    """Of gat's iterations."""
    max_iter: int | None = None
    """Of gat's iterations."""

    def fault(self) -> tuple[str, str] | None:
        """The first key that cannot be used, with what is wrong and what to do."""
        if not self.binary:
            return "binary", 'is missing: name the gat program that you installed, as binary = "/opt/gat/gat"'
        if not os.path.isabs(expanded(self.binary)):
            return "binary", f'"{self.binary}" is not a full path (as /opt/gat/gat or ~/bin/gat)'
        if not 1 <= self.chunk <= 1000:
            return "chunk", f"expected 1 to 1000 scenarios, got {self.chunk}"
        if isinstance(self.threads, int) and not 1 <= self.threads <= 1024:
            return "threads", f'expected "auto" or 1 to 1024, got {self.threads}'
        for key, file in self.files().items():
            if not os.path.isabs(file):
                return key, f'"{file}" is not a full path'
        return None

    def files(self) -> dict[str, str]:
        """The CSV files that are named, by key, with `~` expanded."""
        named = {
            "cost_file": self.cost_file,
            "limits_file": self.limits_file,
            "branch_limits_file": self.branch_limits_file,
            "piecewise_file": self.piecewise_file,
        }
        return {key: expanded(file) for key, file in named.items() if file}


class GatWork(ProgramWork, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One scenario: a `task` on an Arrow grid folder, with what is changed of it before gat sees it.

    The keys are those of `task` work on `local`, without the choices that gat does not leave.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.form != "task":
            raise ValueError(
                f"{self.form}: kind gat does a task (dc, ac, dcopf, acopf); local does a {self.form}"
            )
        if self.task not in COMMANDS:
            raise ValueError(f"task: gat batch has no {self.task}; local and slurm do it")
        for key in ("dc_model", "slack"):
            if getattr(self, key) is not None:
                raise ValueError(f"{key}: gat leaves no choice of it; local and slurm do")

    @property
    def changes_grid(self) -> bool:
        return bool(self.loads or self.outages) or not (
            self.load_scale in (None, 1.0) and self.generation_scale in (None, 1.0)
        )


def expanded(path: str) -> str:
    return str(Path(path).expanduser())
