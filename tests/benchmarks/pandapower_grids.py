"""pandapower's nets: whether our power flow of each is pandapower's own, in every bus and branch, or refused with words.

Run: python -m tests.benchmarks.pandapower_grids [--python PATH] [--folder FOLDER] [NAME …]

The nets and pandapower's solutions of them (runpp, rundcpp) are made by `pandapower_nets` in an environment of its own:
PATH is a Python that has pandapower; without it one is made in a temporary folder, with the version that is installed
here (needs the index). With --folder they are kept there, and what is there already is taken. Our reader takes the
pandapower that is installed here. A row a net: the largest differences, ac then dc. A note counts where it says what
differs. Exit code 1 where a result is different without a word, or where we find none and pandapower does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from importlib import metadata
from pathlib import Path

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.readers import pandapower as reader
from batchtui.domains.power.tasks import solve_many
from batchtui.model import Json
from tests.benchmarks.pandapower_compare import difference

TOLD = {
    "dc": ("rundcpp leaves out", "where rundcpp does not look", "stands in the row of"),
    "ac": ("do not add up", "stands in the row of"),
}
"""Words of the notes that say what is otherwise than in pandapower's results; in ac, of injections and the slack alone."""
VAGUE = ("pandapower cannot", "pandapower ended", "pandapower took")
"""How a refusal begins that does not say what is missing: it does not count where pandapower has a solution."""
BAD = ("DIFFERENT", "NOT SOLVED")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pandapower_grids")
    parser.add_argument("--python", help="a Python with pandapower")
    parser.add_argument("--folder", type=Path, help="where the nets are kept")
    parser.add_argument("names", nargs="*", help="only these nets")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch, "nets")
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [name for name in given.names if not (folder / f"{name}.solved").exists()]
        if wanted or not given.names:
            python = given.python or _environment(Path(scratch, "environment"))
            code = Path(__file__).with_name("pandapower_nets.py")
            subprocess.run([python, str(code), str(folder), *wanted], check=True)
        reader.cache_folder = lambda: folder / "converted"
        files = sorted(folder.glob("*.solved"), key=lambda file: file.with_suffix(".json").stat().st_size)
        counts: Counter[tuple[str, str]] = Counter()
        for file in files:
            if not given.names or file.stem in given.names:
                counts.update(told(file))
    print()
    for task in ("ac", "dc"):
        sums = {outcome: count for (one, outcome), count in sorted(counts.items()) if one == task}
        print(f"{task}: {sum(sums.values())} nets, " + ", ".join(f"{n} {name}" for name, n in sums.items()))
    return 1 if not counts or any(outcome in BAD for _, outcome in counts) else 0


def _environment(place: Path) -> str:
    """A new environment with pandapower alone; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = str(place / "bin/python")
    wanted = f"pandapower=={metadata.version('pandapower')}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True)
    return python


def told(file: Path) -> list[tuple[str, str]]:
    """Print the row of a net; how each task ended."""
    reference = json.loads(file.read_text("utf-8"))
    ends = []
    for task in ("ac", "dc"):
        (found,) = solve_many([{"task": task, "grid": str(file.with_suffix(".json")), "folder": None}])
        outcome, words = judged(found, reference[task], task)
        ends.append((task, outcome))
        print(f"{file.stem:34} {task}  {outcome:11} {words}", flush=True)
    return ends


def judged(found: Json, reference: dict[str, Json], task: str) -> tuple[str, str]:
    """How our result stands to pandapower's, in a word, and what there is to say."""
    error = reference.get("error")
    if isinstance(found, Fault):
        if found.kind == "bad_input" and (error or not found.message.startswith(VAGUE)):
            return "refused", found.message
        return ("neither", f"{found.kind}; {error}") if error else ("NOT SOLVED", str(found))
    if isinstance(found, Exception):
        return "NOT SOLVED", f"{type(found).__name__}: {found}"
    if error:
        return "only ours", error
    apart = difference(found, reference, dc=task == "dc")
    if apart.is_equal:
        return "equal", str(apart)
    notes = found["summary"].get("notes", [])
    said = [note for note in notes if any(words in note for words in TOLD[task])]
    if said and (task == "dc" or apart.without("p_mw", "q_mvar", "slack").is_equal):
        return "told", f"{apart}; {said[0]}"
    return "DIFFERENT", str(apart)


if __name__ == "__main__":
    raise SystemExit(main())
