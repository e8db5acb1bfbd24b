"""One more job for a batch that was made already: written so that its template still renders it, as it would be sent."""

from __future__ import annotations

import hashlib
import json

import msgspec

from batchtui.backends.wire.ids import PLANNED_TOKEN
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.planning import Planned
from batchtui.engine.plan.records import record_of
from batchtui.engine.plan.repeats import digest_of
from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.pricing import Pricing
from batchtui.errors import BadInput
from batchtui.model import JobRecord, Json, Row
from batchtui.store.folder import BatchFolder

COLUMN = "job"
"""The column of a row that holds what a job was given."""
ANEW = "make another Batch for it"


def added(
    folder: BatchFolder, backends: Backends, planned: Planned, job_id: str, row: dict[str, Json], work: dict[str, Json],
    fallbacks: dict[str, Json],
) -> dict[str, Json]:  # fmt: skip
    """The arguments of the command `add` for this job, which was `planned` alone. Raises BadInput where it cannot join.

    `work` is its `[job]`; what the batch's template has beside it is taken from `fallbacks`.
    """
    header = folder.header
    assert planned.backend is not None
    name = planned.backend.name
    if (
        name not in header.backends
        or header.accounts.get(name, planned.backend.account()) != planned.backend.account()
    ):
        raise BadInput(f'job "{job_id}" goes to {name}, where no job of the running batch goes; {ANEW}')
    schema_name, schemas = _schema(folder, planned, job_id)
    own: dict[str, Json] = {}
    sweep: dict[str, Json] = {}
    template = header.template_of(name)
    for key in dict.fromkeys([*template, *work]):
        if key in ("backend", "schema"):
            continue
        if key not in work and key not in fallbacks:
            raise BadInput(f'job "{job_id}": {key}: missing, and other jobs of the batch have it')
        value, reference = work[key] if key in work else fallbacks[key], f"{{{{ {COLUMN}.{key} }}}}"
        if template.get(key) == value and key in template and "{{" not in json.dumps(value):
            continue
        own[key] = value
        if template.get(key) != reference:
            sweep[key] = reference
    values = {"id": job_id, **row, **({COLUMN: own} if own else {})}
    bare = JobRecord(n=0, id=job_id, row=values, sweep=sweep, schema=schema_name,
                     backend=name if name != header.backend else None, tokens=(0, 1))  # fmt: skip
    if schemas:
        header.answer_schemas = header.answer_schemas | schemas  # ours alone: the driver writes its own
    backend, job = Renderer(folder, backends).rendered(bare, 1, PLANNED_TOKEN)
    if backend.describe(job) != planned.preflight.first:
        raise BadInput(f'job "{job_id}" differs in its form from those of the running batch; {ANEW}')
    record = record_of(backend, job, Row(0, None, values), sweep)
    record.schema, record.backend = schema_name, bare.backend
    likely = Pricing(backends.config).likely(backend, record.model, record)
    return {
        "jobs": [msgspec.to_builtins(record)],
        "digests": [digest_of(backend, job, record, likely).decode()],
        "schemas": schemas,
    }


def _schema(
    folder: BatchFolder, planned: Planned, job_id: str
) -> tuple[str | None, dict[str, dict[str, Json]]]:
    """The name of what its answer must fit in the batch's table, and what of that table is new."""
    header = folder.header
    schema = planned.schemas.fixed if planned.schemas else None
    if schema == header.answer_schema:
        return None, {}
    if schema is None:
        raise BadInput(
            f'job "{job_id}" has no response_model, and all others of the running batch have one; {ANEW}'
        )
    known = next((name for name, one in header.answer_schemas.items() if one == schema), None)
    if known is not None:
        return known, {}
    name = "added-" + hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:12]
    return name, {name: schema}
