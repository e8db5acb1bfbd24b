"""How long a server asks to wait, in all the forms in which servers say so; and whether it is loading its model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from time import time

import pytest

from batchtui.backends.base import Refused, Transient, TryLater
from batchtui.backends.wire.loading import is_loading
from batchtui.backends.wire.replies import Reply, raise_for
from batchtui.backends.wire.waits import wait_of


def soon():
    """A moment 100 s from now, told when it is asked for: tests may run long after they were gathered."""
    return (datetime.now(UTC) + timedelta(seconds=100)).replace(microsecond=0)


def judged(status, body=None, **headers):
    reply = Reply(status, {key.replace("_", "-"): value for key, value in headers.items()}, body, "")
    with pytest.raises((TryLater, Transient, Refused)) as caught:
        raise_for(reply)
    return caught.value


FORMS = [
    ("7", 7), ("1.5", 1.5), (" 2 ", 2), ("3s", 3), ("3 s", 3), ("1m30s", 90), ("6m0s", 360), ("120ms", 0.12),
    ("1h", 900), ("20 seconds", 20), ("1 minute", 60), ("2 hours", 900), ("1e2", 100),
    (lambda: formatdate(time() + 100, usegmt=True), 100), (lambda: soon().isoformat(), 100),
    (lambda: soon().isoformat().replace("+00:00", "Z"), 100), (lambda: soon().replace(tzinfo=None).isoformat(), 100),
    (lambda: str(int(time()) + 100), 100), (lambda: str(int(time() + 100) * 1000), 100),
    ("99999999999", 900), ("9" * 400, None), ("nan", None), ("inf", None), ("-inf", None), ("-5", None), ("0", None),
    ("-3s", None), ("soon", None), ("", None), ("2015-10-21T07:28:00Z", None), ("1000000000", None),
    ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("Wed, 99 Oct 2999", None), ("0001-01-01", None), ("x" * 100_000, None),
    ("1s " * 50_000, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), FORMS, ids=map(str, range(len(FORMS))))
@pytest.mark.parametrize("header", ["retry-after", "x-ratelimit-reset", "x-ratelimit-reset-requests"])
def test_forms_of_a_wait(header, value, seconds):
    got, words = wait_of({header: value() if callable(value) else value}, limited=True)
    assert got == (None if seconds is None else pytest.approx(seconds, abs=3 if seconds == 100 else 0.001))
    assert len(words) <= 40


def test_what_is_meant_for_this_call_wins_over_the_renewal_of_the_rate():
    reset = {"x-ratelimit-reset-requests": "1m", "x-ratelimit-reset-tokens": "2s"}
    assert wait_of({"retry-after-ms": "250", "retry-after": "9", **reset}, limited=True)[0] == 0.25
    assert wait_of({"retry-after": "-1", **reset}, None, "try again in 4s", limited=True)[0] == 4
    assert wait_of(reset, limited=True)[0] == 60
    left = {"x-ratelimit-remaining-requests": "14000", "x-ratelimit-remaining-tokens": "0"}
    assert wait_of({**reset, **left}, limited=True)[0] == 2
    assert wait_of(reset)[0] is None  # of any other reply it is no wish
    assert wait_of({"anthropic-ratelimit-tokens-reset": soon().isoformat()}, limited=True)[0] > 90
    assert wait_of({"ratelimit": "limit=10, remaining=0, reset=7"}, limited=True)[0] == 7
    assert wait_of({"ratelimit": '"default";r=0;t=30'}, limited=True)[0] == 30
    assert wait_of({f"x-ratelimit-reset-{n}": "soon" for n in range(10_000)}, limited=True)[0] is None


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Rate limit reached for m. Limit 3, Used 3. Please try again in 3.2s. Visit https://x", 3.2),
        ("Please try again in 6m0s.", 360),
        ("Please try again in 120ms.", 0.12),
        ("Please retry after 20 seconds", 20),
        ("Requests have exceeded the limit. Please retry after 1 second.", 1),
        ("Please retry in 17.5s", 17.5),
        ("please wait 5 seconds before you ask", 5),
        ("Wait for another 2 minutes", 120),
        ("Please try again later", None),
        ("try again in 3 months", None),
        ("you used 20 seconds", None),
        ("retry " * 20_000, None),
    ],
)
def test_waits_in_words(words, seconds):
    fault = judged(429, {"error": {"message": words}})
    assert fault.after == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "x", "details": [{"@type": "RetryInfo", "retryDelay": "17s"}]}},
        [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "17s"}]}}],
        {"error": {"message": "x", "metadata": {"headers": {"Retry-After": "17"}}}},
        {"error": {"message": "x"}, "retry_after": 17},
        {"message": "x", "retryAfter": "17s"},
        {"error": {"message": "x", "retry_after_ms": 17_000}},
        {"error": {"message": "x", "metadata": {"headers": {"X-RateLimit-Reset": "17"}}}},
    ],
)
def test_waits_in_bodies(body):
    assert judged(429, body).after == 17


@pytest.mark.parametrize("value", [-5, 0, True, None, [], {}, "nan", float("nan"), float("inf"), -1e400])
def test_wishes_that_are_none(value):
    assert judged(429, {"error": {"message": "x"}, "retry_after": value}).after is None


def test_a_server_that_is_busy_or_fails_is_given_the_time_that_it_asks_for():
    assert judged(503, {"error": "try again in 3s"}).after == 3
    assert judged(500, {"error": "oops"}, retry_after="1.5s").after == 1.5
    assert judged(500, {"error": "oops"}, x_ratelimit_reset_tokens="6m0s").after is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
        (503, {"error": "Model org/m is currently loading", "estimated_time": 20.0}),
        (503, {"error": "Error: model m is still loading"}),
        (503, {"detail": "The model is being loaded, try again in 5 seconds"}),
        (503, {"error": {"code": "model_loading", "message": "wait"}}),
        (503, {"error": {"message": "Model m is not ready yet"}}),
        (503, {"error": "Model is warming up", "error_type": "overloaded"}),
        (500, {"error": "llm server loading model"}),
    ],
)
def test_a_server_that_loads_its_model_is_waited_for(status, body):
    fault = judged(status, body)
    assert isinstance(fault, TryLater)
    assert (fault.kind, fault.counts) == ("loading", False)
    assert "loads its model" in fault.message
    asked = {"estimated_time": 20.0}.items() <= body.items()
    assert fault.after == (20 if asked else 5 if "5 seconds" in str(body) else None)


@pytest.mark.parametrize(
    "words",
    [
        "llama runner process has terminated: error loading model",
        "failed to load model 'x'",
        "unable to load model",
        "model is loading failed",
        "The model could not be loaded",
        "no model is loaded",
        "download of the model",
        "payload of the model is downloading",
    ],
)
def test_what_cannot_be_loaded_is_not_waited_for(words):
    assert not is_loading(words)
    assert not isinstance(judged(500, {"error": words}), TryLater)
    assert isinstance(judged(400, {"error": "Loading model"}), Refused)
