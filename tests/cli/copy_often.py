"""Copies, bundles and backups at moments drawn at random: nothing is paid twice, and all of it comes home.

Run: python -m tests.cli.copy_often [ROUNDS [SEED]]
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli, until
from tests.cli.copies_help import JOBS, begin, data_of, kill, over, paid, prepare, status_of
from tests.copying import copy_live

KINDS = ("openai", "mistral", "gemini", "together")
"""Whose lists tell what is of the batch; the others ask a person."""
WAYS = ("copy", "bundle", "put back")
THEN = ("killed at once", "killed later", "goes on to its end")


def one(folder: Path, chance: random.Random) -> str:
    """One batch that is taken somewhere else; what was done. Raises AssertionError where something is paid twice or lost."""
    kind, way, then = chance.choice(KINDS), chance.choice(WAYS), chance.choice(THEN)
    first, later = sorted((chance.randrange(0, JOBS, 10), chance.randrange(0, JOBS, 10)))
    told = f"{kind}: {way} with {first} sent, the original {then} ({later})"
    with DemoServer(faults="duration=400ms") as server:
        cli = Cli(folder)
        server.write_config(folder / "config.toml")
        prepare(cli, kind)
        process = begin(cli, 0)
        until(lambda: paid(server)[1] >= first)
        away = _taken(cli, way)
        if then == "goes on to its end":
            assert over(process) == 0, told
        else:
            if then == "killed later":
                until(lambda: paid(server)[1] >= later)
            kill(process)
        other = _opened(cli, way, away, chance)
        before = paid(server)
        cli("resume", "k", **other)
        assert paid(server) == before, f"{told}: a copy sent something by itself"
        if status_of(cli, **other)["follows"] and status_of(cli, **other)["completed"] < JOBS:
            ran = cli("resolve", "k", "take-over", **other)
            assert ran.code == 0 or "waits until" in ran.err, f"{told}: {ran.err}"
        ran = cli("resume", "k", **other)
        assert status_of(cli, **other)["completed"] == JOBS, f"{told}: not all came home: {ran.err}"
        assert paid(server) == (JOBS, JOBS), f"{told}: paid {paid(server)}"
    return told


def _taken(cli: Cli, way: str) -> Path:
    if way == "bundle":
        ran = cli("bundle", "k", "--out", "k.bundle")
        assert ran.code == 0, ran.err
        return cli.folder / "k.bundle"
    away = cli.folder / "away"
    copy_live(data_of(cli), away)
    return away


def _opened(cli: Cli, way: str, away: Path, chance: random.Random) -> dict[str, str]:
    """The other place, as variables. A backup is put back in the place of what it is of."""
    state = {"BATCHTUI_STATE_DIR": str(cli.folder / "there-state")} if chance.random() < 0.5 else {}
    if way == "put back":
        shutil.rmtree(data_of(cli))
        away.rename(data_of(cli))
        return state
    if way == "copy":
        return state | {"BATCHTUI_DATA_DIR": str(away)}
    there = state | {"BATCHTUI_DATA_DIR": str(cli.folder / "there")}
    ran = cli("import", str(away), **there)
    assert ran.code == 0, ran.err
    return there


def main(rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    print(f"seed {seed}")
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory(prefix="copy-often-") as folder:
            print(f"{number}: {one(Path(folder), chance)}", flush=True)
    print(f"{rounds} times: 0 paid twice, 0 lost")


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["10", "1"][len(sys.argv) - 1 :])[:2]))
