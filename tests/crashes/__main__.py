"""More kills than a test run has time for. Run: python -m tests.crashes --kills 1000 [--seed S] [--kind K …] [-j N]

Prints a line a kind and exits 1 where anything was submitted twice, lost, doubled, damaged or came to something else
than in an unbroken run. `--named` kills once at every named point instead, of repairs too; `repair` is a kind of its
own, killed while it mends. `slurm` starts a cluster on this machine. The same seed draws the same kills.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.crashes.laboratory import heading, laboratory, line, small
from tests.crashes.repairs import DAMAGES, POINTS, killed_repairs
from tests.crashes.shapes import REMOTE, SHAPES
from tests.crashes.trial import Verdict

KINDS = (*SHAPES, "repair")
REPAIRS = 4
"""Steps at which a repair is killed for each damage, beside the named ones."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="over all kinds together")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--kind", action="append", choices=KINDS, help="these only; default: all")
    parser.add_argument("--named", action="store_true", help="once at every named point")
    parser.add_argument("-j", type=int, default=1, metavar="N", help="kinds at a time")
    given = parser.parse_args()
    lacking = {name: shape.lacks for name, shape in SHAPES.items() if shape.lacks}
    kinds = given.kind or [name for name in KINDS if name not in lacking]
    for name in lacking:
        print(f"{name} {lacking[name]}", file=sys.stderr)
    share, more = divmod(given.kills, len(kinds))
    print(f"seed {given.seed}\n{heading()}", flush=True)
    begin, total = time.monotonic(), Verdict()
    with ThreadPoolExecutor(given.j) as threads:
        jobs = [
            threads.submit(partial(_one, name, 0 if given.named else share + (n < more), given.seed))
            for n, name in enumerate(kinds)
        ]
        for name, job in zip(kinds, jobs, strict=True):
            found = job.result()
            total.add(found)
            print(line(name, found), flush=True)
            for words in found.faults:
                print(f"  {words}", flush=True)
    print(f"{line('all', total)}\n{time.monotonic() - begin:.0f} s, {len(total.faults)} faults", flush=True)
    return 1 if total.faults else 0


def _one(name: str, kills: int, seed: str) -> Verdict:
    """At random; with no kills asked for, at its named points, of its repair too where that asks the other side."""
    with laboratory() as room:
        try:
            if name == "repair":
                return killed_repairs(room, seed, most=_steps(kills))
            if kills:
                return room.randomly(SHAPES[name], kills, seed)
            verdict = room.named(small(SHAPES[name]))
            if name in REMOTE:
                verdict.add(killed_repairs(room, seed, SHAPES[name], most=REPAIRS))
            return verdict
        except Exception as fault:  # of the laboratory, such as a process that hangs
            return Verdict(faults=[f"{name}, seed {seed}: {type(fault).__name__}: {fault}"])


def _steps(kills: int) -> int | None:
    """At how many steps each damage's repair is killed, beside the named points; None: at all of them."""
    return max(0, min(39, -(-kills // len(DAMAGES)) - len(POINTS))) if kills else None


if __name__ == "__main__":
    sys.exit(main())
