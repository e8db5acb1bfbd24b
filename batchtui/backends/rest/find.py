"""Looking up a submission of kind `rest` whose reply was lost: by its token, in a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace

from batchtui.backends.base import Found, Refused, Submission
from batchtui.backends.rest.lists import ask, request_of, understood
from batchtui.backends.rest.parts import KEPT, Parts, kept_of
from batchtui.backends.rest.session import Session
from batchtui.model import Json
from batchtui.sources.templates.filters import as_text

GONE = (404, 410)
_NOTHING_TO_SEE = (403, 404, 409, 410, 422)


class Lookup:
    """`where` is the table in messages."""

    def __init__(self, parts: Parts, session: Session, where: str) -> None:
        self._parts, self._session, self._where = parts, session, where
        self._learnt: dict[str, dict[str, Json]] = {}
        self._marks: dict[str, str] = {}
        """By id, of items that were looked at one by one: what they carry does not change."""

    async def find(self, submission: Submission) -> Found:
        """Raises Transient, TryLater, NeedsPerson."""
        parts = self._parts
        if parts.find is None:
            return Found(reason=f"{self._where} has no `find`: ask the service itself whether it was made")
        values = parts.values(submission, self._session.env)
        unclear: list[Json] = []
        complete, told = False, 0
        try:
            async with aclosing(parts.find.pages(self._session, values)) as pages:
                async for page in pages:
                    for item in page.items:
                        remote_id = parts.find_id.id(item)
                        if remote_id in submission.others:
                            continue
                        mark = await self._mark(item, values)
                        if mark is not None and submission.token in mark:
                            return self._found(remote_id, item)
                        told += mark is not None
                        unclear += [item] if mark is None else []
                    complete = page.complete
        except Refused as fault:
            return Found(reason=f"it cannot be looked up: {fault.message}")
        if not complete:
            where = f"(say where that is in {self._where}.find)"
            return Found(reason=f"the list could not be read to its end {where}")
        return self._judged(unclear, told)

    def _judged(self, unclear: list[Json], told: int) -> Found:
        """What items without a mark prove: in a list that shows marks they are others', else nothing."""
        parts = self._parts
        if not unclear or (parts.look is None and told):
            return Found(absent=True)
        ids = ", ".join(parts.find_id.id(item) or "one without an id" for item in unclear[:5])
        where = f"({len(unclear):,} show nothing at {parts.find_token})"
        later = parts.look is not None and any(parts.is_live(item) for item in unclear)
        return Found(reason=f"it may be {ids} {where}", later=later)

    async def _mark(self, item: Json, values: Mapping[str, Json]) -> str | None:
        """What an item carries in the place of a token; None where it shows nothing there, or not yet."""
        parts, shown = self._parts, item
        if parts.look is not None:
            remote_id = parts.find_id.id(item)
            if remote_id in self._marks:
                return self._marks[remote_id]
            try:
                request = request_of(parts.look, {**values, "item": item})
            except Refused:  # what the look needs comes with its end
                return None
            reply = await ask(self._session, request)
            if reply.status in _NOTHING_TO_SEE:
                return None
            shown = understood(reply)
        found = parts.find_token(shown)
        mark = None if found is None else as_text(found)
        if mark is not None and parts.look is not None and remote_id is not None:
            self._marks[remote_id] = mark
        return mark

    def _found(self, remote_id: str | None, item: Json) -> Found:
        if remote_id is None:
            return Found(reason=f"the API holds it, but shows no id at {self._parts.find_id}")
        self._learnt[remote_id] = kept_of(self._parts.find_keep, item)
        return Found(remote_id=remote_id)

    def learnt(self, submission: Submission) -> dict[str, Json]:
        """What was learnt beside the id when it was found, for a poll to write down."""
        return self._learnt.get(submission.remote_id or "", {})

    async def whole(self, submission: Submission, names: Collection[str]) -> Submission:
        """With the ids of these names: one that was found may have lost them to a crash before they were kept."""
        kept = submission.facts.get(KEPT) or {}
        missing = (set(names) & self._parts.find_keep.keys()) - kept.keys()
        if not missing:
            return submission
        if submission.remote_id not in self._learnt:
            await self._learn(submission)
        return replace(submission, facts={**submission.facts, KEPT: {**self.learnt(submission), **kept}})

    async def _learn(self, submission: Submission) -> None:
        """From the item of the list that has its id, if there is one."""
        parts = self._parts
        if parts.find is None:
            return
        values = parts.values(submission, self._session.env)
        with suppress(Refused):
            async with aclosing(parts.find.pages(self._session, values)) as pages:
                async for page in pages:
                    for item in page.items:
                        if parts.find_id.id(item) == submission.remote_id:
                            self._found(submission.remote_id, item)
                            return
