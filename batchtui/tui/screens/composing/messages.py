"""What the compose screen's threads report. `worker` tells stale news from fresh."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.worker import Worker

from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.plan.planning import Planned, Preview
from batchtui.model import BatchSpec
from batchtui.store.library import Draft
from batchtui.tui.models.offered import Models
from batchtui.tui.models.scan import Scan


@dataclass
class Scanned(Message):
    """What is known of the source so far."""

    worker: Worker[None]
    scan: Scan


@dataclass
class Previewed(Message):
    """Row `row` as it would be sent."""

    worker: Worker[None]
    preview: Preview
    row: int
    spec: BatchSpec


@dataclass
class Ticked(Message):
    """The check has read so many rows."""

    worker: Worker[None]
    rows: int


@dataclass
class Checked(Message):
    """Every row was checked; with a draft the batch can be made."""

    worker: Worker[None]
    planned: Planned
    draft: Draft | None
    reach: Reach
    """Where a batch file leads outside its folder."""


@dataclass
class ModelsTold(Message):
    """What a backend said of its models."""

    worker: Worker[None]
    backend: str
    models: Models
