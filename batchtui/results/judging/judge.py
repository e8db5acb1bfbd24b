"""Judging answers by a JSON Schema, in a process of its own: `python -m batchtui.results.judging.judge`.

It reads one JSON line a question and writes one a verdict, in order. An answer whose check takes too much CPU time
ends the process by a timer of the system, even in the middle of a regular expression and with nobody watching.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from batchtui.model import Json
from batchtui.results.judging.answers import NotJson, Reading, readings
from batchtui.text import cell

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

ERRORS_LIMIT = 10
_MESSAGE_LIMIT = 200


class Misfit(msgspec.Struct, frozen=True):
    """One thing that breaks the schema: where in the answer, as `$.items[0].total`, and what."""

    path: str
    message: str


class Verdict(msgspec.Struct, omit_defaults=True):
    """What an answer is worth. Where it does not fit, `value` is what could be read of it."""

    fits: bool
    value: Json = None
    errors: list[Misfit] = []
    repaired: str | None = None

    @property
    def error(self) -> str | None:
        """The errors on one line; None where there are none."""
        return (
            "; ".join(f"{one.path}: {one.message}" if one.path else one.message for one in self.errors)
            or None
        )


def judge(text: str, validator: Validator, *, cut: bool = False) -> Verdict:
    """Read the answer, mended where that is beyond doubt, and check it.

    Of several values that fit none is taken for the answer, unless they are the same one. `cut`: the model was stopped
    before it was done, so that a value with words round it may be a draft: only one that is the whole answer counts.
    """
    try:
        ways = readings(text, whole=cut)
    except NotJson as fault:
        return Verdict(fits=False, errors=[Misfit("", str(fault))])
    checked = [[_checked(reading, validator) for reading in way] for way in ways]
    fitting = {
        json.dumps(one.value, sort_keys=True): one for way in reversed(checked) for one in way if one.fits
    }
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        return _several(len(fitting), " that fit")
    only = next((way[0] for way in checked if len(way) == 1), None)
    return only or _several(len(ways[0]))


def _several(count: int, which: str = "") -> Verdict:
    return Verdict(
        fits=False, errors=[Misfit("", f"the answer holds {count} JSON values{which}; expected one")]
    )


def _checked(reading: Reading, validator: Validator) -> Verdict:
    try:
        found = list(islice(_misfits(validator, reading.value), ERRORS_LIMIT + 1))
    except Exception as fault:  # what a strange schema makes of a strange answer
        found = [Misfit("$", f"could not be checked ({type(fault).__name__})")]
    if len(found) > ERRORS_LIMIT:
        found[ERRORS_LIMIT:] = [Misfit("", "and more")]
    return Verdict(fits=not found, value=reading.value, errors=found, repaired=reading.repaired)


def _misfits(validator: Validator, value: Json) -> Iterator[Misfit]:
    from jsonschema.exceptions import best_match

    for fault in validator.iter_errors(value):
        deepest: ValidationError = best_match([fault]) or fault
        yield Misfit(cell(deepest.json_path, _MESSAGE_LIMIT), cell(deepest.message, _MESSAGE_LIMIT))


def serve(questions: BinaryIO, verdicts: BinaryIO) -> None:
    """`{schema, document}` makes a schema known, `{id, schema, text, cut, seconds}` asks; each verdict carries the id."""
    from batchtui.results.judging.schema import validator_of

    validators: dict[str, Validator] = {}
    for line in questions:
        question = json.loads(line)
        if "document" in question:
            validators[question["schema"]] = validator_of(question["document"])
            continue
        signal.setitimer(signal.ITIMER_PROF, question["seconds"])
        verdict = judge(question["text"], validators[question["schema"]], cut=question.get("cut", False))
        answer = msgspec.to_builtins(verdict) | {"id": question["id"]}
        data = json.dumps(answer, separators=(",", ":")).encode() + b"\n"
        signal.setitimer(signal.ITIMER_PROF, 0)
        verdicts.write(data)
        verdicts.flush()


if __name__ == "__main__":
    import jsonschema  # noqa: F401  (warm before the first question)

    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    serve(sys.stdin.buffer, sys.stdout.buffer)
