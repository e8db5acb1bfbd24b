"""Servers that speak OpenAI's batch protocol, and how they differ: data, each with its source and date.

The record is chosen by `dialect` in a backend's table, else by the host of its base URL. Its limits can be overridden
in the table (`jobs_per_submission`, `bytes_per_submission`, `submissions_at_once`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from batchtui.backends.prompts.fields import OPENAI_CHAT, OPENAI_RESPONSES

CHAT = "/v1/chat/completions"
ALL_ENDPOINTS = (CHAT, "/v1/responses", "/v1/embeddings", "/v1/completions", "/v1/moderations")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's form of the protocol. `jobs` and `bytes` are of one input file; None: not known."""

    name: str
    source: str
    """Where the figures come from, and the day on which they were read."""
    hosts: tuple[str, ...] = ()
    """A host is this provider's if it is one of these or ends with a dot and one of them."""
    base_url: str | None = None
    jobs: int = 50_000
    bytes: int = 200_000_000
    hours: tuple[int, int] | None = None
    """Shortest and longest `completion_window`, in hours; None: any."""
    endpoints: tuple[str, ...] = ALL_ENDPOINTS
    id_limit: int = 64
    """Characters of a `custom_id`."""
    key_header: str | None = None
    """The header that carries the key as it is; None: `Authorization: Bearer`."""
    path: str = ""
    """What a bare base URL goes on with."""
    versioned: bool = False
    """Whether addresses outside `/v1` need the query `api-version`, and endpoints are then named without `/v1`."""
    newer_max_tokens: bool = False
    """Whether `max_tokens` goes as `max_completion_tokens`, which newer models insist on."""
    metadata: bool = True
    """Whether a batch keeps metadata, by which a lost one is found again; else by its input file alone."""
    pdf: bool = True
    """Whether a message may hold a file part, as a PDF needs; images every dialect takes."""
    parts: tuple[str, ...] = ()
    """Types of the parts of a message of chat completions; none: not known."""
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Fields of a request by its endpoint, where they are known."""
    results_days: int | None = None
    """Days for which results are kept after the end; None: until deleted, or unless the server says."""


_PARTS = ("text", "image_url", "input_audio", "file", "refusal")
_FIELDS = {CHAT: OPENAI_CHAT, "/v1/responses": OPENAI_RESPONSES}

OPENAI = Dialect(
    name="openai",
    source="OpenAI's OpenAPI description 2.3.0 and help centre, 2026-11-21",
    hosts=("api.openai.com",),
    base_url="https://api.openai.com/v1",
    hours=(24, 24),
    newer_max_tokens=True,
    parts=_PARTS,
    fields=_FIELDS,
)
AZURE = Dialect(
    name="azure",
    source="Microsoft's guide to Global Batch, 2026-11-21",
    hosts=("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"),
    jobs=100_000,
    hours=(24, 24),
    key_header="api-key",
    path="/openai/v1",
    versioned=True,
    parts=_PARTS,
    fields=_FIELDS,
)
GROQ = Dialect(
    name="groq",
    source="Groq's SDK and batch guide, 2026-11-21 (its guide also says 200 MB)",
    hosts=("groq.com",),
    base_url="https://api.groq.com/openai/v1",
    bytes=100_000_000,
    hours=(24, 168),
    endpoints=(CHAT,),
    pdf=False,
    parts=("text", "image_url"),
    results_days=30,
)
DEEPINFRA = Dialect(
    name="deepinfra",
    source="DeepInfra's announcement of 2026-06-19",
    hosts=("deepinfra.com",),
    base_url="https://api.deepinfra.com/v1/openai",
    hours=(24, 24),
    pdf=False,
)
COMPATIBLE = Dialect(name="compatible", source="OpenAI's limits, for want of the server's own, 2026-11-21")
"""Any other server."""

DIALECTS = {one.name: one for one in (OPENAI, AZURE, GROQ, DEEPINFRA, COMPATIBLE)}


def dialect_of(name: str | None, base_url: str | None) -> Dialect:
    """The record of that name (which must be known), else the one whose host the base URL has."""
    if name is not None:
        return DIALECTS[name]
    host = (urlsplit(base_url).hostname or "") if base_url else ""
    return next((one for one in DIALECTS.values() if _is_of(host, one.hosts)), COMPATIBLE)


def _is_of(host: str, known: Sequence[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in known)
