"""What power grids add, told without importing it."""

from batchtui.catalog.domain import Domain

TASKS = ("dc", "ac", "dcopf", "acopf", "n1")

DOMAIN = Domain(
    name="power",
    tasks=TASKS,
    solver="batchtui.domains.power.tasks:solve_many",
    checks="batchtui.domains.power.checks",
    manifests="batchtui.domains.power.manifests",
    views=("batchtui.domains.power.views",),
)
