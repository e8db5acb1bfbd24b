"""What is known of kind `slurm` without importing it."""

from batchtui.catalog.card import Card
from batchtui.catalog.form import CALL, COMMAND, TASK

CARD = Card(
    name="slurm",
    rank=100,
    backend="batchtui.backends.slurm.backend:SlurmBackend",
    summary="programs, Python calls and power flow on a Slurm cluster",
    remote=True,
    works=("command", "call", "task"),
    form={"command": COMMAND, "call": CALL, "task": TASK},
    place="slurm",
    takes_key=False,
    there_with="sbatch",
    page="slurm",
)
