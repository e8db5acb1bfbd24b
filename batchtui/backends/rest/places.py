"""Where something stands in a reply: in its body, in a header, in a link, or in its status line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from batchtui.backends.rest.settings import Call, Later
from batchtui.backends.wire.replies import Reply
from batchtui.errors import nearest
from batchtui.model import Json
from batchtui.sources.templates.expressions import Expression, ExpressionError
from batchtui.text import cell

Getter = Callable[[Json | Reply], Json]
FORMS = {"header": "header:Location", "link": "link:next", "http": "http:status"}
"""What a place that is no expression begins with, and one such place each."""
LINK_LIMIT = 8000
ADDRESS_LIMIT = 2000
_FORM = re.compile(r"([A-Za-z]+):(.*)", re.DOTALL)
_LINK_HEADERS = frozenset({"location", "content-location", "operation-location", "azure-asyncoperation"})
"""They hold addresses, which may be said in short: as seen from the call that they answer."""
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))""", re.I)
_ID = "{{ id }}"
_ONE_ID = re.compile(r"\{\{\s*id\s*\}\}")
_ANY = re.compile(r"\{\{.*?\}\}")


class PlaceError(Exception):
    """A sentence about one place; the caller knows its key."""


@dataclass(slots=True)
class Places:
    """Where something stands in a reply; calling it gives the first value that is not null, else None.

    What is given is a reply, or JSON that was part of one, which has neither headers nor a status.
    """

    key: str
    sources: list[str]
    getters: list[Getter]
    inside: re.Pattern[str] | None = None
    """Around the id where that is part of what stands there."""
    pattern: str = field(default="")
    ways: Ways | None = None
    """How the table's calls ask for an id, where that says which part of an address it is."""

    def __bool__(self) -> bool:
        return bool(self.getters)

    def __str__(self) -> str:
        return f"{self.key} ({', '.join(cell(source, 60) for source in self.sources)})"

    def __call__(self, reply: Json | Reply) -> Json:
        return self._first(reply)[0]

    def _first(self, reply: Json | Reply) -> tuple[Json, str]:
        """The value, and the place that it stood at."""
        for getter, source in zip(self.getters, self.sources, strict=True):
            value = getter(reply)
            if value is not None:
                return value, source
        return None, ""

    def id(self, reply: Json | Reply) -> str | None:
        """What stands there as an id: a text or a whole number; of an address in a header or link a part of it."""
        value, source = self._first(reply)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and self.inside is not None:
            match = self.inside.search(text[:ADDRESS_LIMIT])
            text = unquote(match[1]) if match else None
        elif isinstance(text, str) and is_link(source):
            text = self.ways.id(text) if self.ways else last_part(text)
        usable = isinstance(text, str) and text.isprintable() and text.strip(". ")
        return text if usable else None

    def id_fault(self, reply: Json | Reply) -> str | None:
        """Why what stands there is no id; None where it is one, or where nothing stands there."""
        value = self(reply)
        if value is None or value == "" or self.id(reply) is not None:
            return None
        if self.inside is not None:
            return f'what {self} holds has no part like "{cell(self.pattern, 60)}"'
        if self.ways and isinstance(value, str) and is_link(self._first(reply)[1]):
            around = cell(around_id(value), 60)
            return (
                f'{self} holds "{cell(value, 120)}", and no call of the table tells which part of it is the id: '
                f'say so by {self.key}_in, such as "{around}"'
            )
        return f'{self} holds "{cell(value, 60)}", which is no id that can be asked for'

    def address(self, reply: Json | Reply) -> str | None:
        """What stands there as an address, made whole by that of the reply."""
        value = self(reply)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            return None
        return joined(reply.url, value) if isinstance(reply, Reply) else value.strip()

    def secret(self, reply: Json | Reply) -> str | None:
        """What stands there as a token: of any length, for a header to carry."""
        value = self(reply)
        return value if isinstance(value, str) and value and value.isascii() and value.isprintable() else None

    def count(self, reply: Json | Reply) -> int | None:
        value = self(reply)
        whole = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
        return int(value) if whole else None

    def number(self, reply: Json | Reply) -> float | None:
        value = self(reply)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def joined(url: str, address: str) -> str:
    """An address as seen from that url; as it stands where it cannot be read."""
    try:
        return urljoin(url, address.strip())
    except ValueError:
        return address.strip()


def last_part(address: str) -> str:
    """`abc` of `https://host/jobs/abc/?f=json`, and of an id alone itself."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    return unquote(path.rstrip("/").rpartition("/")[2])


def around_id(address: str) -> str:
    """What `id_in` may be for an address whose id stands in its query: `job={{ id }}` of `/status?job=abc`."""
    names = [name for name, _ in parse_qsl(urlsplit(address).query)] if _is_read(address) else []
    return f"{names[0] if names else 'jobs/'}{'=' if names else ''}{_ID}"


def _is_read(address: str) -> bool:
    try:
        urlsplit(address)
    except ValueError:
        return False
    return True


class Ways:
    """How the calls of a table ask for an id: by that the id in an address is told from what stands around it.

    `base`: the address that paths start from; `used`: every name that the calls take something from.
    """

    def __init__(self, calls: Iterable[Call | Later], base: str, used: Iterable[str]) -> None:
        self._queries: list[str] = []
        """Names in a query whose value is an id."""
        self._befores: list[str] = []
        """Patterns of what stands before an id in a path; those that begin at the base come first."""
        self._whole = "id" not in set(used)
        below = urlsplit(base).path.strip("/")
        found: list[str] = []
        for call in calls:
            self._whole |= isinstance(call, Later) and _is_id(call.url)
            self._queries += [name for name, value in call.query.items() if _is_id(value)]
            before, mark, _ = _ONE_ID.sub(_ID, call.path or "").partition(_ID)
            if mark:
                found += [f"/{below}/{before}".replace("//", "/"), before]
        for before in found:
            pattern = "[^/]+".join(map(re.escape, _ANY.split(before)))
            if pattern.strip("/"):
                self._befores.append(pattern if before.startswith("/") else f"(?:.*/)?{pattern}")

    def id(self, address: str) -> str | None:
        """The id in that address, as a call of the table asks for it; None where it may be any part.

        Where no call takes an id but one goes to an address that was kept, the path and the query name the work. An
        address without a query that no call is like ends with the id.
        """
        try:
            parts = urlsplit(address[:ADDRESS_LIMIT])
        except ValueError:
            return None
        if self._whole:
            return f"{parts.path}?{parts.query}" if parts.query else parts.path
        asked = dict(parse_qsl(parts.query))
        for name in self._queries:
            if name in asked:
                return asked[name]
        for before in self._befores:
            if match := re.match(f"{before}([^/]+)", parts.path):
                return unquote(match[1])
        return None if parts.query or parts.fragment else last_part(address)


def _is_id(value: Json) -> bool:
    return isinstance(value, str) and _ONE_ID.fullmatch(value) is not None


def is_link(source: str) -> bool:
    form, _, name = source.partition(":")
    return form == "link" or (form == "header" and name.strip().lower() in _LINK_HEADERS)


def inside_of(pattern: str) -> re.Pattern[str]:
    """`jobs/{{ id }}/status` as what finds the id. Raises PlaceError."""
    before, mark, after = _ONE_ID.sub(_ID, pattern).partition(_ID)
    if not mark or "{{" in before + after or not before + after:
        raise PlaceError("expected text around {{ id }}, such as jobs/{{ id }}")
    return re.compile(f"{re.escape(before)}([^/?#&]+){re.escape(after)}")


def getter_of(source: str) -> Getter:
    """Raises PlaceError for a place that cannot be read."""
    match = _FORM.fullmatch(source.strip())
    form, name = (match[1], match[2].strip()) if match else ("", "")
    if form and form not in FORMS:
        hint = nearest(form, FORMS) or ";"
        raise PlaceError(f'no such place "{cell(form, 20)}:"{hint} there are {", ".join(FORMS.values())}')
    if form == "http":
        if name != "status":
            raise PlaceError("there is http:status alone, the number in the status line")
        return lambda reply: reply.status if isinstance(reply, Reply) else None
    if form and not (name.isascii() and name.isprintable() and name):
        raise PlaceError(f"{form}: takes a name, as in {FORMS[form]}")
    if form == "header":
        return _header(name.lower())
    if form == "link":
        return _link(name)
    return _in_body(source)


def _header(name: str) -> Getter:
    def get(reply: Json | Reply) -> Json:
        value = reply.headers.get(name) if isinstance(reply, Reply) else None
        if not isinstance(reply, Reply) or not value:
            return None
        return joined(reply.url, value) if name in _LINK_HEADERS else value

    return get


def _in_body(source: str) -> Getter:
    try:
        expression = Expression(source)
    except ExpressionError as fault:
        raise PlaceError(str(fault)) from None

    def get(reply: Json | Reply) -> Json:
        body = reply.json if isinstance(reply, Reply) else reply
        try:
            return expression.value({"reply": body, **body} if isinstance(body, dict) else {"reply": body})
        except ExpressionError:
            return None

    return get


def _link(rel: str) -> Getter:
    """The address of the link of that relation, in the header `Link` or among the `links` of the body."""

    def get(reply: Json | Reply) -> Json:
        body = reply.json if isinstance(reply, Reply) else reply
        found = next(_linked(reply, body, rel.lower()), None)
        return joined(reply.url, found) if found and isinstance(reply, Reply) else found

    return get


def _linked(reply: Json | Reply, body: Json, rel: str) -> Iterator[str]:
    if isinstance(reply, Reply):
        for address, rest in _LINK.findall(reply.headers.get("link", "")[:LINK_LIMIT]):
            match = _REL.search(rest)
            if match and rel in (match[1] or match[2] or "").lower().split():
                yield address
    links = (body.get("links") or body.get("_links")) if isinstance(body, dict) else None
    if isinstance(links, dict):  # HAL, JSON:API
        given = ((name, one if isinstance(one, dict) else {"href": one}) for name, one in links.items())
        links = [{**one, "rel": name} for name, one in given]
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and isinstance(one.get("href"), str) and rel == str(one.get("rel")).lower():
            yield one["href"]
