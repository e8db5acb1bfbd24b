"""A real Slurm on loopback, started for one test and ended with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from batchtui.backends.base import DOING
from batchtui.store.folder import BatchFolder

SCRIPT = Path(__file__).parents[1] / "data" / "slurm" / "local-cluster"
PATH = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
NEEDED = ("slurmctld", "slurmd", "sbatch", "munged")


def missing() -> list[str]:
    """Programs of Slurm that are not installed."""
    return [name for name in NEEDED if shutil.which(name, path=PATH) is None]


def doing(folder: BatchFolder) -> str:
    """What the first submission is at, in words; empty before it was asked for."""
    record = folder.progress.submissions.get(1)
    return str(record.facts.get(DOING, "")) if record else ""


class Cluster:
    """Nodes n1, n2, … with 4 processors each; finished jobs are forgotten after `min_age` seconds."""

    def __init__(self, nodes: int = 4, *, min_age: int = 2) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bt-slurm-", dir="/tmp"))  # a short path, for sockets
        self.env = {
            **os.environ,
            "PATH": PATH,
            "SLURM_LOCAL_DIR": str(self.folder),
            "SLURM_LOCAL_MINAGE": str(min_age),
            "SLURM_LOCAL_TIMEOUT": "10",
            "SLURM_LOCAL_PORT": str(12000 + os.getpid() % 190 * 100),  # of its own, whoever else starts one
            # Slurm keeps a task of a lost node back for as long as its credential lives
            "SLURM_LOCAL_EXTRA": f"AuthInfo=socket={self.folder}/munge/munge.sock,cred_expire=5",
        }
        self.conf = self.folder / "etc" / "slurm.conf"
        try:
            self.run("start", str(nodes))
        except BaseException:
            self.stop()
            raise

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["bash", str(SCRIPT), *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        env = {**self.env, "SLURM_CONF": str(self.conf)}
        return subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=60, check=False
        ).stdout

    def stop(self) -> None:
        try:
            self.run("stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- the controller

    def kill_controller(self) -> None:
        pid = int((self.folder / "run" / "slurmctld.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def start_controller(self) -> None:
        """As the script does, so that its `stop` finds it."""
        with open(self.folder / "log" / "slurmctld.out", "ab") as log:
            process = subprocess.Popen(
                ["slurmctld", "-D"],
                env={**self.env, "SLURM_CONF": str(self.conf)},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        start = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
        (self.folder / "run" / "slurmctld.pid").write_text(f"{process.pid} {start}\n")

    # ---- what ran

    def submitted(self) -> Sequence[str]:
        """Names of all jobs that Slurm ran to their end, as its completion log has them."""
        log = self.folder / "log" / "jobcomp.txt"
        words = log.read_text().split() if log.exists() else []
        return [word.partition("=")[2] for word in words if word.startswith("Name=")]
