"""What cannot be told of one submission hides no other, and is hidden by none."""

from __future__ import annotations

import pytest

from batchtui.backends.base import Progress, Submission, Transient
from batchtui.backends.wire.calls import ask_each
from batchtui.model import SubmissionState


def submissions(count: int) -> list[Submission]:
    return [Submission(id=n, token=f"t{n}", batch_name="b", created=0.0) for n in range(count)]


async def asked(count: int, faults: dict[int, Transient]) -> dict[int, Progress | Transient]:
    async def one(submission: Submission) -> Progress:
        if submission.id in faults:
            raise faults[submission.id]
        return Progress(SubmissionState.PROCESSING)

    told: dict[int, Progress | Transient] = {}
    await ask_each(submissions(count), one, told)
    return told


async def test_one_that_cannot_be_told_stands_among_the_others() -> None:
    fault = Transient("cut")
    told = await asked(3, {1: fault})
    assert told[1] is fault
    assert all(isinstance(told[n], Progress) for n in (0, 2))


async def test_where_nothing_was_answered_it_is_the_backend_that_is_in_trouble() -> None:
    with pytest.raises(Transient, match="cut"):
        await asked(2, {0: Transient("cut"), 1: Transient("cut too")})


async def test_a_backend_that_answers_is_not_in_trouble() -> None:
    fault = Transient("a status that is not known", answered=True)
    assert (await asked(1, {0: fault}))[0] is fault
