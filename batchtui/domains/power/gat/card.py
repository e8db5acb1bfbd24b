"""What is known of kind `gat` without importing it."""

from batchtui.catalog.card import Card
from batchtui.catalog.form import GRID

CARD = Card(
    name="gat",
    rank=110,
    backend="batchtui.domains.power.gat.backend:GatBackend",
    summary="grid scenarios, by a gat program that you installed",
    remote=False,
    works=("task",),
    form={"task": GRID},
    takes_key=False,
    page="grids",
)
