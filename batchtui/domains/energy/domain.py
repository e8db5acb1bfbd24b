"""What energy models add, told without importing it."""

from batchtui.catalog.domain import Domain

DOMAIN = Domain(
    name="energy",
    views=("batchtui.domains.energy.views",),
    demo=("batchtui.domains.energy.demo.api:DalyDemo",),
)
