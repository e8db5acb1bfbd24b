"""Batches whose jobs are programs, calls and scenarios on this machine; they say themselves that they ran."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.backends import gat_help
from tests.crashes.shape import RESULTS, Shape


class Direct(Shape):
    direct = True
    comes = RESULTS


class Command(Direct):
    sends = ()

    def prepare(self, folder: Path, server: DemoServer) -> Path:
        (folder / "config.toml").write_text("")
        batch = folder / "batch.toml"
        limits = "[limits]\nconcurrency = 4\n"
        batch.write_text(f'name = "kills"\nbackend = "local"\n{self.rows(folder)}{self.text(folder)}{limits}')
        return batch

    def text(self, folder: Path) -> str:
        """A second process of a job whose first one lives ends with 99."""
        script = f"echo {{{{ id }}}} >> '{folder / 'runs'}'; sleep 0.02; echo done"
        if shutil.which("flock"):
            script = f"exec 9> '{folder}/{{{{ id }}}}.lock'; flock -n 9 || exit 99; {script}"
        return f'[job]\ncommand = ["sh", "-c", {json.dumps(script)}]\n'

    def done(self, folder: Path, server: DemoServer) -> Counter[str]:
        runs = folder / "runs"
        return Counter(runs.read_text().split() if runs.exists() else ())


class Call(Command):
    def text(self, folder: Path) -> str:
        given = {"name": "{{ id }}", "runs": str(folder / "runs")}
        arguments = ", ".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
        return (
            f'[job]\ncall = "work:note"\npython_path = ["{Path(__file__).parent}"]\n'
            f"arguments = {{ {arguments} }}\n"
        )


class Gat(Command):
    """Scenarios in chunks, each a run of the stand-in."""

    extra = "power"

    def prepare(self, folder: Path, server: DemoServer) -> Path:
        program = gat_help.stand_in(folder / "bin")
        gat_help.grid(folder / "grid")
        batch = super().prepare(folder, server)
        (folder / "config.toml").write_text(
            f'[backends.local]\nkind = "gat"\nbinary = "{program}"\nchunk = {self.each}\n'
        )
        return batch

    def text(self, folder: Path) -> str:
        return f'[job]\ntask = "dc"\ngrid = "{folder / "grid"}"\n'

    def done(self, folder: Path, server: DemoServer) -> Counter[str]:
        """By chunks: which scenarios were in it the stand-in does not write down."""
        again = len(gat_help.calls(folder / "bin" / "gat")) - -(-self.jobs // self.each)
        return Counter(self.ids) + Counter({self.ids[0]: max(0, again)})

    def answer(self, raw: str | None, output: Json) -> Json:
        return None
