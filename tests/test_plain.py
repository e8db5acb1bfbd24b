"""What stands on a terminal that takes ASCII alone, and how it is known."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from batchtui import plain


@pytest.mark.parametrize(
    ("env", "only"),
    [
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "POSIX"}, True),
        ({"LANG": "C"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python itself sets it
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "C"}, True),
        ({"LANG": "C.utf8"}, False),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "UTF-8"}, False),
        ({}, False),
    ],
)
def test_the_locale_decides(env: dict[str, str], only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_said", lambda name: False)
    assert plain.only_ascii(env) is only


def test_a_person_who_asked_for_utf8_beside_c_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_said", lambda name: True)
    assert not plain.only_ascii({"LANG": "C", "LC_CTYPE": "C.UTF-8"})


def test_every_character_has_one_of_its_cells() -> None:
    for code in range(0xA0, 0x30000):
        char = chr(code)
        if unicodedata.category(char) in ("Cn", "Cs", "Co", "Cc", "Mc", "Mn", "Me", "Cf", "Lo"):
            continue
        shown = plain.in_cells(char)
        assert shown.isascii()
        assert shown.isprintable()
        wide = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        assert len(shown) == wide, (hex(code), shown)


def test_a_line_reads_as_before() -> None:
    assert plain.in_cells("✓ 3 of 4 · Zürich ━━╍─ 日本 e\u0301 “x”") == '+ 3 of 4 - Zurich ---- ???? e "x"'
    assert plain.in_words("more … → next — ≤ 3") == "more ... -> next -- <= 3"
    assert cell_len(plain.in_cells("日本…")) == cell_len("日本…")


def test_a_stream_takes_it() -> None:
    assert "a…b✓ü".encode("ascii", plain.ERRORS) == b"a...b+u"
