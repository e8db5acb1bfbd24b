"""What a kind takes (`KindLimits`), and what a `[backends.NAME]` table may say, also in place of that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from batchtui.model import seconds


@dataclass(frozen=True, slots=True)
class KindLimits:
    """What a backend takes. None: no limit."""

    jobs_per_submission: int = 50_000
    bytes_per_submission: int = 200_000_000
    submissions_at_once: int = 10
    sends_at_once: int | None = None
    """Creates that are under way at a time, so that few are unsure after a crash."""
    poll_interval: float = 15.0
    poll_interval_max: float = 60.0
    backoff: float = 300.0
    """Seconds between polls at most, while they fail."""
    settle: float = 60.0
    """Seconds after the last possible send at which a look-up that finds nothing proves absence."""
    concurrency: int = 5
    timeout: float | None = None
    retries: int = 3


class BackendSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields every `[backends.NAME]` table may hold; kinds add their own in a subclass.

    Keys are named by reference only. `headers` values may be `env:NAME`. The last three override the kind's limits.
    """

    kind: str
    base_url: str | None = None
    api_key_env: str | None = None
    api_key_command: list[str] | None = None
    api_key_keyring: str | None = None
    headers: dict[str, str] = {}
    proxy: str | None = None
    timeout: float | str | None = None
    concurrency: int | None = None
    poll_interval: float | str | None = None
    settle: float | str | None = None
    enqueued_tokens: int | dict[str, int] | None = None
    """Tokens of one model that the provider takes in at a time; a table gives it by model."""
    jobs_per_submission: int | None = None
    bytes_per_submission: int | None = None
    submissions_at_once: int | None = None


def limits_of(settings: BackendSettings, defaults: KindLimits) -> KindLimits:
    """The kind's limits with what the table says instead. Raises ValueError for a duration that is none."""
    changes: dict[str, float] = {}
    for name in ("timeout", "settle", "poll_interval"):
        value = getattr(settings, name)
        if value is not None:
            changes[name] = seconds(value)
    if "poll_interval" in changes:
        slowdown = defaults.poll_interval_max / defaults.poll_interval
        changes["poll_interval_max"] = changes["poll_interval"] * slowdown
    for name in ("concurrency", "jobs_per_submission", "bytes_per_submission", "submissions_at_once"):
        value = getattr(settings, name)
        if value is not None:
            changes[name] = value
    return replace(defaults, **changes)  # type: ignore[arg-type]
