"""What a task found, in one line: what a person looks for first when reading down a list of scenarios."""

from __future__ import annotations

from batchtui.model import Json


def in_words(value: dict[str, Json]) -> str:
    """`loss 153.27 MW, slack -941.88 MW, voltage 0.943 (bus 76) to 1.050 (bus 10)`; units as in the tables.

    `value` is a task's, its figures under `summary`; those that it lacks are left out.
    """
    found = value.get("summary")
    if not isinstance(found, dict):
        return ""
    said: list[str] = []
    if isinstance(method := found.get("method"), str):
        said.append(method)
    if _number(objective := found.get("objective")):
        said.append(f"objective {objective:,.2f}")
    if _number(percent := found.get("loading_max_pct")):
        said.append(f"loading up to {percent:.1f} % (branch {found.get('loading_max_branch')})")
    if found.get("n_overloads"):
        said.append(f"{found['n_overloads']} overloaded")
    said += [
        f"{name} {found[f'{name}_mw']:,.2f} MW"
        for name in ("loss", "slack")
        if _number(found.get(f"{name}_mw"))
    ]
    low, high = found.get("vm_min"), found.get("vm_max")
    if _number(low) and _number(high):
        said.append(
            f"voltage {low:.3f} (bus {found.get('vm_min_bus')}) to {high:.3f} (bus {found.get('vm_max_bus')})"
        )
    if found.get("n_vm_violations"):
        said.append(f"{found['n_vm_violations']} outside their band")
    if not said and _number(load := found.get("load_mw")):
        said.append(f"load {load:,.2f} MW")
    return ", ".join(said)


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
