"""Run as a program of its own: tells pages, locks and text of PDFs, so that one made to hang or swell harms nobody.

Reads lines of JSON `{path, text}`, answers each with `{pages, locked, looked, with_text, blank}` or `{error}`. `looked`
is how many pages were searched for text, `with_text` on how many of them there is enough to count, `blank` whether no
page of the whole document has any. Imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys

MEMORY = 2_000_000_000
TEXT_CHARACTERS = 20
"""Characters, blanks aside, from which a page counts as text."""
PAGES_LOOKED_AT = 20
"""Pages that are searched for text, spread over the document."""


def facts(path: str, text: bool) -> dict[str, object]:
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted:
        return {"locked": True}
    pages = len(reader.pages)
    if not text or not pages:
        return {"pages": pages}
    numbers = range(0, pages, -(-pages // PAGES_LOOKED_AT))
    counts = [_characters(reader.pages[number].extract_text()) for number in numbers]
    rest = (number for number in range(pages) if number not in numbers)
    return {
        "pages": pages,
        "looked": len(counts),
        "with_text": sum(count >= TEXT_CHARACTERS for count in counts),
        "blank": not any(counts) and not any(_characters(reader.pages[n].extract_text()) for n in rest),
    }


def _characters(text: str) -> int:
    return sum(1 for character in text if not character.isspace())


def main() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such limit on this system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = facts(asked["path"], asked["text"])
        except MemoryError:
            answer = {"error": "needs too much memory"}
        except RecursionError:
            answer = {"error": "is nested too deeply"}
        except Exception as fault:  # whatever a broken PDF makes a parser raise
            answer = {"error": f"{type(fault).__name__}: {fault}"[:200]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
