"""Slurm's commands as one small program, for what a real cluster does too seldom: it runs elements as they are submitted.

`fate.json` in its folder says what becomes of elements instead: `{"1": {"0": "NODE_FAIL"}}`, by array and element;
with `ran:RUNNING` they run, and Slurm says that state all the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.engine.bench import until

COMMANDS = ("sbatch", "squeue", "scontrol", "sinfo", "scancel", "sacct", "sacctmgr")
_PROGRAM = """#!{python}
import json, os, pathlib, subprocess, sys
place, program, given = pathlib.Path({place!r}), os.path.basename(sys.argv[0]), sys.argv[1:]
said = place / f"{{program}}.say"
if said.exists():
    code, words = said.read_text().split("|", 1)
    sys.exit(int(code) if not sys.stderr.write(words) else int(code))
answer = place / f"{{program}}.answer"
if answer.exists():
    print(answer.read_text())
    sys.exit(0)
queue = place / "queue"
lines = queue.read_text().splitlines() if queue.exists() else []
if program == "scontrol":
    print("AccountingStorageType = (null)\\nClusterName = stand\\nMaxArraySize = 1001\\nSLURM_VERSION = 23.11.4")
elif program == "sinfo":
    print("debug*|infinite")
elif program == "squeue":
    names = given[given.index("-n") + 1].split(",") if "-n" in given else []
    print("\\n".join(line for line in lines if not names or line.split("|")[0] in names))
elif program == "sbatch":
    sent = place / "sent.jsonl"
    with sent.open("a") as file:
        file.write(json.dumps(given) + "\\n")
    array = str(len(sent.read_text().splitlines()))
    options = dict(option.lstrip("-").split("=", 1) for option in given if "=" in option)
    fates = json.loads((place / "fate.json").read_text()).get(array, {{}})
    last = int(options["array"].partition("%")[0].split("-")[1])
    for element in range(last + 1):
        state = fates.get(str(element))
        if state is None or state.startswith("ran:"):
            state = (state or "").removeprefix("ran:")
            told = {{"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": str(element)}}
            with open(options["output"].replace("%a", str(element)), "ab") as log:
                subprocess.run(["sh", given[-1]], env={{**os.environ, **told}}, stdout=log, stderr=log)
        lines.append("|".join((options["job-name"], array, str(element), state or "COMPLETED", "n1", "None")))
    queue.write_text("\\n".join(lines))
    print(array)
"""


class StandIn:
    """Its commands are in `programs`, which goes to the front of the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "stand-in"
        self.programs = self.folder / "bin"
        self.programs.mkdir(parents=True)
        self.fate({})
        for name in COMMANDS:
            path = self.programs / name
            path.write_text(_PROGRAM.format(python=sys.executable, place=str(self.folder)))
            path.chmod(0o755)

    def fate(self, arrays: dict[int, dict[int, str]]) -> None:
        (self.folder / "fate.json").write_text(json.dumps(arrays))

    def says(self, program: str, words: str | None, code: int = 1) -> None:
        """What this command complains of from now on; None: it works again."""
        path = self.folder / f"{program}.say"
        if words is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(f"{code}|{words}\n")

    def answers(self, program: str, text: str) -> None:
        """What this command prints from now on, whatever it is asked."""
        (self.folder / f"{program}.answer").write_text(text)

    def sent(self) -> list[list[str]]:
        """The arguments of every `sbatch` that made an array."""
        path = self.folder / "sent.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def option(self, name: str) -> list[str]:
        """What each `sbatch` was given as `--name`."""
        start = f"--{name}="
        return [arg.removeprefix(start) for sent in self.sent() for arg in sent if arg.startswith(start)]

    def replace(self, state: str, other: str) -> None:
        """Elements in one state are in another, as soon as there are any: `sent` tells of an array before its states."""
        path = self.folder / "queue"
        until(lambda: path.exists() and f"|{state}|" in path.read_text(), f"an element that is {state}")
        path.write_text(path.read_text().replace(f"|{state}|", f"|{other}|"))
