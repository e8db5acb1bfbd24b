"""What every `Direct` kind must do: answer one job, stop when told, and say of a fault whether the job may have been done."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec
import pytest

from batchtui.backends.base import Direct, NeedsPerson, Refused, Transient, TryLater
from batchtui.model import Json, Outcome
from batchtui.testing.between import Between
from batchtui.testing.kind import KindTests

AnyDirect = Direct[msgspec.Struct]
_OF_A_SERVER = (
    "test_a_refusal_says_what_it_is",
    "test_a_lost_reply_may_have_been_done",
    "test_an_answer_that_breaks_off_is_none",
    "test_where_nobody_listens_nothing_was_done",
)
_STOPS = 5.0
"""Seconds within which a job that is told to stop must have."""


class DirectKind(KindTests[AnyDirect]):
    """Subclass it as `TestMine`, say what `KindTests` asks for and what stands here, and pytest runs the rest."""

    shape = Direct
    asks: ClassVar[str | None] = None
    """Finds the request that does a job; None where a job asks no server."""
    long: ClassVar[dict[str, Json] | None] = None
    """Keys of `[job]`, laid over `work`, of one that takes ten seconds and more; None: the kind has none such."""

    @classmethod
    def not_asked(cls) -> list[str]:
        names = super().not_asked()
        if cls.long is None:
            names.append("test_a_job_that_is_stopped_ends_at_once")
        if cls.asks is None:
            names += _OF_A_SERVER
        return names

    async def done(self, backend: AnyDirect, **changes: Json) -> Outcome:
        facts: list[dict[str, Json]] = []
        return await backend.run(self.job(**changes), facts.append)

    def test_a_job_gets_its_answer(self) -> None:
        async def asking(backend: AnyDirect) -> None:
            outcome = await self.done(backend)
            assert outcome.state == "completed", outcome
            if self.asks:
                assert between.count(self.asks) == 1, between.seen

        with self.between() as between:
            self.ask(between, asking)

    def test_a_job_that_is_stopped_ends_at_once(self) -> None:
        long = self.long or {}

        async def asking(backend: AnyDirect) -> None:
            task = asyncio.ensure_future(self.done(backend, **long))
            await asyncio.sleep(0.5)
            assert not task.done(), "the long job is over already"
            task.cancel()
            async with asyncio.timeout(_STOPS):
                with pytest.raises(asyncio.CancelledError):
                    await task

        with self.between() as between:
            self.ask(between, asking)

    @pytest.mark.parametrize(
        ("status", "faults"),
        [
            (400, (Refused,)),
            (401, (NeedsPerson, Refused)),
            (429, (TryLater,)),
            (500, (Transient, TryLater)),
            (503, (Transient, TryLater)),
        ],
    )
    def test_a_refusal_says_what_it_is(self, status: int, faults: tuple[type[Exception], ...]) -> None:
        async def asking(backend: AnyDirect) -> None:
            with pytest.raises(faults) as told:
                await self.done(backend)
            assert str(told.value).strip(), "what was answered is said"
            assert not (self.key and self.key in str(told.value))
            assert between.count(self.asking) == 1, "the engine tries again, and nothing below it"

        with self.between() as between:
            between.answer(self.asking, status)
            self.ask(between, asking)

    @property
    def asking(self) -> str:
        return self.asks or ""

    def test_a_lost_reply_may_have_been_done(self) -> None:
        async def asking(backend: AnyDirect) -> None:
            with pytest.raises(Transient) as told:
                await self.done(backend)
            assert told.value.maybe_done
            assert between.count(self.asking) == 1, "the engine tries again, and nothing below it"

        with self.between() as between:
            between.lose(self.asking)
            self.ask(between, asking)

    def test_an_answer_that_breaks_off_is_none(self) -> None:
        async def asking(backend: AnyDirect) -> None:
            with pytest.raises(Transient):
                await self.done(backend)

        with self.between() as between:
            between.cut(self.asking)
            self.ask(between, asking)

    def test_where_nobody_listens_nothing_was_done(self) -> None:
        async def asking() -> None:
            async with asyncio.timeout(60), self.backend(url) as backend:
                with pytest.raises((TryLater, Transient)) as told:
                    await self.done(backend)
                assert not getattr(told.value, "maybe_done", False)

        with self.server() as base_url, Between(base_url) as between:
            url = between.url
        asyncio.run(asking())
