"""Columns of a source that nothing of the batch asks for."""

from __future__ import annotations

from batchtui.engine.plan.compose.composition import Composition
from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.sources.rows.where import column_of
from batchtui.sources.templates.template import compile_template


def unused_columns(work: Composition) -> list[str]:
    """Those that no template, id or filter names. Forms with keys of their own (batch files, folders) have none."""
    source = work.source
    if source is None or not work.ready or (source.native and source.native != "messages") or source.made:
        return []
    parts: list[Json] = [work.spec.job, work.spec.sweep, *(work.templates.values() or [work.implied])]
    if work.spec.source and work.spec.source.id is not None:
        parts.append(work.spec.source.id)
    try:
        used = set(compile_template(parts, where="job").names)
    except BadInput:  # told already
        return []
    if "row" in used:
        return []
    if source.id_column and (work.spec.source is None or work.spec.source.id is None):
        used.add(source.id_column)
    filters = source.picking.where.paths if source.picking.where else ()
    used |= {name for path in filters if (name := column_of(path, source.columns))}
    return [name for name in source.columns if name not in used]
