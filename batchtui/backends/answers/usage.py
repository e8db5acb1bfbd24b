"""What every reply tells beside its answer: tokens, model, id, and its words for the raw store."""

from __future__ import annotations

from collections.abc import Iterable

from batchtui.backends.answers.said import add_note
from batchtui.backends.wire.replies import tidy
from batchtui.model import Json, Outcome
from batchtui.prices.usage import count


def described(
    outcome: Outcome, body: dict[str, Json], *, usage: str = "usage", model: str = "model", id_key: str = "id"
) -> Outcome:
    """The outcome with the reply's usage as it came, its model, its id and its body; the arguments name their keys."""
    outcome.usage, outcome.body = body.get(usage), body
    name, remote = body.get(model), body.get(id_key)
    outcome.model = name if isinstance(name, str) else None
    outcome.remote = {"id": remote} if isinstance(remote, str) else {}
    return outcome


def first_count(usage: dict[str, Json], *keys: str) -> int | None:
    """The count under the first of the keys that is given."""
    return next((count(usage[key]) for key in keys if key in usage), None)


def doubt(outcome: Outcome, keys: Iterable[str]) -> None:
    """Say which counts of the usage are none that can be trusted, so that what it cost is not known."""
    usage = outcome.usage if isinstance(outcome.usage, dict) else {}
    odd = [key for key in keys if key in usage and count(usage[key]) is None]
    if odd and (outcome.input_tokens is None or outcome.output_tokens is None):
        told = ", ".join(f"{key} {tidy(str(usage[key]))[:40]}" for key in odd)
        add_note(outcome, f"its cost is not known, since the provider counts no such tokens: {told}")
