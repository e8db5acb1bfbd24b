"""Every hostile case by the command line and by the app: `python -m tests.hostile [PART …]`.

Prints a line for each case that does not hold, and at the end a table: by part, how many cases there are, how many hold
each way, and how many of them are judged otherwise than the corpus asks, with the reason in decided.toml.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.hostile.app import look
from tests.hostile.command_line import needs_power, play
from tests.hostile.corpus import CASES, Case
from tests.hostile.place import Place

Way = Callable[[Case, Place], None]
WAYS: dict[str, Way] = {"command line": play, "app": lambda case, place: asyncio.run(look(case, place))}


def holds(case: Case, way: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            WAYS[way](case, Place.at(Path(folder)))
        except Exception as fault:
            print(f"{case.id} by the {way}: {type(fault).__name__}: {str(fault)[:600]}", flush=True)
            return False
    return True


def main(parts: list[str]) -> int:
    held: Counter[tuple[str, str]] = Counter()
    cases = [case for case in CASES if not parts or case.part in parts]
    begun = time.monotonic()
    for case in cases:
        if needs_power(case):
            print(f"{case.id}: needs the extra `power`")
            continue
        held.update((case.part, way) for way in WAYS if holds(case, way))
    print(f"{'part':<16}{'cases':>6}{'command line':>14}{'app':>6}{'decided':>9}")
    for part in dict.fromkeys(case.part for case in cases):
        own = [case for case in cases if case.part == part]
        decided = sum(case.reason is not None for case in own)
        print(f"{part:<16}{len(own):>6}{held[part, 'command line']:>14}{held[part, 'app']:>6}{decided:>9}")
    print(f"{time.monotonic() - begun:.0f} s")
    return (
        0
        if all(held[case.part, way] for case in cases for way in WAYS)
        and sum(held.values()) == 2 * len(cases)
        else 1
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
