"""Keys are masked where they are shown; names and ids that look a little like them never are."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest

from batchtui import masking
from batchtui.masking import MASK, holds_key, mask
from batchtui.text import cell, page

_RANDOM = random.Random(3)


def made(count: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "aB3" + "".join(_RANDOM.choice(letters) for _ in range(count - 3))


FORMS = [
    "sk-ant-api03-" + made(93) + "AA", "sk-ant-admin01-" + made(93) + "AA", "sk-proj-" + made(74) + "T3BlbkFJ" + made(74),
    "sk-" + made(20) + "T3BlbkFJ" + made(20), "sk-svcacct-" + made(150), "sk-or-v1-" + made(64),
    "AIza" + made(35, string.ascii_letters + string.digits + "-_"), "gsk_" + made(52), "xai-" + made(80),
    "hf_" + made(34, string.ascii_letters), "tgp_v1_" + made(43), "AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + made(36),
    "gho_" + made(36), "github_pat_" + made(22) + "_" + made(59),
]  # fmt: skip
NAMES = [
    "uk_2030scenario", "sk-2030-scenario-with-a-long-name-that-goes-on-and-on", "hf_weights", "xai-report", "gsk_trial_7",
    "sk-learn-baseline-0001", "ghp_figures_of_the_year_2030_and_beyond_x", "AKIABENDUM", "AIza", "task-" + "a" * 60,
    "sk-da39a3ee5e6b4b0d3255bfef95601890afd80709", "sk-ant-colony-optimisation-of-the-grid", "risk-" + made(48),
    "hf_" + "0" * 34, "disk-sk-" + "x" * 50, "sk_live_views", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "sk-proj-notes",
]  # fmt: skip


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", ())
    monkeypatch.setattr(masking, "_in_json", ())
    monkeypatch.setattr(masking, "_waiting", [])


@pytest.mark.parametrize("key", FORMS)
def test_a_published_form_is_masked_wherever_it_stands(key: str) -> None:
    for text in (key, f"key={key}", f'{{"a": "{key}"}}', f"use {key}, please", f"{key}\n{key}"):
        assert key not in mask(text)
        assert MASK in mask(text)
    assert holds_key(json.dumps({"raw_response": f"it is {key}"}).encode())
    for cut in (20, 30, 200):
        assert key[:12] not in cell("x " * 5 + key, cut)
    assert key[:12] not in page("x" * 63_990 + " " + key)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_ids_are_never_masked(name: str) -> None:
    for text in (name, f"{name}.json", f"job {name} failed", f"{name}-1"):
        assert mask(text) == text
    assert not holds_key(json.dumps(name).encode())


def test_no_word_of_what_people_brought_is_masked() -> None:
    folder = Path(__file__).parent / "data"
    texts = [*(folder / "inputs").rglob("*.csv"), *(folder / "hostile").rglob("*.toml")]
    assert len(texts) > 10
    for path in texts:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert mask(text) == text, path


def test_known_keys_are_masked_letter_for_letter() -> None:
    masking.know(
        "dummy-key-of-mine", "dummy-key-of-mine-too", "short", "https://example.com/v1", 'quo"te\\d-key-1'
    )
    assert mask("a dummy-key-of-mine-too b dummy-key-of-mine c") == f"a {MASK} b {MASK} c"
    assert (
        mask("short https://example.com/v1 dummy-key-of-min")
        == "short https://example.com/v1 dummy-key-of-min"
    )
    assert holds_key(json.dumps('so: quo"te\\d-key-1').encode())
    assert cell("prefix " + "dummy-key-of-mine", 15) == "prefix •••key•…"


def test_keys_are_looked_for_when_something_is_shown_first() -> None:
    masking.ask_later(lambda: ["a-key-that-comes-late"])
    masking.ask_later(lambda: [][0])  # a fault of it is told where the config is read
    assert mask("a-key-that-comes-late") == MASK


def test_what_only_may_be_a_key_is_warned_of_and_not_masked() -> None:
    for text in ("sk-test-00000000000000000000000000", *FORMS):
        assert masking.may_hold_key(f'{{"note": "{text}"}}')
    assert mask("sk-test-00000000000000000000000000") == "sk-test-00000000000000000000000000"
    for text in ("uk_2030scenario", "hf_weights", "xai-report", "AIza", "task-" + "a" * 60):
        assert not masking.may_hold_key(text)


def test_a_refusal_shows_no_part_of_a_key() -> None:
    assert (
        masking.mask_refusal("Incorrect API key provided: sk-ab12ef.")
        == f"Incorrect API key provided: {masking.DOTS}."
    )
    assert masking.mask_refusal("no such Bearer abcdefgh12") == f"no such {masking.DOTS}"
