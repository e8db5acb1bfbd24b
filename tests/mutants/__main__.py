"""Are the tests worth their name? `python -m tests.mutants [NAME…]` makes each fault of list.toml in a copy of the tree.

The tests that the list names for it must fail then, and pass without it. Exit 0: every fault was found; 1: one was
not; 2: the list no longer fits the source or the tests. By hand or once a week; the suite does not run it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("list.toml")
COPIED = ("batchtui", "tests", "pyproject.toml", "README.md")
PASSED, FAILED = 0, 1


class Mutant(msgspec.Struct, forbid_unknown_fields=True):
    """One edit. `why` says what breaks by it; `tests` are files, folders or single tests."""

    name: str
    file: str
    why: str
    old: str
    new: str
    tests: list[str]

    def misfit(self, tree: Path) -> str | None:
        """Why it cannot be tried on this source; None where it can."""
        if missing := [test for test in self.tests if not (tree / test.partition("::")[0]).exists()]:
            return f"{self.name}: there are no tests {', '.join(missing)}"
        path = tree / self.file
        times = path.read_text("utf-8").count(self.old) if path.exists() else 0
        if times == 1:
            return None
        return f"{self.name}: `old` stands {times} times in {self.file}; mend it in {LIST.relative_to(ROOT)}"


def mutants(names: Sequence[str]) -> list[Mutant]:
    """Those of these names, of the whole list without any. Ends the program for a name that is none."""
    known = msgspec.convert(tomllib.loads(LIST.read_text("utf-8"))["mutant"], list[Mutant])
    if unknown := set(names) - {one.name for one in known}:
        sys.exit(
            f"no such mutants: {', '.join(sorted(unknown))}; there are {', '.join(m.name for m in known)}"
        )
    return [one for one in known if not names or one.name in names]


def copy_to(tree: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree / name)


def run(tree: Path, tests: Sequence[str], *options: str) -> subprocess.CompletedProcess[str]:
    # Without byte code: an edit of the same length within the same second would be taken for the old file.
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("BATCHTUI_ALL_TESTS", None)
    command = [sys.executable, "-m", "pytest", "-x", *options, *tests]
    return subprocess.run(command, cwd=tree, env=env, text=True, capture_output=True, check=False)


def is_found(tree: Path, mutant: Mutant) -> bool:
    """Whether its tests fail with it. Ends the program where they cannot be run."""
    path = tree / mutant.file
    source = path.read_text("utf-8")
    path.write_text(source.replace(mutant.old, mutant.new), "utf-8")
    try:
        ran = run(tree, mutant.tests, "-n", "0")
    finally:
        path.write_text(source, "utf-8")
    if ran.returncode not in (PASSED, FAILED):
        print(ran.stdout, ran.stderr, sep="\n", file=sys.stderr)
        sys.exit(f"{mutant.name}: its tests could not be run")
    return ran.returncode == FAILED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="mutants of list.toml; all of them without any"
    )
    chosen = mutants(parser.parse_args().names)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        copy_to(tree)
        if misfits := [misfit for one in chosen if (misfit := one.misfit(tree))]:
            print(*misfits, sep="\n", file=sys.stderr)
            return 2
        whole = run(tree, sorted({test for one in chosen for test in one.tests}))
        if whole.returncode != PASSED:
            print(whole.stdout, "the tests fail without any mutant", sep="\n", file=sys.stderr)
            return 2
        survivors = 0
        for one in chosen:
            found = is_found(tree, one)
            survivors += not found
            print(f"{'killed  ' if found else 'SURVIVED'}  {one.name}: {one.why}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
