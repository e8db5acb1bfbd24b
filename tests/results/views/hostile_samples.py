"""Batches whose every name is hostile: ids, keys of figures, values, errors, tables of scenarios; and figures of any size."""

from __future__ import annotations

import json
from unittest import mock

from batchtui.model import Json, Outcome
from batchtui.results.scenarios.files import folder_name
from batchtui.results.scenarios.place import claim
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.results.views import view_samples
from tests.results.views.view_samples import Job, completed, failed, make

HUGE = 10**400
SIZES: dict[str, Json] = {
    "huge": HUGE, "under": -HUGE, "wide": 1.7e308, "narrow": 5e-324, "near": 1e17, "zero": -0.0, "odd": 2**53 + 1, "word": 1,
}  # fmt: skip
OTHERS: dict[str, Json] = {
    "huge": 2, "under": 1.5, "wide": -1.7e308, "narrow": 0.0, "near": 1e17 + 16, "zero": 0, "odd": 2**63, "word": "1e400",
}  # fmt: skip
BRANCH: dict[str, Json] = {
    "branch_id": 1, "from_bus": 1, "to_bus": 2, "flow_mw": 1.5, "q_from_mvar": 0, "p_to_mw": 0, "q_to_mvar": 0,
    "loading_pct": 105.0, "loss_mw": 0.1, "shadow_price": 3.0,
}  # fmt: skip
BUS: dict[str, Json] = {
    "bus_id": 1, "vm_pu": 1.2, "va_deg": 0.0, "p_mw": 0, "q_mvar": 0, "lmp": 3.0, "vmin": 0.9, "vmax": 1.1,
}  # fmt: skip
OUTAGE: dict[str, Json] = {
    "outage_branch_id": 1, "from_bus": 1, "to_bus": 2, "status": "ok", "worst_branch_id": 1, "worst_loading_pct": 90.0,
    "n_overloads": 1, "islanded_mw": 0, "vm_min": 1, "vm_min_bus": 1, "performance_index": 1, "max_flow_change_mw": 1,
    "loss_mw": 1,
}  # fmt: skip
AFTER: dict[str, Json] = {"outage_branch_id": 1, "branch_id": 1, "flow_mw": 2.0, "loading_pct": 4.0}
TABLES: dict[str, dict[str, Json]] = {
    "result": BRANCH,
    "bus": BUS,
    "contingency": OUTAGE,
    "contingency_flows": AFTER,
}


def figures_of(library: Library, name: str, text: str = "", *, shift: float = 0.0) -> BatchFolder:
    """Three jobs named with the text, whose figures and rows are; one failed with it."""
    jobs: list[Job] = [
        (
            f"{n}-{text}",
            {f"r{text}": f"{n}.5", "note": text},
            completed(**{f"k{text}": n * (1 + shift), "words": text, "far": {f"deep{text}": n * n}}),
        )
        for n in range(3)
    ]
    jobs.append((f"3-{text}", {"note": text}, failed(text)))
    return make(library, name, jobs)


def sizes(library: Library, name: str, kind: str = "local", *, turned: bool = False) -> BatchFolder:
    """Two runs whose figures no float holds, or hardly tells apart; `turned` swaps them."""
    held = (OTHERS, SIZES) if turned else (SIZES, OTHERS)
    jobs: list[Job] = [(f"r{n}", {"v": str(10**39 + n)}, _run(one)) for n, one in enumerate(held)]
    with _header(kind=kind):
        return make(library, name, jobs)


def _run(figures: dict[str, Json]) -> Outcome:
    hours, months = list(figures.values()), [1, 2, HUGE]
    return completed(
        summary=figures, losses=figures, monthlySummary={"month": months, "energyMWh": hours},
        timeSeries={"date": ["a", HUGE, None], "gridACPower": hours}, blockSummary=[figures, OTHERS],
    )  # fmt: skip


def scenarios(
    library: Library,
    name: str,
    text: str = "",
    task: str = "n1",
    tables: dict[str, list[str]] | None = None,
    done: int = 2,
) -> BatchFolder:
    """`done` scenarios of three named with the text, the others failed with it; `tables` are lines of the tables of each."""
    ids = [f"s{n}-{text}" for n in range(3)]
    summary = {"task": task, "loss_mw": 1.0, "loading_max_pct": 105.0, "duration_ms": 2.0, "converged": True}
    rows: dict[str, Json] = {"task": task, "grid": f"{text}.m"}
    jobs: list[Job] = [(id_, rows, completed(summary=summary | {"objective": 3.0})) for id_ in ids[:done]]
    jobs += [(id_, rows, failed(text)) for id_ in ids[done:]]
    with _header(template={"task": task}):
        folder = make(library, name, jobs)
    place = claim(folder)
    for id_ in ids[:done]:
        (place / folder_name(id_)).mkdir(parents=True)
        for table, row in TABLES.items():
            lines = (tables or {}).get(table, [json.dumps(row)])
            (place / folder_name(id_) / f"{table}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def _header(**facts: Json) -> mock._patch[mock.MagicMock]:
    def header(**given: Json) -> BatchHeader:
        return BatchHeader(**(given | facts))

    return mock.patch.object(view_samples, "BatchHeader", header)
