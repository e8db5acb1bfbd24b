"""Kind `slurm` in the laboratory: a cluster on this machine, whose `sbatch` comes late and loses replies.

What was submitted is told by a ledger that this `sbatch` keeps, what ran by the programs themselves.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from batchtui.demo.server import DemoServer
from tests.cluster.clusters import PATH, Cluster, missing
from tests.crashes.programs import Command
from tests.crashes.shape import FILES, SENDING, Shape

MADE, UNHEARD = "made", "unheard"
_SBATCH = """#!{python} -IS
import os, random, subprocess, sys, time

trial = sys.argv[-1].rsplit("/", 3)[0]

def add(ledger):
    with open(os.path.join(trial, ledger), "a+") as file:
        file.write(sys.argv[-1] + "\\n")
        file.seek(0)
        return len(file.readlines())

number = add("asked")
chance = random.Random(os.path.basename(trial) + str(number))
time.sleep(chance.uniform(0, 0.15))
while number == 1 and {overtaken} and not os.path.exists(os.path.join(trial, {made!r})):
    time.sleep(0.1)
done = subprocess.run([{sbatch!r}, *sys.argv[1:]], capture_output=True, text=True)
if done.returncode == 0:
    add({made!r})
    if chance.random() < 0.14:
        add({unheard!r})
        sys.exit("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
sys.stderr.write(done.stderr)
sys.stdout.write(done.stdout)
sys.exit(done.returncode)
"""


@dataclass(frozen=True)
class OnSlurm(Command):
    """Programs in arrays, each submission a run folder of its own."""

    overtaken: bool = False
    """The first array of a batch comes only after another was made."""
    direct = False
    sends: ClassVar[tuple[str, ...]] = (
        *FILES,
        *(point for point in SENDING if point not in ("create.middle", "reply.before")),
        "underway.after",
    )
    comes = Shape.comes

    @property
    def lacks(self) -> str:
        return f"needs Slurm: no {', '.join(names)}" if (names := missing()) else ""

    def place(self, stack: ExitStack) -> dict[str, str]:
        cluster = Cluster()
        stack.callback(cluster.stop)
        programs = cluster.folder / "bin"
        programs.mkdir()
        script, really = programs / "sbatch", shutil.which("sbatch", path=PATH)
        words = {"python": sys.executable, "sbatch": really, "made": MADE, "unheard": UNHEARD}
        script.write_text(_SBATCH.format(**words, overtaken=self.overtaken))
        script.chmod(0o755)
        return {"PATH": f"{programs}:{PATH}", "SLURM_CONF": str(cluster.conf)}

    def prepare(self, folder: Path, server: DemoServer) -> Path:
        (folder / "config.toml").write_text(
            f'[backends.slurm]\nkind = "slurm"\nfolder = "{folder / "run-folders"}"\n'
            "lag = 2\nsettle = 3\npoll_interval = 0.3\nchunk = 2\n"
        )
        batch = folder / "batch.toml"
        limits = f"[limits]\njobs_per_submission = {self.each}\nsubmissions_at_once = 3\n"
        batch.write_text(f'name = "kills"\nbackend = "slurm"\n{self.rows(folder)}{self.text(folder)}{limits}')
        return batch

    def creates(self, folder: Path, server: DemoServer) -> int:
        return _lines(folder / MADE)

    def unheard(self, folder: Path, server: DemoServer) -> int:
        return _lines(folder / UNHEARD)


def _lines(ledger: Path) -> int:
    return len(ledger.read_text().splitlines()) if ledger.exists() else 0
