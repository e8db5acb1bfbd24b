"""What the tests of both sorts of kinds share: a server with `Between` before it, a backend, its jobs, one event loop a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import ClassVar, Generic, TypeVar

import msgspec

from batchtui.backends import registry
from batchtui.backends.base import Backend, Job
from batchtui.model import Json
from batchtui.testing.between import Between
from batchtui.text import Secret
from batchtui.typed import convert

B = TypeVar("B", bound="Backend[msgspec.Struct]")
TOKEN = "b-1-0123456789abcdef"
"""The token of the submission that the tests send."""
LONG = 60.0
"""Seconds after which a test that waits for the server has failed."""


class KindTests(Generic[B]):
    """What a subclass says of its kind, and how its tests ask."""

    kind: ClassVar[str]
    """Its name, under which the registry finds it."""
    shape: ClassVar[type[object]]
    table: ClassVar[dict[str, Json]] = {}
    """More keys of its table in the configuration."""
    key: ClassVar[str | None] = "key-of-the-tests-0123456789"
    """None where it takes none."""
    work: ClassVar[dict[str, Json]]
    """`[job]` of a job that is done without a fault."""
    wrong: ClassVar[dict[str, Json]]
    """Keys of `[job]`, laid over `work`, that `check` or the types refuse."""

    def __init_subclass__(cls) -> None:
        """Tests of what the kind does not have are none of its tests."""
        super().__init_subclass__()
        for name in cls.not_asked():
            setattr(cls, name, None)

    @classmethod
    def not_asked(cls) -> list[str]:
        """Names of the tests that are not for this kind."""
        return (
            ["test_the_key_is_told_nowhere", "test_another_key_is_another_account"] if cls.key is None else []
        )

    def server(self) -> AbstractContextManager[str]:
        """The `base_url` of a server that does the work, for one test."""
        raise NotImplementedError("server() answers the base_url of a server for the tests of this kind")

    @contextmanager
    def between(self) -> Iterator[Between]:
        with self.server() as base_url, Between(base_url) as between:
            yield between

    def job(self, index: int = 0, **changes: Json) -> Job[msgspec.Struct]:
        """One that the engine would hand over. Raises msgspec.ValidationError for work that does not fit `Work`."""
        work = convert({**self.work, **changes}, registry.load_kind(self.kind).Work)
        return Job(index, f"row {index}", 1, TOKEN, work)

    @asynccontextmanager
    async def backend(self, base_url: str) -> AsyncIterator[B]:
        table: dict[str, Json] = {"kind": self.kind, "base_url": base_url, **self.table}
        made = registry.build("tested", table, Secret(self.key) if self.key else None)
        assert isinstance(made, self.shape), f"{self.kind} is no {self.shape.__name__} kind"
        try:
            yield made  # type: ignore[misc]
        finally:
            await made.close()

    def ask(self, between: Between, asking: Callable[[B], Awaitable[None]]) -> None:
        """Runs it over a backend whose server is behind `between`, in a loop of its own."""

        async def whole() -> None:
            async with asyncio.timeout(LONG), self.backend(between.url) as backend:
                await asking(backend)

        asyncio.run(whole())

    def test_a_job_that_is_right_is_not_refused(self) -> None:
        async def asking(backend: B) -> None:
            assert not backend.check(self.job())

        with self.between() as between:
            self.ask(between, asking)
            assert between.seen == [], "check asks nobody"

    def test_a_wrong_job_is_refused_before_anything_is_sent(self) -> None:
        async def asking(backend: B) -> None:
            try:
                job = self.job(**self.wrong)
            except msgspec.ValidationError:
                return
            faults = backend.check(job)
            assert faults, f"check finds nothing wrong with {self.wrong}"
            for key, words in faults:
                assert words.strip(), f"check says nothing of {key!r}"

        with self.between() as between:
            self.ask(between, asking)
            assert between.seen == [], "check asks nobody"

    def test_the_key_is_told_nowhere(self) -> None:
        async def asking(backend: B) -> None:
            job, key = self.job(), self.key
            assert key is not None
            for name, told in (
                ("repr", repr(backend)),
                ("account", backend.account()),
                ("describe", str(backend.describe(job))),
            ):
                assert key not in told, f"the key stands in {name}"

        with self.between() as between:
            self.ask(between, asking)

    def test_another_key_is_another_account(self) -> None:
        async def asking(backend: B) -> None:
            accounts.append(backend.account())

        accounts: list[str] = []
        with self.between() as between:
            self.ask(between, asking)
            other = type(self)()
            other.key = f"{self.key}-of-another"  # type: ignore[misc]
            other.ask(between, asking)
            self.ask(between, asking)
        assert accounts[0] == accounts[2] != accounts[1]
