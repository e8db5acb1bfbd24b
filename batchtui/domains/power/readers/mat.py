"""MATPOWER cases in MATLAB's `.mat` files, by scipy (extra `power`): a struct `mpc`, or the only one there is."""

from __future__ import annotations

from pathlib import Path

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case, checked, notes_of, shown
from batchtui.model import Json


def read_mat(path: str | Path) -> Case:
    """The case in the file. Raises Fault (bad_input, or missing_extra without scipy)."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise Fault(
            "missing_extra", "a .mat file needs scipy; install it with `pip install 'batchtui[power]'`", path
        ) from None
    try:
        found: dict[str, Json] = loadmat(path, struct_as_record=False, squeeze_me=True)
    except NotImplementedError:
        raise Fault("bad_input", "is of MATLAB 7.3; save it with `save -v7`, or as .m", path) from None
    except Exception as fault:  # whatever scipy makes of a file that is cut or no such file
        raise Fault("bad_input", f"cannot be read as a .mat file ({shown(str(fault))})", path) from None
    names = [name for name in found if not name.startswith("__")]
    struct = found.get("mpc") or (found[names[0]] if len(names) == 1 else None)
    if struct is None or not hasattr(struct, "bus") or not hasattr(struct, "baseMVA"):
        raise Fault("bad_input", "holds no struct `mpc` with bus, gen, branch and baseMVA", path)
    try:
        base = float(struct.baseMVA)
        tables = {name: _rows(getattr(struct, name, ())) for name in ("bus", "gen", "branch")}
    except (TypeError, ValueError) as fault:
        raise Fault("bad_input", f"has a table that is no matrix ({shown(str(fault))})", path) from None
    cost_fault: Fault | None = None
    try:
        tables["gencost"] = _rows(getattr(struct, "gencost", ()))
    except (TypeError, ValueError) as fault:
        cost_fault = Fault("bad_input", f"gencost is no matrix ({shown(str(fault))})", path)
    case = checked(tables, base, path, cost_fault=cost_fault)
    case.notes += notes_of(name for name, field in vars(struct).items() if getattr(field, "size", 1))
    return case


def _rows(matrix: Json) -> list[list[float]]:
    import numpy

    found = numpy.asarray(matrix, dtype=float)
    if found.size == 0:
        return []
    if found.ndim > 2:
        raise ValueError(f"{found.ndim} dimensions")
    rows: list[list[float]] = numpy.atleast_2d(found).tolist()  # of a single row, scipy makes a vector
    return rows
