"""Backends given in code: what a `[backends.NAME]` table says, and the key itself, which stays in this process."""

from __future__ import annotations

import re
from itertools import count
from typing import ClassVar
from urllib.parse import urlsplit

import msgspec

from batchtui.catalog import cards
from batchtui.config.checks import backend_problems, is_inline_secret
from batchtui.config.keys.held import hold
from batchtui.config.plug_ins import KNOWN_KINDS
from batchtui.config.shape import BackendConfig
from batchtui.errors import BadInput, nearest
from batchtui.model import Json
from batchtui.text import cell

ORIGIN = "this program"


class Backend:
    """A place where jobs run, for `Batch(backend=…)` and `Batch.open(…, backend=…)`.

    `base_url` is where its server is, `api_key` its key: without one the provider's usual variable counts, at the
    provider's own address. Further settings are the keys of a `[backends.NAME]` table, such as `timeout="90s"` or
    `concurrency=4` (`batchtui help config-keys` lists them). `name` is what the batch calls it, by default its kind, and
    where `base_url` is given the kind and the server.

    The key is held by this process alone and written nowhere. A batch that another process is to carry on needs the
    backend there as well: given in its code, or as a table of that name in the configuration. Raises BadInput for a
    setting that the kind does not have.
    """

    kind: ClassVar[str] = ""
    key_settings: ClassVar[dict[str, str]] = {"api_key": "api_key_env"}
    """Arguments that hold a key, and the setting that names where each is."""
    example: ClassVar[str] = ""
    """An address of a server, where there is none to take without one."""

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__name__.lower()
        card = cards()[cls.kind]
        if card.key_settings:
            cls.key_settings = {name.replace("_key_env", "_api_key"): name for name in card.key_settings}
        elif not card.takes_key:
            cls.key_settings = {}

    def __init__(self, *, name: str | None = None, base_url: str | None = None, **settings: Json) -> None:
        if not self.kind:
            raise BadInput(f"Backend is no kind; use one of {', '.join(KINDS)}")
        keys = {word: settings.pop(word) for word in self.key_settings if settings.get(word) is not None}
        self.name = name or _name_of(self.kind, base_url)
        self.table: dict[str, Json] = (
            {"kind": self.kind} | ({"base_url": base_url} if base_url else {}) | settings
        )
        if self.example and not base_url:
            raise BadInput(f"{self._shown}: base_url: where is the server? {self.example}, for one")
        for word, key in keys.items():
            if not isinstance(key, str) or not key.strip():
                raise BadInput(f"{self._shown}: {word}: expected the key, as text")
            variable = re.sub(r"\W", "_", f"IN_CODE_{next(_counted)}_{self.name}", flags=re.ASCII)[:100]
            self.table[self.key_settings[word]] = variable
            hold(variable, key)
        self._check()

    @property
    def _shown(self) -> str:
        return f"{type(self).__name__}(…)"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def config(self) -> BackendConfig:
        """As the configuration would have it, its key named."""
        return BackendConfig(name=self.name, kind=self.kind, table=dict(self.table), origin=ORIGIN)

    def _check(self) -> None:
        from batchtui.backends.registry import load_kind

        known = [field.encode_name for field in msgspec.structs.fields(load_kind(self.kind).Settings)]
        for key, value in self.table.items():
            if key not in known and not is_inline_secret(key, value):
                hint = nearest(key, [*known, *self.key_settings])
                raise BadInput(
                    f'{self._shown}: unknown setting "{cell(key, 40)}"{hint}; `batchtui help config-keys` lists them'
                )
        for problem in backend_problems(self.name, self.table, KNOWN_KINDS, self._shown):
            if problem.fatal:
                raise BadInput(str(problem))


class Local(Backend):
    """This machine: programs, Python calls, power flow."""


class Chat(Backend):
    """A server that speaks chat completions, job by job: `Chat(base_url="http://127.0.0.1:8000/v1", api_key=…)`."""

    example = "http://127.0.0.1:8000/v1"


class OpenAI(Backend):
    """OpenAI's batch API, or another provider's of its form (`base_url`, `dialect`)."""


class Anthropic(Backend):
    """Anthropic's message batches."""


class Gemini(Backend):
    """Gemini's batch mode."""


class Mistral(Backend):
    """Mistral's batch jobs."""


class Together(Backend):
    """Together's batches."""


class Daly(Backend):
    """A Daly server: `Daly(base_url=…, workspace_api_key=…, user_api_key=…)`."""


class Buttermilk(Backend):
    """A Buttermilk server: `Buttermilk(base_url=…)`. It takes no key."""


class Rest(Backend):
    """Any service with tasks over HTTP; `submit`, `poll`, `results` and the like as in a table of kind rest."""


class Slurm(Backend):
    """A cluster's queue, by its own commands."""


class Gat(Backend):
    """An installed gat program."""


KINDS: dict[str, type[Backend]] = {
    one.__name__: one
    for one in (Local, Chat, OpenAI, Anthropic, Gemini, Mistral, Together, Daly, Buttermilk, Rest, Slurm, Gat)
}
_counted = count(1)


def _name_of(kind: str, base_url: str | None) -> str:
    """So that a server of one's own is never taken for the provider's, in this process or a later one."""
    try:
        parts = urlsplit(base_url or "")
        place = "-".join(str(part) for part in (parts.hostname, parts.port) if part)
    except ValueError:  # told by the check of the address
        place = ""
    return f"{kind}-{place}"[:100] if place else kind


def backend_name(given: object) -> str | None:
    """The name under which a batch keeps its backend. Raises BadInput for what is neither a name nor a `Backend`."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, Backend):
        return given.name
    raise BadInput(
        "backend: expected the name of a backend, or one in code such as Chat(base_url=…, api_key=…), "
        f"got {type(given).__name__}"
    )
