"""What is known of kind `local` without importing it."""

from batchtui.catalog.card import Card
from batchtui.catalog.form import CALL, COMMAND, TASK

CARD = Card(
    name="local",
    rank=0,
    backend="batchtui.backends.local.backend:LocalBackend",
    summary="programs, Python calls and power flow on this machine",
    remote=False,
    works=("command", "call", "task"),
    form={"command": COMMAND, "call": CALL, "task": TASK},
    place="on this machine",
    takes_key=False,
    there_with="",
)
