"""Whether an API of kind `rest` is there and lets us in, in what it was seen to answer."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from time import time

from batchtui.backends.base import NeedsPerson, Probe, Refused, Submission, Transient, TryLater
from batchtui.backends.rest.lists import ask, request_of, understood
from batchtui.backends.rest.parts import Parts
from batchtui.backends.rest.session import Session
from batchtui.backends.rest.states import word_of
from batchtui.backends.rest.templates import Request
from batchtui.backends.wire.replies import Reply
from batchtui.model import Json
from batchtui.sources.templates.filters import as_text
from batchtui.text import cell

LOOKED_AT = 10
"""Pages of a list that are read."""
_SHOWN = 5


def nothing() -> Submission:
    """Stands for what was submitted where nothing was: for calls about all there is."""
    return Submission(id=0, token="", batch_name="", created=time())


async def probe(parts: Parts, session: Session, where: str) -> Probe:
    """`where` is the table in messages."""
    try:
        if session.signs_in:
            await session.sign_in()
        if parts.probe is not None:
            return await _by_call(parts, session)
        if parts.listing[0] is not None:
            return await _by_list(parts, session, where)
        return await _by_address(session, where)
    except (Refused, TryLater, Transient, NeedsPerson) as fault:
        return Probe(ok=False, message=fault.message)


async def _by_call(parts: Parts, session: Session) -> Probe:
    assert parts.probe is not None
    reply = await ask(session, request_of(parts.probe, {"env": session.env}))
    value = understood(reply)
    if not parts.offered:
        return Probe(ok=True, message=f"{session.http.place} answers {_seen(reply, value)}")
    items = parts.offered(reply)
    if not isinstance(items, list):
        return Probe(ok=False, message=f"the reply ({reply.status}) holds no list at {parts.offered}")
    names = [cell(as_text(name), 100) for one in items if (name := parts.offer(one)) is not None]
    return Probe(ok=True, message=f"{session.http.place} answers; it offers {len(items):,}", models=names)


def _seen(reply: Reply, value: Json) -> str:
    """Such as `200 with id, status and links`."""
    if isinstance(value, dict):
        keys = ", ".join(cell(key, 30) for key in list(value)[:_SHOWN])
        return (
            f"{reply.status} with {keys}{' …' if len(value) > _SHOWN else ''}" if keys else f"{reply.status}"
        )
    return f"{reply.status} with {f'a list of {len(value):,}' if isinstance(value, list) else 'JSON'}"


async def _by_list(parts: Parts, session: Session, where: str) -> Probe:
    """What lives there, by status; one that is not known is worth knowing before anything is sent."""
    listing, id_at = parts.listing
    assert listing is not None
    words: Counter[str] = Counter()
    unknown: list[Json] = []
    seen = nameless = 0
    async with aclosing(listing.pages(session, parts.values(nothing(), session.env), LOOKED_AT)) as pages:
        async for page in pages:
            for item in page.items:
                seen += 1
                nameless += id_at.id(item) is None
                status = parts.status(item)
                if status is not None:
                    words[cell(word_of(status), 40)] += 1
                    unknown += [status] if parts.state_of(status) is None else []
    counts = ", ".join(f"{count:,} {word}" for word, count in words.most_common(_SHOWN))
    message = f"{session.http.place} answers; its list shows {seen:,}{f' ({counts})' if counts else ''}"
    if nameless:
        message += f"; {nameless:,} without an id at {id_at}"
    if unknown:
        message += f"; {parts.state_of.unknown(unknown[0]).message}"
    return Probe(ok=not nameless, message=message)


async def _by_address(session: Session, where: str) -> Probe:
    """Any answer shows that something is there; whether our key is good it does not."""
    reply = await ask(session, Request("GET", "", {}, {}, None))
    if session.signs_in:
        return Probe(ok=True, message=f"{session.http.place} answers, and signing in works")
    told = f"{session.http.place} answers ({reply.status} to its base_url)"
    return Probe(ok=True, message=f"{told}; whether the key is good it does not say: {where} has no `probe`")
