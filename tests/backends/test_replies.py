"""What a status, its headers and its words mean for the job, the submission and the backend."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest

from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.backends.wire.replies import (
    Reply,
    hushed,
    object_of,
    parse_json,
    provider_words,
    raise_for,
    wait_of,
)

BAD = Path(__file__).parents[1] / "data/hostile/bad-replies"


def reply(status: int, body: object = None, **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    value = None if isinstance(body, str) else body
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, value, text)


def bad(name: str) -> Reply:
    case = json.loads((BAD / f"{name}.json").read_text())
    headers = {key.lower(): value for key, value in case["headers"].items()}
    try:
        return Reply(case["status"], headers, parse_json(case["body"]), case["body"])
    except ValueError as fault:
        return Reply(case["status"], headers, None, case["body"], str(fault))


def judge(answer: Reply, create: bool = False) -> Exception | None:
    try:
        raise_for(answer, create=create)
    except Exception as fault:
        return fault
    return None


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_our_fault_is_refused_with_the_providers_words(status):
    body = {"error": {"message": "no\nsuch \x1b[2Jmodel", "code": "model_not_found"}}
    for create in (False, True):
        fault = judge(reply(status, body), create)
        assert isinstance(fault, Refused)
        assert fault.kind == "model_not_found"
        assert fault.body == body
        assert "no such ␛[2Jmodel" in fault.message


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_needs_a_person(status):
    fault = judge(reply(status, {}), create=True)
    assert isinstance(fault, NeedsPerson)
    assert fault.kind == "key"


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 529])
def test_what_may_pass_is_transient_and_unsure_for_a_create(status):
    assert isinstance(judge(reply(status, {})), Transient)
    assert isinstance(judge(reply(status, {}), create=True), Unsure)


@pytest.mark.parametrize(
    ("status", "maybe"), [(500, False), (502, True), (503, False), (504, True), (524, True)]
)
def test_behind_a_gateway_the_work_may_have_been_done(status, maybe):
    fault = judge(reply(status, {}))
    assert isinstance(fault, Transient)
    assert fault.maybe_done is maybe


def test_rates_and_money_are_told_apart():
    limited = judge(reply(429, {"error": {"code": "rate_limit_exceeded"}}, retry_after="7"), create=True)
    assert isinstance(limited, TryLater)
    assert (limited.after, limited.counts, limited.kind) == (7, False, "rate_limit")
    for answer in (
        reply(402, {}),
        bad("insufficient-quota"),
        reply(429, {"error": {"type": "insufficient_quota"}}),
    ):
        money = judge(answer, create=True)
        assert isinstance(money, NeedsPerson)
        assert money.kind == "money"
    assert "quota" in str(judge(bad("insufficient-quota")))


def test_503_with_a_wait_and_498_come_later():
    assert isinstance(judge(reply(503, {}, retry_after="2"), create=False), TryLater)
    # A create that a gateway gave up on may have been made behind it: it is looked up.
    assert isinstance(judge(reply(503, {}, retry_after="2"), create=True), Unsure)
    assert isinstance(judge(reply(498, {})), TryLater)


def test_the_server_may_say_whether_to_ask_again():
    assert isinstance(judge(reply(500, {}, x_should_retry="false")), Refused)
    assert isinstance(judge(reply(500, {}, x_should_retry="false"), create=True), Unsure)
    assert isinstance(judge(reply(429, {}, x_should_retry="false")), Refused)
    assert isinstance(judge(reply(400, {}, x_should_retry="true")), Transient)
    later = judge(reply(400, {}, x_should_retry="true"), create=True)
    assert isinstance(later, TryLater)
    assert later.counts


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "99999999999"}, 900),
        ({"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, 900),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after-ms": "-1"}, None),
        ({}, None),
    ],
)
def test_waits(headers, seconds):
    got = wait_of(headers)[0]
    assert got == (pytest.approx(seconds, abs=2) if seconds else None)


def test_a_wait_until_a_date():
    assert wait_of({"retry-after": formatdate(time() + 100, usegmt=True)})[0] == pytest.approx(100, abs=2)


@pytest.mark.parametrize(
    ("name", "kind", "words", "after"),
    [
        ("retry-after-seconds", TryLater, "7", 7),
        ("retry-after-date", TryLater, "2099", 900),
        ("retry-after-past", TryLater, "", None),
        ("retry-after-negative", TryLater, "", None),
        ("retry-after-junk", TryLater, "", None),
        ("retry-after-huge", TryLater, "", 900),
        ("forbidden-403", NeedsPerson, "", None),
        ("auth-401", NeedsPerson, "key", None),
        ("not-found", Refused, "404", None),
        ("redirect-other-host", Refused, "127.0.0.2", None),
        ("redirect-downgrade", Refused, "http", None),
        ("redirect-loop", Refused, "redirect", None),
    ],
)
def test_hostile_replies(name, kind, words, after):
    fault = judge(bad(name))
    assert isinstance(fault, kind)
    assert words in str(fault)
    assert "sk-test" not in str(fault)
    assert getattr(fault, "after", None) == after


@pytest.mark.parametrize("name", ["wrong-type", "create-empty"])
def test_a_good_status_without_an_object(name):
    with pytest.raises(Transient):
        object_of(bad(name))
    with pytest.raises(Unsure):
        object_of(bad(name), create=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "a"}}, "a"),
        ({"error": "b"}, "b"),
        ({"message": "c"}, "c"),
        ({"detail": [{"loc": ["x"], "msg": "d"}]}, "d"),
        ({"errors": {"data": [{"code": "e"}]}}, "e"),
        ([{"error": {"message": "f"}}], "f"),
        (json.loads('{"error":' * 9 + '"deep"' + "}" * 9), "HTTP 500 without a reason"),
        ("<html><h1>502 Bad Gateway</h1></html>", "502 Bad Gateway"),
        ("Internal Server Error", "Internal Server Error"),
        ("", "HTTP 500 without a reason"),
        (7, "7"),
        ({"error": {"message": ["odd"]}}, "odd"),
        ({"error": {"message": "x" * 9000}}, "x" * 299 + "…"),
    ],
)
def test_words_of_any_form(body, words):
    assert provider_words(reply(500, body)) == words


def test_json_from_outside():
    assert parse_json(b'\xef\xbb\xbf{"a":NaN,"b":1e400,"c":[-Infinity,1.5]}') == {
        "a": None,
        "b": None,
        "c": [None, 1.5],
    }
    for data in (b"\xff", "{", "[" * 100_000, "1" * 5000):
        with pytest.raises(ValueError, match=r"JSON|UTF-8"):
            parse_json(data)
    assert parse_json('"\\ud83d"') == "\ud83d"


@pytest.mark.parametrize("status", [200, 500])
def test_a_token_of_a_sign_in_is_no_part_of_an_answer(status: int) -> None:
    """However it is escaped; a key may be data there."""
    token, key = "to/ken-of-a-sign-in-01", "key-of-an-account-01"
    whole = Reply(status, {}, {"a": token, "b": key}, f'{{"a": "{token}", "b": "{key}"}}')
    escaped = replace(whole, text=whole.text.replace("/", "\\/"))
    for given in (whole, escaped):
        told = hushed(given, [key], [token])
        assert token not in told.text + json.dumps(told.json)
        assert "ken-of-a-sign-in" not in told.text
        assert (told.json["b"] == key) == (status == 200)
    plain = Reply(status, {}, {"a": "b\\c"}, '{"a": "b\\\\c"}')
    assert hushed(plain, [key], [token]) is plain
