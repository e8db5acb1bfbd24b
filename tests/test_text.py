"""Outside text on its way to a screen: nothing in it acts, and what it says stays readable."""

from __future__ import annotations

import copy
import json
import pickle
import random
import traceback
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

from batchtui.text import (
    CELL_LIMIT,
    JOINS_LIMIT,
    LINE_LIMIT,
    MARKS_LIMIT,
    Secret,
    cell,
    clean,
    clean_count,
    page,
)

FILE = Path(__file__).parent / "data" / "hostile" / "hostile-strings.jsonl"
CASES = [json.loads(line) for line in FILE.read_bytes().splitlines()]
TEXTS = [bytes.fromhex(case["hex"]).decode("utf-8", "surrogatepass") for case in CASES]
KEEP = "plain\ttext\nzwj 👩‍🚀 zwnj می‌خواهم marks e\u0301 Ñ ไทย हिन्दी 日本 \u00a0 “quotes” [bold] =1+1 ★"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _acts(char: str) -> bool:
    """Whether a terminal may act on the character or hide it, or it is none that text may hold."""
    if ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return True
    if char in "\n\t\u200c\u200d":
        return False
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or (
        unicodedata.bidirectional(char) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
    )


def test_the_corpus_is_whole() -> None:
    assert len(CASES) == 175
    for case, text in zip(CASES, TEXTS, strict=True):
        assert json.loads(f'"{case["escaped"]}"') == text or case["escaped"].endswith("…"), case["name"]


@pytest.mark.parametrize(
    ("case", "text"), zip(CASES, TEXTS, strict=True), ids=[case["name"] for case in CASES]
)
def test_a_hostile_string_is_shown_and_does_not_act(case: dict[str, list[str]], text: str) -> None:
    for shown in (clean(text), cell(text), page(text), clean(clean(text))):
        for run in case["must_not_reach_terminal"]:
            assert bytes.fromhex(run) not in _bytes(shown)
        assert not [char for char in shown if _acts(char)]
        shown.encode()
    assert clean(clean(text)) == clean(text)
    assert "\n" not in cell(text)
    assert "\t" not in cell(text)
    assert len(cell(text)) <= CELL_LIMIT


def test_no_single_character_acts() -> None:
    for code in range(0x110000):
        shown = clean(chr(code))
        assert len(shown) == 1
        assert not _acts(shown), hex(code)


def test_two_halves_do_not_join_into_a_sequence() -> None:
    rng = random.Random(2)
    for _ in range(300):
        mixed = "".join(rng.choice(TEXTS)[rng.randrange(3) :] for _ in range(4))
        assert not [char for char in clean(mixed) if _acts(char)]
        assert clean(clean(mixed)) == clean(mixed)


def test_good_text_stays() -> None:
    assert clean(KEEP) == KEEP
    assert clean_count(KEEP) == 0
    assert clean("") == ""


def test_replacement_is_one_for_one() -> None:
    assert clean("a\x1b[2J\x7f\x9b\r\0b") == "a␛[2J␡\ufffd␍␀b"
    assert clean_count("a\x1b[2J\x7f\x9b\r\0b") == 5
    assert clean("cut \ud83d") == "cut \ufffd"


def test_marks_beyond_a_few_are_dropped() -> None:
    assert clean("e" + "\u0301" * 100_000) == "e" + "\u0301" * MARKS_LIMIT
    assert clean("e" + "\u0301" * MARKS_LIMIT) == "e" + "\u0301" * MARKS_LIMIT
    assert clean("\ufe0f" * 5000 + "x") == "\ufe0f" * MARKS_LIMIT + "x"


@pytest.mark.parametrize("joined", ["👩\u200d", "👩🏽\ufe0f\u200d", "\u200d", "\u200c", "ᅠ", "क\u094d\u200d"])
def test_no_more_is_joined_to_one_character_than_is_read_as_one(joined: str) -> None:
    """A terminal is sent what fills its cells, not all that would stand in a single one of them."""
    shown = clean("x" + joined * 50_000)
    assert shown.count("\u200d") <= JOINS_LIMIT
    assert clean(shown) == shown
    assert len(shown) < 30 or cell_len(shown) > 49_000
    assert clean("👩🏻‍❤️‍💋‍👨🏼 🏴‍☠️ 👨‍👩‍👧‍👦 " * 50) == "👩🏻‍❤️‍💋‍👨🏼 🏴‍☠️ 👨‍👩‍👧‍👦 " * 50


@pytest.mark.parametrize("unit", ["x", "é", "\x1b", "wörld \x1b[31m\n", "\u0301", "\ud83d"])
def test_of_ten_megabytes_no_more_is_cleaned_than_is_shown(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (unit * 10_000_000)[:10_000_000]
    assert len(clean(text)) in (len(text), MARKS_LIMIT)  # and it comes to an end
    cleaned: list[int] = []
    monkeypatch.setattr("batchtui.text.clean", lambda some: cleaned.append(len(some)) or clean(some))
    cell(text)
    page(text)
    assert cleaned[0] <= CELL_LIMIT + 1
    assert cleaned[1] <= 2 * 64_000
    assert len(cleaned) == 2


def test_a_cell_is_one_short_line() -> None:
    assert cell("a\nb\tc") == "a␊b c"
    assert cell("x" * 200) == "x" * 200
    assert cell("x" * 201) == "x" * 199 + "…"
    assert cell("x" * 50, 10) == "x" * 9 + "…"
    assert cell(None) == "None"
    assert cell(5) == "5"
    assert cell(ValueError("\x1b[31m")) == "␛[31m"


def test_a_page_is_a_screenful() -> None:
    assert page("a\nb") == "a\nb"
    assert page("") == ""
    long = page("x" * 5000)
    assert long == "x" * LINE_LIMIT + f" … +{5000 - LINE_LIMIT}"
    many = page("line\n" * 3000)
    assert many.count("\nline") == 1999
    assert "5,000 more characters" in many or "5,001 more characters" in many
    huge = page("x" * 10_000_000)
    assert len(huge) < 70_000
    assert "9,936,000 more characters" in huge


def test_a_secret_is_never_shown() -> None:
    value = "sk-test-000"
    secret = Secret(value)
    error = KeyError(secret)
    try:
        raise error
    except KeyError:
        trace = traceback.format_exc()
        frames = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    shown = [
        repr(secret), str(secret), f"{secret}", f"{secret!r}", "{}".format(secret), "%s" % secret, repr([secret]),  # noqa: UP031, UP032
        repr({"key": secret}), ascii(secret), cell(secret), str(error), trace,
    ]  # fmt: skip
    for text in shown:
        assert value not in text
    assert "secret = Secret(•••)" in frames
    assert secret.reveal() == value
    assert (bool(secret), bool(Secret(""))) == (True, False)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        f"{secret:>20}"
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert copy.deepcopy({"key": secret})["key"] is secret
