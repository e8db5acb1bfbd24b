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
    job_each: bool = False
    """Whether a submission is one job, so that a batch's `concurrency` is how many submissions run at once."""
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
    """What the backend speaks; see the pages of the kinds."""
    base_url: str | None = None
    """The address, where the kind's own is not meant."""
    api_key_env: str | None = None
    """The variable that holds the key."""
    api_key_command: list[str] | None = None
    """A command, as a list, that prints the key."""
    api_key_keyring: str | None = None
    """`service/user` of the system's keyring (extra `keyring`)."""
    headers: dict[str, str] = {}
    """More headers of every request; a value `env:NAME` is taken from that variable."""
    proxy: str | None = None
    """The proxy for this backend, above those of the environment."""
    timeout: float | str | None = None
    """Of one request, or of one job where jobs go one by one."""
    concurrency: int | None = None
    """Jobs, or calls, at once; `[limits] concurrency` of a batch stands above it."""
    poll_interval: float | str | None = None
    """Seconds between looks at what lives there, at first."""
    settle: float | str | None = None
    """Seconds after a lost submit at which a look-up that finds nothing proves that there is nothing."""
    enqueued_tokens: int | dict[str, int] | None = None
    """Tokens of one model that the provider takes in at a time; a table gives it by model."""
    jobs_per_submission: int | None = None
    """In place of what the kind takes."""
    bytes_per_submission: int | None = None
    """In place of what the kind takes."""
    submissions_at_once: int | None = None
    """In place of what the kind takes."""


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
