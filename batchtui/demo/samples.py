"""Batches to look at in `batchtui demo`: what a batch file would say, and rows for its source."""

from __future__ import annotations

from typing import NamedTuple

from batchtui.model import Json

FAULTS = "latency=250ms,duration=25s"
"""Slow enough to watch."""
_TOPICS = (
    "a late parcel", "a double charge", "a lost password", "a broken lid", "a refund", "an invoice in euros",
    "a wrong size", "a missing manual", "a flickering screen", "an address change", "a cancelled order",
    "a voucher that does not work",
)  # fmt: skip
_PLACES = ("Oslo", "Porto", "Ghent", "Turku", "Graz", "Cork", "Lyon", "Brno")
_MOODS = ("calm", "hurried", "puzzled", "cross", "friendly")
_MODELS = (
    ("anthropic", "claude-haiku-4-5"), ("gemini", "gemini-2.5-flash"), ("mistral", "mistral-small-latest"),
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
)  # fmt: skip
_BIRDS = ("Adelie", "Chinstrap", "Gentoo")


class Sample(NamedTuple):
    """`spec` is a decoded batch file without its source; `cancel`: ask for that as soon as it exists."""

    spec: dict[str, Json]
    rows: list[dict[str, Json]]
    cancel: bool = False


def samples() -> list[Sample]:
    """In the order in which they are made; the list shows the last one first."""
    return [_replies(), _counts(), _given_up(), _tight(), _models(), _summaries(), _labels()]


def _letters(count: int) -> list[dict[str, Json]]:
    return [
        {
            "id": f"letter-{n:04d}",
            "text": f"A {_MOODS[n % 5]} customer from {_PLACES[n * 3 % 8]} writes about {_TOPICS[n * 5 % 12]}.",
            "place": _PLACES[n * 3 % 8],
        }
        for n in range(1, count + 1)
    ]


def _replies() -> Sample:
    """Ends within seconds; three rows fail."""
    rows = _letters(40)
    for n in (6, 19, 33):
        rows[n]["text"] += " [[fail]]"
    job = {"model": "demo-small", "system": "You answer in two sentences.", "prompt": "Reply to: {{ text }}"}
    return Sample(
        {"name": "support replies", "backend": "chat", "job": job, "limits": {"concurrency": 10}}, rows
    )


def _counts() -> Sample:
    """On this machine, by a program that every one has."""
    rows = [
        {"id": f"bird-{n:03d}", "species": _BIRDS[n % 3], "note": f"{_BIRDS[n % 3]} number {n}, seen near {_PLACES[n % 8]}"}
        for n in range(1, 61)
    ]  # fmt: skip
    job = {"command": ["wc", "-c"], "stdin": "{{ note }}"}
    return Sample({"name": "note lengths", "backend": "local", "job": job}, rows)


def _given_up() -> Sample:
    job = {"model": "demo-large", "prompt": "Translate into Latin: {{ text }}"}
    spec = {"name": "letters in latin", "backend": "openai", "job": job}
    return Sample(spec, _letters(30), cancel=True)


def _tight() -> Sample:
    """Its cost limit lets only some of it through, so that it needs a person."""
    job = {"model": "demo-large", "prompt": "Write a polite essay on: {{ text }}", "max_tokens": 400}
    limits = {"cost_usd": 0.008, "concurrency": 2}
    return Sample({"name": "polite essays", "backend": "chat", "job": job, "limits": limits}, _letters(12))


def _models() -> Sample:
    """One question to the models of four providers; each row says where it goes."""
    rows = [
        {"id": f"{row['id']}-{backend}", "text": row["text"], "backend": backend, "model": model}
        for row in _letters(20)
        for backend, model in _MODELS
    ]
    job = {
        "backend": "{{ backend }}", "model": "{{ model }}", "max_tokens": 80,
        "prompt": "Which department answers this? {{ text }}",
    }  # fmt: skip
    return Sample({"name": "four models", "job": job}, rows)


def _summaries() -> Sample:
    """Several submissions, two at once."""
    job = {"model": "demo-small", "prompt": "Summarise in one line: {{ text }}", "max_tokens": 120}
    limits = {"jobs_per_submission": 60, "submissions_at_once": 2, "cost_usd": 5.0}
    return Sample(
        {"name": "article summaries", "backend": "openai", "job": job, "limits": limits}, _letters(300)
    )


def _labels() -> Sample:
    """A long one, still at work when the demo is left."""
    job = {"model": "demo-small", "prompt": "One word for the mood of: {{ text }}", "max_tokens": 50}
    return Sample(
        {"name": "mood labels", "backend": "chat", "job": job, "limits": {"concurrency": 4}}, _letters(2000)
    )
