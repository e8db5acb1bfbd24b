"""What replies of such a provider say beside a batch: of a storage, of a list, of a file's size, in place of an id."""

from __future__ import annotations

from batchtui.backends.base import Refused, Transient
from batchtui.backends.wire.replies import Reply, provider_words
from batchtui.backends.wire.values import id_fault
from batchtui.model import Json

Objects = list[dict[str, Json]]


def put(reply: Reply) -> Reply:
    """The reply of a storage that took bytes at an address of its own. Raises Refused, Transient.

    Its 401 or 403 says that the address has expired, nothing of our key.
    """
    if 200 <= reply.status < 300:
        return reply
    message = f"the storage did not take the file: {provider_words(reply)} ({reply.status})"
    if reply.status == 413:
        raise Refused(message, "too_large", reply.json)
    raise Transient(message, kind="storage")


def size_of(file: dict[str, Json]) -> int | None:
    """The bytes that a file object says; numbers of 64 bits come as text."""
    value = next((file[key] for key in ("bytes", "size_bytes", "sizeBytes", "size") if file.get(key)), None)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def objects(values: Json) -> Objects:
    """The objects among what a list holds. Raises Transient where it is no list."""
    if not isinstance(values, list):
        raise Transient("the list of batches holds no data", kind="bad_reply")
    return [value for value in values if isinstance(value, dict)]


def no_id(made: dict[str, Json]) -> str:
    """What a reply says in place of an id."""
    told = (made.get(key) for key in ("id", "name"))
    return next((why for value in told if (why := id_fault(value))), "no id for the batch")
