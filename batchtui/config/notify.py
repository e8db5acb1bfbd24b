"""`[notify]`: who is told when a batch ends, waits for a person, nears its budget or is about to expire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from batchtui.config.address import base_url_fault
from batchtui.config.checks import variable_fault
from batchtui.errors import ConfigError, nearest
from batchtui.limit_ranges import duration_fault
from batchtui.masking import know
from batchtui.model import NoticeEvent, NotifySpec

Form: TypeAlias = Literal["slack", "discord", "ntfy", "json"]
SORTS = ("bell", "osc", "desktop", "command", "webhook")
"""What may stand in `[notify]` and in each of its rules: the names of the receivers of `[notify]` itself."""
_FORMS: Mapping[str, Form] = {
    "slack.com": "slack",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "ntfy.sh": "ntfy",
}
_KEYED = ("slack.com", "discord.com", "discordapp.com", "office.com", "office365.com", "zapier.com")
"""Whoever knows an address of these hosts may write there: the address itself is the key."""
_REFERENCE = re.compile(r"env:([A-Za-z_]\w*)", re.ASCII)


class Receivers(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    on: list[NoticeEvent] | None = None
    """What is told: any of `ended`, `failed`, `person`, `budget`, `expiry`; left out: all of it."""
    bell: bool = False
    """Ring the terminal's bell."""
    osc: Literal[9, 777, 99] | None = None
    """A notice of the terminal itself: 9 (iTerm2, WezTerm, Windows Terminal), 777 (urxvt, foot, Ghostty), 99 (kitty)."""
    desktop: bool = False
    """A notice of the desktop, by notify-send, or osascript on a Mac."""
    command: list[str] = []
    """A command, as a list of words, that gets the notice as JSON on standard input, and in `NOTICE_…` variables."""
    webhook: str | None = None
    """An address that is written to: `env:NAME` takes it from that variable, as it must be where the address is a key."""
    form: Form | None = None
    """What the webhook takes; left out: told by its host, else plain JSON."""
    token_env: str | None = None
    """The variable that holds the webhook's token, which is sent as `Authorization: Bearer`."""


class Rule(Receivers):
    batches: str = "*"
    """Only batches of this name, `*` standing for any letters."""
    backend: str | None = None
    """Only batches of this backend."""
    tag: str | None = None
    """Only batches of this tag."""


class Notify(Receivers):
    """`[notify]`."""

    budget: float = 0.8
    """The share of a batch's `cost_usd` from which on it is told."""
    expiry: str | float = "3h"
    """How long before a submission expires at its provider it is told."""
    rules: dict[str, Rule] = {}
    """Further receivers by name, each for some batches."""

    @property
    def quiet(self) -> bool:
        """Whether nobody is told anything."""
        return not self.rules and not any(getattr(self, sort) for sort in SORTS)


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """One way to tell somebody."""

    name: str
    """As a batch file's `[notify] to` names it: its sort, or the name of its rule."""
    sort: str
    settings: Receivers


def receivers_of(notify: Notify) -> list[Receiver]:
    """Every receiver that is set up, those of `[notify]` itself first."""
    tables: list[tuple[str | None, Receivers]] = [(None, notify), *notify.rules.items()]
    return [
        Receiver(name=name or sort, sort=sort, settings=table)
        for name, table in tables
        for sort in SORTS
        if getattr(table, sort)
    ]


def notify_faults(notify: Notify) -> Iterator[tuple[str, str]]:
    """(key below `notify`, message) of what types cannot tell."""
    if not 0 < notify.budget <= 1:
        yield "budget", f"expected a share from 0 to 1, such as 0.8, got {notify.budget}"
    if fault := duration_fault(notify.expiry):
        yield "expiry", fault
    yield from _faults("", notify)
    for name, rule in notify.rules.items():
        yield from _faults(f"rules.{name}.", rule)
        if name in SORTS:
            yield f"rules.{name}", "is the name of a sort of receiver; choose another"
        elif not any(getattr(rule, sort) for sort in SORTS):
            yield f"rules.{name}", f"tells nobody; give it one of {', '.join(SORTS)}"


def _faults(at: str, table: Receivers) -> Iterator[tuple[str, str]]:
    if any(not word or "\0" in word for word in table.command):
        yield f"{at}command", 'expected a list of words, such as ["say", "done"]; no shell is used'
    if table.token_env is not None and (fault := variable_fault(table.token_env)):
        yield f"{at}token_env", fault
    if table.webhook is not None and not _REFERENCE.fullmatch(table.webhook):
        if "?" in table.webhook or _hosted(table.webhook, _KEYED):
            yield (
                f"{at}webhook",
                'whoever knows this address may write there: put it into a variable, as "env:NAME"',
            )
        elif fault := address_fault(table.webhook):
            yield f"{at}webhook", fault


def address_fault(address: str) -> str | None:
    """What is wrong with a webhook's address, which is not shown."""
    return base_url_fault(address.partition("?")[0])


def form_of(address: str, given: Form | None) -> Form:
    told: list[Form] = [form for host, form in _FORMS.items() if _hosted(address, (host,))]
    return given or (told[0] if told else "json")


def _hosted(address: str, hosts: tuple[str, ...]) -> bool:
    try:
        host = (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return False
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def webhook_address(table: Receivers, env: Mapping[str, str]) -> str:
    """The address, also where a variable holds it; what is secret in it is masked from now on. Raises ConfigError."""
    address = table.webhook or ""
    if match := _REFERENCE.fullmatch(address):
        address = env.get(match[1], "").strip()
        if not address:
            raise ConfigError(f"{match[1]} is not set; set it, or give the file that holds it by --env-file")
        if fault := address_fault(address):
            raise ConfigError(f"the address in {match[1]} {fault}")
    parts = urlsplit(address)
    know(*filter(None, (parts.path.strip("/"), parts.query)), *filter(None, parts.path.split("/")))
    return address


def webhook_token(table: Receivers, env: Mapping[str, str]) -> str | None:
    """Raises ConfigError where its variable is not set."""
    if table.token_env is None:
        return None
    token = env.get(table.token_env, "").strip()
    if not token or not (token.isascii() and token.isprintable()):
        raise ConfigError(f"{table.token_env} is not set, or holds no token")
    know(token)
    return token


def chosen(
    notify: Notify, spec: NotifySpec | None, name: str, backends: list[str], tags: list[str]
) -> list[Receiver]:
    """Who is told of this batch: as its file says, else those whose rule it fits."""
    from fnmatch import fnmatchcase

    found = receivers_of(notify)
    if spec is not None and spec.to is not None:
        return [one for one in found if one.name in spec.to]

    def fits(table: Receivers) -> bool:
        if not isinstance(table, Rule):
            return True
        return (
            fnmatchcase(name, table.batches)
            and (table.backend is None or table.backend in backends)
            and (table.tag is None or table.tag in tags)
        )

    return [one for one in found if fits(one.settings)]


def unknown_names(notify: Notify, spec: NotifySpec | None) -> list[str]:
    """What is wrong with the names that a batch file gives."""
    known = list(dict.fromkeys(one.name for one in receivers_of(notify)))
    return [
        f'notify.to: no receiver "{name}" in [notify]{nearest(name, known)}'
        for name in (spec.to or [] if spec else [])
        if name not in known
    ]
