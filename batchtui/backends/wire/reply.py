"""What came back from a server, whole; what it means is judged in `replies`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from batchtui.model import Json


@dataclass(slots=True)
class Reply:
    """One whole reply. `headers` have lower-case names; `json` is None where `problem` says why.

    `url` is the address that was asked, where links in the reply count from.
    """

    status: int
    headers: Mapping[str, str]
    json: Json
    text: str
    problem: str | None = None
    url: str = ""
