"""A stand-in for the `gat` program, ours from the first line to the last: it answers in gat's manner, quirks and all.

Exit code 0 whatever failed, batch_manifest.json only at the very end, result folders with a colon, grids looked up from
the working directory, AC and OPF that are linear. A file `quirk` in a grid folder asks for a fault: hang, panic, crash,
singular, violated, untabled, odd, disk. Every call is noted in `calls.jsonl` beside the program.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

NEEDED = ("scenario_id", "grid_file", "time_slices", "load_scale", "renewable_scale", "weight")
WORDS = {
    "singular": "building branch flow table for DC power flow",
    "violated": "branch limits violated by 2 element(s): 3, 7",
    "odd": "the moon is full",
    "disk": "writing Parquet file out/result.parquet",
}


class JobError(Exception):
    pass


def main() -> int:
    program = Path(os.environ["GAT_STAND_IN"])
    with (program.parent / "calls.jsonl").open("a") as log:
        log.write(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "pid": os.getpid()}) + "\n")
    if sys.argv[1:] == ["--version"]:
        print((program.parent / "version").read_text(), end="")
        return 0
    given = arguments()
    try:
        batch(given)
    except (OSError, ValueError, KeyError) as fault:
        print(f"ERROR gat: {fault}", file=sys.stderr)  # and yet the exit code is 0
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gat")  # a wrong flag is the one thing with an exit code: 2
    commands = (
        parser.add_subparsers(dest="group", required=True)
        .add_parser("batch")
        .add_subparsers(dest="command", required=True)
    )
    for name in ("pf", "opf"):
        command = commands.add_parser(name)
        command.add_argument("--manifest", required=True)
        command.add_argument("-o", "--out", required=True)
        command.add_argument("--mode", choices=("dc", "ac"), default="dc")
        command.add_argument("--solver", default="gauss")
        command.add_argument("-t", "--threads", default="auto")
        command.add_argument("--max-jobs", type=int, default=0)
        command.add_argument("--out-partitions")
        command.add_argument("--tol", type=float, default=1e-6)
        command.add_argument("--max-iter", type=int, default=50)
        if name == "opf":
            command.add_argument("--lp-solver", default="clarabel")
            for option in ("--cost", "--limits", "--branch-limits", "--piecewise"):
                command.add_argument(option)
    return parser.parse_args()


def batch(given: argparse.Namespace) -> None:
    if given.solver.lower() not in ("gauss", "faer", "default"):
        raise ValueError(f"unknown solver {given.solver}")
    artifacts = json.loads(Path(given.manifest).read_text())
    if not isinstance(artifacts, list) or not artifacts:
        raise ValueError("invalid type: map, expected a sequence")
    for artifact in artifacts:
        for key in NEEDED:
            if key not in artifact:
                raise ValueError(f"missing field `{key}`")
    if (given.command, given.mode) == ("opf", "dc") and not (given.cost and given.limits):
        raise ValueError("cost and limits files are required for DC OPF")
    task, out = f"{given.command}-{given.mode}", Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(given.max_jobs or None) as pool:
        jobs = list(pool.map(lambda artifact: job(task, artifact, out), artifacts))
    failed = sum(one["status"] == "error" for one in jobs)
    manifest = {
        "created_at": datetime.now(UTC).isoformat(),
        "task": task,
        "num_jobs": len(jobs),
        "success": len(jobs) - failed,
        "failure": failed,
        "jobs": jobs,
        "stats": {"avg_iterations": None, "convergence_rate": None},
    }
    (out.parent / "run.json").write_text("{}")
    (out / "batch_manifest.json").write_text(json.dumps(manifest))


def job(task: str, artifact: dict, out: Path) -> dict:
    begun, error = time.perf_counter(), None
    name = f"{task}:{artifact['scenario_id']}"
    try:
        solve(Path(artifact["grid_file"]), out / name, task)
        print(f"solved {name}", flush=True)
    except JobError as fault:
        error = str(fault)
    return {
        "job_id": name,
        "scenario_id": artifact["scenario_id"],
        "time": next(iter(artifact["time_slices"]), None),
        "status": "error" if error else "ok",
        "error": error,
        "output": str(out / name / "result.parquet"),
        "duration_ms": (time.perf_counter() - begun) * 1000,
        "iterations": None,
        "converged": None,
    }


def solve(grid: Path, folder: Path, task: str) -> None:
    import pyarrow
    import pyarrow.ipc
    import pyarrow.parquet

    if not grid.is_dir():
        raise JobError(f"Arrow network directory not found or is not a directory: {grid}")
    if not (grid / "manifest.json").is_file():
        raise JobError(f"manifest.json not found in {grid}")
    listed = json.loads((grid / "manifest.json").read_text())
    if listed["schema_version"].split(".")[0] > "2":
        raise JobError("checking schema compatibility")
    for table, facts in listed["tables"].items():
        if hashlib.sha256((grid / f"{table}.arrow").read_bytes()).hexdigest() != facts["sha256"]:
            raise JobError("validating file checksums")
    quirk = (grid / "quirk").read_text().strip() if (grid / "quirk").exists() else ""
    if quirk == "hang":
        time.sleep(3600)
    elif quirk == "panic":
        print("thread 'main' panicked at src/lib.rs: index out of bounds", file=sys.stderr, flush=True)
        os._exit(101)
    elif quirk == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif quirk == "wait":
        while not (grid / "go").exists():
            time.sleep(0.01)
    elif quirk in WORDS:
        raise JobError(WORDS[quirk])

    tables = {
        name: pyarrow.ipc.open_file(str(grid / f"{name}.arrow")).read_all().to_pylist()
        for name in ("buses", "generators", "loads", "branches")
    }
    rows = flows(tables)
    staged = folder / task
    staged.mkdir(parents=True)
    types = {"branch_id": "int64", "from_bus": "int64", "to_bus": "int64", "flow_mw": "float64"}
    schema = pyarrow.schema([(name, getattr(pyarrow, type_)()) for name, type_ in types.items()])
    if quirk != "untabled":
        table = pyarrow.Table.from_pylist(rows, schema=schema)
        for place in (staged, folder):
            pyarrow.parquet.write_table(table, place / "result.parquet")


def flows(tables: dict) -> list[dict]:
    """The textbook DC power flow, the first bus as the reference, by elimination."""
    place = {bus["id"]: n for n, bus in enumerate(tables["buses"])}
    size = len(place)
    matrix = [[0.0] * size + [0.0] for _ in range(size)]
    for unit in tables["generators"]:
        matrix[place[unit["bus"]]][size] += (unit["active_power_mw"] or 0.0) * unit["status"]
    for load in tables["loads"]:
        matrix[place[load["bus"]]][size] -= load["active_power_mw"] * load["status"]
    live = [branch for branch in tables["branches"] if branch["status"]]
    for branch in live:
        b = 100.0 / (branch["reactance_pu"] * branch["tap_ratio"])
        i, k = place[branch["from_bus"]], place[branch["to_bus"]]
        matrix[i][i] += b
        matrix[k][k] += b
        matrix[i][k] -= b
        matrix[k][i] -= b
    matrix[0] = [1.0] + [0.0] * size
    angle = eliminate(matrix)
    return [
        {
            "branch_id": branch["id"],
            "from_bus": branch["from_bus"],
            "to_bus": branch["to_bus"],
            "flow_mw": 100.0
            / (branch["reactance_pu"] * branch["tap_ratio"])
            * (angle[place[branch["from_bus"]]] - angle[place[branch["to_bus"]]]),
        }
        for branch in live
    ]


def eliminate(rows: list[list[float]]) -> list[float]:
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda n: abs(rows[n][column]))
        if abs(rows[pivot][column]) < 1e-9:
            raise JobError(WORDS["singular"])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for n in range(size):
            if n != column and rows[n][column]:
                share = rows[n][column] / rows[column][column]
                rows[n] = [a - share * b for a, b in zip(rows[n], rows[column], strict=True)]
    return [rows[n][size] / rows[n][n] for n in range(size)]


if __name__ == "__main__":
    sys.exit(main())
