"""The config table of kind `openai`, and what its dialect makes of it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from batchtui.backends.base import BackendSettings, KindLimits
from batchtui.backends.prompts.dialects import DIALECTS, OPENAI, Dialect, dialect_of
from batchtui.backends.prompts.kind import PromptSettings
from batchtui.errors import nearest
from batchtui.text import cell

_WINDOW = re.compile(r"(\d{1,4})([hd])")


class OpenAISettings(PromptSettings, kw_only=True):
    """Whoever speaks OpenAI's batch protocol, and what is particular to them."""

    base_url: str | None = OPENAI.base_url
    """OpenAI's own, unless the dialect has another."""
    dialect: str | None = None
    """The provider, where the address does not name it: `groq`, `azure`, `deepinfra` …"""
    completion_window: str = "24h"
    """24h at OpenAI, elsewhere up to 7d."""
    api_version: str | None = None
    """At Azure, as a query, where the address does not end in /v1."""
    metadata: bool | None = None
    """`false` for a server that refuses it; lost submits then need a person."""
    output_expires: str | float | None = None
    """From 1h to 30d: OpenAI deletes the results that much later."""
    delete_files: bool = False
    """Whether our files go once their results are stored here; Azure holds 500 files at most."""

    def __post_init__(self) -> None:
        """Completes the base URL. Raises ValueError, which names the key at fault."""
        if self.dialect is not None and self.dialect not in DIALECTS:
            known = ", ".join(DIALECTS)
            raise ValueError(
                f'dialect: unknown dialect "{cell(self.dialect, 40)}"{nearest(self.dialect, DIALECTS)}'
                f" (known: {known})"
            )
        record = dialect_of(self.dialect, self.base_url)
        if self.dialect is not None and self.base_url == OPENAI.base_url:
            self.base_url = record.base_url
        if self.base_url is None:
            raise ValueError(f"base_url: missing; {record.name} has one of your own")
        if record.path and not urlsplit(self.base_url).path.strip("/"):
            self.base_url = self.base_url.rstrip("/") + record.path
        if record.versioned and not self.api_version and not self.base_url.rstrip("/").endswith("/v1"):
            raise ValueError('api_version: missing; name one, or let base_url end with "/openai/v1"')
        _check_window(self.completion_window, record)


def record_of(settings: BackendSettings) -> Dialect:
    """The dialect of a table."""
    return dialect_of(getattr(settings, "dialect", None), settings.base_url)


def limits_of_dialect(record: Dialect) -> KindLimits:
    return KindLimits(
        jobs_per_submission=record.jobs,
        bytes_per_submission=record.bytes,
        submissions_at_once=10,
        poll_interval=15.0,
        poll_interval_max=60.0,
        settle=60.0,
    )


def _check_window(window: str, record: Dialect) -> None:
    if record.hours is None:
        return
    match = _WINDOW.fullmatch(window.strip().lower())
    hours = int(match[1]) * (24 if match[2] == "d" else 1) if match else 0
    least, most = record.hours
    if not least <= hours <= most:
        span = f"{least}h" if least == most else f"{least}h to {most // 24}d"
        raise ValueError(f'completion_window: {record.name} takes {span}, not "{cell(window, 20)}"')
