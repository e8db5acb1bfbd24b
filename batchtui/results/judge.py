"""Judging answers by a JSON Schema, in a process of its own: `python -m batchtui.results.judge`.

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
from batchtui.results.answers import NotJson, Reading, readings
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


def judge(text: str, validator: Validator) -> Verdict:
    """Read the answer, mended where that is beyond doubt, and check it."""
    try:
        ways = readings(text)
    except NotJson as fault:
        return Verdict(fits=False, errors=[Misfit("", str(fault))])
    verdict = None
    for way in ways:
        judged = [_checked(reading, validator) for reading in way]
        fitting = [one for one in judged if one.fits]
        if len(fitting) == 1:
            return fitting[0]
        if len(judged) == 1 and verdict is None:
            verdict = judged[0]
    if verdict is None:
        verdict = Verdict(
            fits=False, errors=[Misfit("", f"the answer holds {len(ways[0])} JSON values; expected one")]
        )
    return verdict


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
    """`{schema, document}` makes a schema known, `{id, schema, text, seconds}` asks; each verdict carries the id."""
    from batchtui.results.schema import validator_of

    validators: dict[str, Validator] = {}
    for line in questions:
        question = json.loads(line)
        if "document" in question:
            validators[question["schema"]] = validator_of(question["document"])
            continue
        signal.setitimer(signal.ITIMER_PROF, question["seconds"])
        verdict = judge(question["text"], validators[question["schema"]])
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
