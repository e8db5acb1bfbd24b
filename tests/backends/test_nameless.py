"""Of every kind: a create that is answered, but with no id that can be used, is told apart from one without an answer."""

from __future__ import annotations

import msgspec
import pytest

from batchtui.backends.base import Job, Unsure
from batchtui.backends.rest.settings import RestWork
from tests.backends.jobs_help import job, submission
from tests.backends.odd_server import reply

LONG = "x" * 400
REST = {"submit": {"path": "jobs", "body": {"x": "{{ input }}"}}, "poll": {"path": "jobs/{{ id }}"}}
FILES = {"openai": LONG, "mistral": LONG, "together": LONG, "gemini": f"files/{LONG}"}


def one_of(make, kind, url):
    """A backend, and what `submit` needs for its first call to be the create."""
    if kind == "rest":
        work = msgspec.convert({"input": {"n": 1}}, RestWork)
        return make(kind, url, **REST), submission(), Job(0, "r0", 1, "token-1", work)
    facts = {"file_id": FILES[kind], "file_at": 4e9} if kind in FILES else {}
    return make(kind, url), submission(facts=facts), job()


@pytest.mark.parametrize("kind", [*FILES, "anthropic", "rest"])
@pytest.mark.parametrize(
    "data",
    [
        {"status": "validating"}, {"id": "a\x1bb", "name": "batches/a\x1bb"}, {"id": "", "name": ""},
        {"id": ["x"], "name": 7}, "<html>thanks</html>", "", "[" * 100_000,
    ],
)  # fmt: skip
async def test_it_was_answered(odd, make, kind, data):
    odd.script(reply(200, data))
    backend, sub, work = one_of(make, kind, odd.url)
    with pytest.raises(Unsure) as caught:
        await backend.submit(sub, [work], sub.facts.update)
    assert caught.value.answered
    assert len(odd.seen) == 1


@pytest.mark.parametrize("kind", [*FILES, "anthropic", "rest"])
async def test_a_long_id_is_an_id(odd, make, kind):
    made = {"id": f"b-{LONG}", "name": f"batches/b-{LONG}"}
    odd.script(reply(200, made))
    backend, sub, work = one_of(make, kind, odd.url)
    assert await backend.submit(sub, [work], sub.facts.update) == made["name" if kind == "gemini" else "id"]


@pytest.mark.parametrize("kind", [*FILES, "anthropic", "rest"])
async def test_no_answer_is_no_answer(odd, make, kind):
    odd.script(None)
    backend, sub, work = one_of(make, kind, odd.url)
    with pytest.raises(Unsure) as caught:
        await backend.submit(sub, [work], sub.facts.update)
    assert not caught.value.answered
