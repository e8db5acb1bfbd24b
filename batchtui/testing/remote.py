"""What every `Remote` kind must do: send once, say what it does not know, and lose no answer."""

from __future__ import annotations

import asyncio
import re
import time
from typing import ClassVar

import msgspec
import pytest

from batchtui.backends.base import (
    Answer,
    Forgotten,
    NeedsPerson,
    Progress,
    Refused,
    Remote,
    Submission,
    Transient,
    TryLater,
    Unsure,
)
from batchtui.model import SubmissionState
from batchtui.testing.between import Between
from batchtui.testing.kind import LONG, TOKEN, KindTests

AnyRemote = Remote[msgspec.Struct]
SIGN_IN = 401
_PAUSE = 0.05
"""Seconds between two polls of a test."""


class RemoteKind(KindTests[AnyRemote]):
    """Subclass it as `TestMine`, say what `KindTests` asks for and what stands here, and pytest runs the rest."""

    shape = Remote
    creates: ClassVar[str]
    r"""Finds the request that makes a submission, and no other: `r"POST /v1/batches$"`."""
    reads: ClassVar[str]
    """Finds the requests that fetch results."""
    jobs: ClassVar[int] = 3
    """How many the tests send; 1 where a submission is one job."""

    async def sent(self, backend: AnyRemote, one: Submission | None = None) -> Submission:
        """A submission as the engine makes it, its facts kept. Raises what `submit` does."""
        one = one or self.intended()
        jobs = [self.job(index) for index in range(self.jobs)]
        one.jobs = len(jobs)
        remote_id = await backend.submit(one, jobs, one.facts.update)
        assert isinstance(remote_id, str), "submit answers the remote id"
        assert remote_id, "submit answers the remote id"
        one.remote_id = remote_id
        return one

    def intended(self) -> Submission:
        return Submission(id=1, token=TOKEN, batch_name="the tests", created=time.time())

    async def poll(self, backend: AnyRemote, one: Submission) -> Progress:
        """What a poll says of it, its facts kept. Raises what the poll answers in its place."""
        said = (await backend.poll([one]))[one.id]
        if isinstance(said, Transient):
            raise said
        one.facts.update(said.facts)
        return said

    async def ended(self, backend: AnyRemote, one: Submission) -> Progress:
        for _ in range(int(LONG / _PAUSE)):
            said = await self.poll(backend, one)
            if said.state == SubmissionState.ENDED:
                return said
            await asyncio.sleep(_PAUSE)
        raise AssertionError(f"it did not end within {LONG:.0f} s: {said}")

    async def answers(self, backend: AnyRemote, one: Submission) -> dict[str, Answer]:
        """By wire id. A submission whose jobs are born at the backend is asked for them first."""
        if backend.grows:
            one.wanted = tuple([job async for job in backend.jobs(one)])
        found: dict[str, Answer] = {}
        async for answer in backend.results(one, None):
            assert answer.job_id not in found, f"two answers for {answer.job_id!r}"
            found[answer.job_id] = answer
        return found

    def wanted(self, backend: AnyRemote, one: Submission) -> set[str]:
        """The wire ids that answers must carry."""
        if one.wanted is not None:
            return {job.wire_id for job in one.wanted}
        return {backend.wire_id(index, f"row {index}", TOKEN) for index in range(self.jobs)}

    def test_a_line_is_the_same_for_the_same_job(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            first, second = backend.line(self.job()), backend.line(self.job())
            assert first == second
            assert first
            assert backend.group(self.job(0)) == backend.group(self.job(1))
            assert len(first) <= backend.limits.bytes_per_submission

        with self.between() as between:
            self.ask(between, asking)

    def test_every_job_gets_one_answer_and_gets_it_again(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = await self.sent(backend)
            assert between.count(self.creates) == 1, f"creates seen in {between.seen}"
            said = await self.ended(backend, one)
            assert said.ended_as == "completed", said
            found = await self.answers(backend, one)
            assert set(found) == self.wanted(backend, one)
            for answer in found.values():
                assert answer.outcome.state == "completed", answer
            again = await self.answers(backend, one)
            assert {i: a.outcome for i, a in again.items()} == {i: a.outcome for i, a in found.items()}

        with self.between() as between:
            self.ask(between, asking)

    def test_what_was_never_sent_is_not_found(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            found = await backend.find(self.intended())
            assert found.remote_id is None
            assert found.absent or found.reason, "what cannot be told says why"

        with self.between() as between:
            self.ask(between, asking)
            assert between.count(self.creates) == 0

    def test_what_was_sent_is_found_and_never_called_absent(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = await self.sent(backend)
            remote_id, one.remote_id = one.remote_id, None
            found = await backend.find(one)
            assert not found.absent
            assert found.remote_id == remote_id or found.reason, "what cannot be told says why"

        with self.between() as between:
            self.ask(between, asking)

    def test_a_lost_reply_is_unsure_and_the_create_goes_once(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = self.intended()
            with pytest.raises(Unsure):
                await self.sent(backend, one)
            assert between.count(self.creates) == 1, f"no layer repeats a create: {between.seen}"
            between.quiet()
            assert not (await backend.find(one)).absent, "it was made, and find calls it absent"

        with self.between() as between:
            between.lose(self.creates)
            self.ask(between, asking)

    @pytest.mark.parametrize(
        ("status", "faults"),
        [
            (400, (Refused,)),
            (401, (NeedsPerson, Refused)),
            (429, (TryLater,)),
            (500, (Unsure, TryLater)),
            (503, (Unsure, TryLater)),
        ],
    )
    def test_a_create_that_is_not_taken_goes_once(
        self, status: int, faults: tuple[type[Exception], ...]
    ) -> None:
        async def asking(backend: AnyRemote) -> None:
            with pytest.raises(faults) as told:
                await self.sent(backend)
            assert str(told.value).strip(), "what was answered is said"
            assert not (self.key and self.key in str(told.value))
            assert between.count(self.creates) <= (2 if status == SIGN_IN else 1), (
                "a new key may be had, once"
            )

        with self.between() as between:
            between.answer(self.creates, status)
            self.ask(between, asking)

    def test_where_nobody_listens_nothing_was_made(self) -> None:
        async def asking() -> None:
            async with asyncio.timeout(60), self.backend(url) as backend:
                with pytest.raises(TryLater):
                    await self.sent(backend)

        with self.server() as base_url, Between(base_url) as between:
            url = between.url
        asyncio.run(asking())

    def test_results_that_break_off_are_not_the_whole(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = await self.sent(backend)
            await self.ended(backend, one)
            between.cut(self.reads)
            with pytest.raises((Transient, TryLater)):
                await self.answers(backend, one)
            between.quiet()
            found = await self.answers(backend, one)
            assert set(found) == self.wanted(backend, one)

        with self.between() as between:
            self.ask(between, asking)

    def test_what_the_server_does_not_know_has_ended_as_forgotten(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = await self.sent(backend)
            assert one.remote_id is not None
            one.remote_id = self.unknown(one.remote_id)
            try:
                said = await self.poll(backend, one)
            except Forgotten:
                return
            assert (said.state, said.ended_as) == (SubmissionState.ENDED, "forgotten")

        with self.between() as between:
            self.ask(between, asking)

    def unknown(self, remote_id: str) -> str:
        """An id of the same form that the server never gave."""
        return re.sub(r"[0-9a-f]", lambda one: "1" if one[0] == "0" else "0", remote_id)

    def is_same(self, listed: str, remote_id: str) -> bool:
        """Whether a batch in the list is the submission of this id, where the list knows less of it."""
        return listed == remote_id

    def test_a_submission_that_is_cancelled_ends_and_keeps_its_answers(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = await self.sent(backend)
            await backend.cancel(one)
            said = await self.ended(backend, one)
            assert said.ended_as in ("cancelled", "completed", "failed"), said
            try:
                found = await self.answers(backend, one)
            except (Forgotten, Transient):
                return
            assert set(found) <= self.wanted(backend, one)

        with self.between() as between:
            self.ask(between, asking)

    def test_what_lives_there_is_listed(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            one = await self.sent(backend)
            if type(backend).list is Remote.list:
                return
            there = [remote.remote_id for remote in await backend.list()]
            assert any(self.is_same(listed, str(one.remote_id)) for listed in there), there

        with self.between() as between:
            self.ask(between, asking)

    def test_a_probe_says_whether_it_is_there(self) -> None:
        async def asking(backend: AnyRemote) -> None:
            said = await backend.probe()
            assert said.ok, said.message
            assert said.message.strip()

        with self.between() as between:
            self.ask(between, asking)
            assert between.count(self.creates) == 0
