"""What flows over records add, told without importing it."""

from batchtui.catalog.domain import Domain

DOMAIN = Domain(
    name="flows",
    demo=("batchtui.domains.flows.demo.api:ButtermilkDemo",),
)
