"""The hostile cases: what each is, what has to come of it, and where that was decided otherwise, why.

`tests/data/hostile/index.json` says what each case asks for; `decided.toml` beside this file mends it, always with a
`reason`; `verdicts.toml` says by what a case of results or replies is judged: the state of each row and what is told.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.model import Json

FOLDER = Path(__file__).parents[1] / "data" / "hostile"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """`part` and `name` as `bad-config` and `crlf.toml`; `says` are words that the user must be told."""

    part: str
    name: str
    what: str
    outcome: str
    says: tuple[str, ...]
    reason: str | None = None
    """Why it is judged otherwise than the index asks for."""
    verdict: dict[str, Json] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.part}:{self.name}"

    @property
    def path(self) -> Path:
        return FOLDER / self.part / self.name

    @property
    def stops(self) -> bool:
        return self.outcome == "reject"

    @property
    def warns(self) -> bool:
        return self.outcome == "accept with warning"


def _table(name: str) -> dict[str, dict[str, Json]]:
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))


def _cases() -> list[Case]:
    index = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    decided, verdicts = _table("decided.toml"), _table("verdicts.toml")
    found = []
    for entry in index["files"]:
        part, name = entry["path"].split("/")
        mended = decided.get(part, {}).get(name, {})
        found.append(
            Case(
                part, name, entry["what"], mended.get("outcome", entry["outcome"]),
                tuple(mended.get("says", entry["message_mentions"])), mended.get("reason"),
                verdicts.get(part, {}).get(name.rsplit(".", 1)[0], {}),
            )
        )  # fmt: skip
    return found


CASES = _cases()


def of(*parts: str) -> list[Case]:
    return [case for case in CASES if case.part in parts]


STRINGS: dict[str, str] = {}
FORBIDDEN: dict[str, list[bytes]] = {}
"""By a string's name, the bytes of it that no terminal may get."""
for _line in (FOLDER / "hostile-strings.jsonl").read_bytes().splitlines():
    _row = json.loads(_line)
    STRINGS[_row["name"]] = bytes.fromhex(_row["hex"]).decode("utf-8", "surrogatepass")
    FORBIDDEN[_row["name"]] = [bytes.fromhex(part) for part in _row["must_not_reach_terminal"]]
