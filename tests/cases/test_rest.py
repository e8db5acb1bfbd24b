"""Task APIs that answer in ways of their own, as people met them: told in the config, or told to the person."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]
RUN = ("run", "case.toml", "--yes", "--out", "out.jsonl")
RUNNING = {"body": {"status": "running"}}
DONE = {"body": {"status": "done"}}
ANSWER = {"body": {"answer": 4}}
BY_ADDRESS = {"poll": 'url = "{{ at }}"', "fetch": 'url = "{{ at }}"'}


def say(it: Case, text: str, table: str = "") -> None:
    """More of the backend's table, or of one in it."""
    config = it.folder / "config.toml"
    said = config.read_text(encoding="utf-8")
    head = f"[backends.restcase.{table}]\n"
    config.write_text(said.replace(head, f"{head}{text}\n") if table else f"{said}\n{text}", encoding="utf-8")


def settle_soon(it: Case) -> None:
    config = it.folder / "config.toml"
    config.write_text(config.read_text().replace("poll_interval = 0.3", "poll_interval = 0.3\nsettle = 0.2"))


def own(case: MakeCase, submit: dict[str, Any], *polls: dict[str, Any]) -> Case:
    it = case("rest-id-in-location")
    replies = {"submit": submit, "poll": polls, "result": ANSWER}
    (it.folder / "replies.json").write_text(json.dumps(replies), encoding="utf-8")
    return it


def followed_until(it: Case, words: str) -> tuple[str, str]:
    """What `run` says until `words` are among it and in `status`, when it is interrupted, and what `status` says."""
    process = it.cli.start(*RUN)
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:
            said += line
            if words in line:
                break
        shown = ""
        while words in said and words not in shown:  # written down every 2 s
            shown = it.run("status", "case").out
            assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert words in said, said + rest
    return said, shown


def test_a_status_that_is_not_known_is_told_with_the_line_that_names_it(case: MakeCase) -> None:
    it = case("rest-unknown-status")
    with it.serve("rest_server.py", "replies.json"):
        words = 'the status "ARCHIVED_OK" is not known: say in [backends.restcase.states] what it means'
        _, shown = followed_until(it, words)
        assert words in shown
        assert 'such as ARCHIVED_OK = "completed"' in shown
        assert "last contact 3 min" not in shown
        say(it, '[backends.restcase.states]\nARCHIVED_OK = "completed"\n')
        assert it.run("resume", "case").code == 0
    assert json.loads(it.run("results", "case", "--format", "jsonl").out)["output"] == {"answer": 4}


@pytest.mark.parametrize(
    ("status", "shown"),
    [(7, "7"), (True, "true"), ("In review (2/3)", '"In review (2/3)"'), (None, "the reply holds no status at poll.status")],
)  # fmt: skip
def test_a_status_of_any_type_is_told_and_may_be_named(case: MakeCase, status: Any, shown: str) -> None:
    it = own(case, {"body": {"id": "a"}}, RUNNING, {"body": {"status": status}})
    key = '"In review (2/3)"' if isinstance(status, str) else "null" if status is None else shown
    with it.serve("rest_server.py", "replies.json"):
        err, _ = followed_until(it, shown if status is None else f"the status {shown} is not known")
        if status is not None:
            assert f'{key} = "completed"' in err
        say(it, f'[backends.restcase.states]\n{key} = "completed"\n')
        assert it.run("resume", "case").code == 0


@pytest.mark.parametrize(
    ("status", "place"),
    [({"since": 7, "code": "Done"}, "status.code"), ([{"phase": "Done"}], "status[0].phase"), (["Done"], "status[0]")],
)  # fmt: skip
def test_a_status_that_is_no_word_is_told_by_the_place_inside_it(
    case: MakeCase, status: Any, place: str
) -> None:
    it = own(case, {"body": {"id": "a"}}, {"body": {"status": status}})
    with it.serve("rest_server.py", "replies.json"):
        told, _ = followed_until(it, "name the place inside it, such as status")
        assert place.startswith(told.rpartition("such as ")[2].split()[0].rstrip(";,."))
        say(it, f'status = "{place}"', "poll")
        assert it.run("resume", "case").code == 0


def test_a_status_that_is_odd_for_a_moment_is_not_told(case: MakeCase) -> None:
    odd = {"body": {"status": "between"}}
    more = {"body": {"status": "In-Progress"}}, {"body": {"status": "done"}}
    it = own(case, {"body": {"id": "a"}}, RUNNING, odd, RUNNING, odd, *more)
    with it.serve("rest_server.py", "replies.json"):
        ran = it.run(*RUN)
    assert ran.code == 0
    assert "between" not in ran.err
    assert it.rows()[0]["output"] == {"answer": 4}


def test_an_id_in_the_location_is_taken(case: MakeCase) -> None:
    it = case("rest-id-in-location")
    with it.serve("rest_server.py", "replies.json"):
        say(it, 'id = "header:Location"', "submit")
        ran = it.run(*RUN)
    assert ran.code == 0, ran.err
    (row,) = it.rows()
    assert (row["status"], row["output"], row["batch_id"]) == ("completed", {"answer": 4}, "abc")


def test_it_is_taken_where_nothing_says_where_it_stands(case: MakeCase) -> None:
    it = case("rest-id-in-location")
    with it.serve("rest_server.py", "replies.json"):
        assert it.run(*RUN).code == 0
    assert it.rows()[0]["batch_id"] == "abc"


@pytest.mark.parametrize(
    ("status", "header", "address"),
    [(202, "Operation-Location", "/v1/jobs/a%20b/status?api-version=7"), (303, "Location", "../../jobs/a%20b/status")],
)  # fmt: skip
def test_an_id_inside_an_address_is_taken_by_what_stands_around_it(
    case: MakeCase, status: int, header: str, address: str
) -> None:
    done = {"body": {"status": "done"}}
    it = own(case, {"status": status, "headers": {header: address}}, RUNNING, done)
    with it.serve("rest_server.py", "replies.json"):
        say(it, f'id = "header:{header}"\nid_in = "jobs/{{{{ id }}}}/status"', "submit")
        ran = it.run(*RUN)
    assert ran.code == 0, ran.err
    assert it.rows()[0]["batch_id"] == "a b"


@pytest.mark.parametrize(
    ("address", "tables", "id_", "polled"),
    [
        ("/status?job=a%20b", {"poll": 'path = "status"\nquery = { job = "{{ id }}" }'}, "a b", "/status?job=a+b"),
        ("/v1/jobs/abc?f=json", {}, "abc", "/jobs/abc"),
        ("/v1/jobs/abc/status", {}, "abc", "/jobs/abc"),
        ("/jobs/jobs", {}, "jobs", "/jobs/jobs"),
        ("/t/7/jobs/abc#now", {"poll": 'path = "t/{{ batch }}/jobs/{{ id }}"'}, "abc", "/t/case/jobs/abc"),
        ("/made/abc", {}, "abc", "/jobs/abc"),
        ("../status?job=abc&v", BY_ADDRESS, "/status?job=abc&v", "/status?job=abc&v"),
        ("/abc/status", BY_ADDRESS, "/abc/status", "/abc/status"),
        ("/status?job=abc", {"poll": 'url = "{{ id }}"', "fetch": 'url = "{{ id }}"'}, "/status?job=abc", "/status?job=abc"),
    ],
)  # fmt: skip
def test_of_an_address_the_part_is_taken_that_the_table_asks_for(
    case: MakeCase, address: str, tables: dict[str, str], id_: str, polled: str
) -> None:
    it = own(case, {"status": 201, "headers": {"Location": address}}, RUNNING, DONE)
    with it.serve("rest_server.py", "replies.json") as server:
        say(it, 'keep = { at = "header:Location" }', "submit")
        for table, text in tables.items():
            config = it.folder / "config.toml"
            head, old = f"[backends.restcase.{table}]\n", 'path = "jobs/{{ id }}'
            before, _, after = config.read_text(encoding="utf-8").partition(head + old)
            config.write_text(before + head + text + after[after.index("\n") :], encoding="utf-8")
        ran = it.run(*RUN)
        calls = server.calls
    assert ran.code == 0, ran.err
    assert it.rows()[0]["batch_id"] == id_
    assert set(calls) == {polled}


@pytest.mark.parametrize("status", [201, 303])
def test_an_address_whose_id_nothing_tells_is_not_guessed_at(case: MakeCase, status: int) -> None:
    it = own(case, {"status": status, "headers": {"Location": "/status?job=abc"}}, RUNNING, DONE)
    with it.serve("rest_server.py", "replies.json") as server:
        settle_soon(it)
        ran = it.run(*RUN)
        assert ran.code == 1
        assert '/status?job=abc", and no call of the table tells which part of it is the id' in ran.err
        assert 'say so by submit.id_in, such as "job={{ id }}"' in ran.err
        assert server.calls == []
        say(it, 'id_in = "job={{ id }}"', "submit")
        assert it.run("resolve", "case", "adopt", "abc", "--submission", "1").code == 0
        assert it.run("resume", "case").code == 0
        assert set(server.calls) == {"/jobs/abc"}
        assert it.run(*RUN, "--again").code == 0
    assert it.rows()[0]["batch_id"] == "abc"


@pytest.mark.parametrize(
    ("submit", "words"),
    [
        ({"status": 201, "headers": {"Location": "/queue"}}, "what submit.id (header:Location) holds has no part like"),
        ({"status": 302, "headers": {"Location": "/jobs/abc"}}, "the reply (302) points elsewhere"),
        ({"status": 202}, "the reply (202) is empty"),
    ],
)  # fmt: skip
def test_a_create_without_a_usable_id_is_given_to_a_person(
    case: MakeCase, submit: dict[str, Any], words: str
) -> None:
    it = own(case, submit, RUNNING)
    with it.serve("rest_server.py", "replies.json"):
        say(it, 'id = "header:Location"\nid_in = "jobs/{{ id }}"', "submit")
        settle_soon(it)
        ran = it.run(*RUN)
    assert ran.code == 1, ran.err
    assert f"may have been made: {words}" in ran.err
    (status,) = it.run("status", "case", "--json").documents
    assert [one["kind"] for one in status["attention"]] == ["unsure"]
    assert words in status["submissions"][0]["reason"]


def test_what_is_wrong_in_the_table_is_told_with_file_line_key_and_the_word_that_was_meant(
    case: MakeCase,
) -> None:
    it = case("rest-id-in-location")
    with it.serve("rest_server.py", "replies.json"):
        say(it, '[backends.restcase.states]\n"All done" = "complete"\n')
        lines = (it.folder / "config.toml").read_text(encoding="utf-8").splitlines()
        line = lines.index('"All done" = "complete"') + 1
        for code, arguments in ((2, ("check", "case.toml")), (3, ("config", "check")), (3, RUN)):
            ran = it.run(*arguments)
            assert ran.code == code, arguments
            assert f"config.toml:{line}: backends.restcase.states.All done: " in ran.err
            assert 'did you mean "completed"?' in ran.err
    assert not (it.folder / "out.jsonl").exists()
