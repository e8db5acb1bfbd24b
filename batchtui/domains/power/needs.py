"""Which libraries a task on a grid takes where it is solved, told without importing any of them."""

from __future__ import annotations

import json
import os
from typing import Final

from batchtui.domains.power.extras import modules_of
from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import dialect_of, read_plain_case, read_text

_BY_DIALECT: Final = {"pandapower": ("pandapower",), "pgm": ("power_grid_model",)}


def libraries_of(task: str, grid: str) -> tuple[str, ...]:
    """Names of modules. A grid that cannot be read needs none: it is told for itself."""
    try:
        if read_plain_case(grid) is not None:
            return modules_of(task)
        if os.path.isdir(grid):
            return (*modules_of(task), "pyarrow")
        if grid.lower().endswith(".mat"):
            return tuple(dict.fromkeys((*modules_of(task), "scipy")))
        dialect = dialect_of(json.loads(read_text(grid)))
    except (Fault, ValueError):
        return ()
    return (
        ("numpy", *_BY_DIALECT[dialect])
        if dialect == "pgm"
        else (*modules_of(task), *_BY_DIALECT.get(dialect, ()))
    )
