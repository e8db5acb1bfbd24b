"""Files that a crash, a copy or another program left in a data folder, as the commands that look and that drive see them."""

from __future__ import annotations

import json

from batchtui.model import Json
from batchtui.store.folder import BatchFolder
from tests.hostile.corpus import FOLDER, Case
from tests.hostile.place import Place
from tests.hostile.server import Odd
from tests.store.store_help import make, plant

TARGETS: dict[str, dict[str, Json]] = {
    entry["path"]: entry for entry in json.loads((FOLDER / "bad-state/index.json").read_text())
}
"""Which file of a batch each case stands for, and what the store does with it."""
CONFIG = """
[backends.claude]
kind = "openai"
base_url = "{url}/v1"
poll_interval = 0.1
settle = 0.2
[prices.m]
input = 1.0
output = 2.0
"""
TEMPLATE = {"prompt": "{{ text }}", "model": "m"}
NEVER = ("test-000", "escape")


def planted(case: Case, place: Place, jobs: int = 6, **facts: Json) -> BatchFolder:
    """A sound batch `other`, and a batch `t` with the case's file in the place of its own; the latter."""
    make(place.data, name="other", kind="openai", template=TEMPLATE)
    folder = make(place.data, jobs, name="t", template=TEMPLATE, **{"kind": "openai"} | facts)
    plant(folder, TARGETS[case.name])
    return folder


def state(case: Case, place: Place) -> None:
    with Odd() as server:
        (place.root / "config.toml").write_text(CONFIG.format(url=server.url))
        folder = planted(case, place, *(1,) if case.name == "intent-only.jsonl" else ())
        target = TARGETS[case.name]
        file = folder.path / target["target"].rstrip("+")
        before = file.read_bytes()
        listed = place("list")
        assert "other" in listed.out
        said = listed.err + listed.out
        for command in (
            ["status", folder.id],
            ["results", folder.id],
            ["errors", folder.id],
            ["fsck", folder.id],
        ):
            ran = place(*command)
            said += ran.err + ran.out
            assert ran.code in (0, 1), (command, ran)
        both = case.name == "intent-two-batches.jsonl"
        driven = place(
            "resume", folder.id, enough=(lambda text: "b1" in text and "b2" in text) if both else None
        )
        said += driven.err + driven.out + place.statuses()
        words_told = {*target["mentions"], *case.says} - {"None"}
        assert all(words in said for words in words_told), said
        assert not [words for words in NEVER if words in said], said
        if target["outcome"] in ("refused", "read-only"):
            assert driven.code == 1, driven
            assert server.made == []
            assert file.read_bytes() == before
        elif not both:
            assert driven.code == 0, driven
            assert len(server.made) == 1
