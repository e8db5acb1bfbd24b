"""The card of a kind: its names and places, for those who must not import the kind to know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from batchtui.catalog.form import FormField

Work = Literal["prompt", "command", "call", "task", "flow", "model run", "request"]


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """The environment variables that set a provider up, and what they make of its table."""

    key: str
    """Holds the key; a backend exists by itself where it is set."""
    first_key: str | None = None
    """Another one for the key, which wins where it is set."""
    base_url: str | None = None
    """Holds the address, where it is not the provider's own."""
    address: str | None = None
    """The provider's own address, where the kind alone does not say it."""
    dialect: str | None = None
    """How this provider speaks the kind; offered where its key is set only."""
    needs_address: bool = False
    """Whether there is no address but one's own, so that a key alone sets nothing up."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every backend of a kind, in the kind's own words."""

    name: str
    """What `kind = …` says."""
    rank: int
    """Where it stands in lists: the lower, the earlier."""
    backend: str
    """`module:class`, imported when a backend of the kind is built."""
    summary: str
    """One line for pickers and help."""
    remote: bool
    """Whether it takes submissions of many jobs, which live there."""
    works: tuple[Work, ...]
    """What its jobs may be; the first where nothing else is said."""
    form: Mapping[Work, tuple[FormField, ...]] = {}
    """The fields of `[job]` that the compose form shows, by what a job is."""
    lists: str = "model"
    """What its servers list: the key of `[job]` that names one."""
    place: str = ""
    """Where its jobs run, in words, where that is no server."""

    # ---- keys and addresses
    variables: tuple[Variables, ...] = ()
    """The providers that speak it, by their usual variables; without a dialect the first is the kind's own."""
    takes_key: bool = True
    key_settings: Mapping[str, str] = {}
    """Settings that name the variables of its keys, with the usual ones, where it takes others than `api_key_env`."""
    there_with: str | None = None
    """The program on PATH with which a backend of it is there by itself; "" where it always is."""
    own_server: str | None = None
    """Where a server that somebody runs is, if it runs here as its own documentation starts it."""
    page: str | None = None
    """The manual's page that has a table to copy, where one says more than an address and a key."""

    # ---- money
    maker: str | None = None
    """The seller in the tables of prices that makes models of its own."""
    seller: str | None = None
    """Whose prices hold wherever its address leads, where only one provider speaks it."""
    sells_itself: bool = False
    """Whether at a host of one's own network nobody's prices hold but the config's."""
    hosts: Mapping[str, str] = {}
    """Sellers by the hosts of the providers that speak it."""
    prices_of: Mapping[str, str] = {}
    """Sellers that ask the prices of another."""
    queue_tokens: Mapping[str, int] = {}
    """How many tokens of a model ("": every other) a provider queues at a time, where it publishes one figure for all
    accounts."""

    # ---- models and results
    models: tuple[str, ...] = ()
    """Beginnings of the names of its models, told apart by case: a job that names a model and no backend goes there."""
    requests: tuple[str, ...] = ()
    """Forms of files of whole requests that it takes as they are."""
    raw_as_list: bool = False
    """Whether batchata writes its files as one JSON list; those of other kinds are JSON Lines."""
    views: tuple[str, ...] = ()
    """Families of views that its batches have."""
    views_if_found: tuple[str, ...] = ()
    """Families of views that its batches have where a result has something for them."""
    ids: tuple[str, ...] = ()
    """Fields of a result that stand for the job's id in summaries, those of a failed one last."""

    @property
    def key_env(self) -> str | None:
        """The usual variable of its key."""
        return self.variables[0].key if self.variables else None
