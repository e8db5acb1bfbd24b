"""The transport: connections lent one by one, replies bounded, keys kept."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc

import pytest

from batchtui.backends.base import Refused, Transient, TryLater, Unsure
from batchtui.backends.http import Http
from tests.backends.odd_server import KEY, reply


@pytest.fixture
async def http(odd):
    http = Http(f"{odd.url}/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=5)
    yield http
    await http.aclose()


async def lines(http: Http, path: str = "files/f/content", **options) -> list[bytes]:
    return [line async for line in http.stream_lines("GET", path, **options)]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_connection_is_used_again_and_never_shared(odd, http):
    odd.answer = lambda request: reply(200, {"path": request.path})
    for _ in range(3):
        assert (await http.request_json("GET", "models")).json == {"path": "/v1/models"}
    assert odd.connections == 1
    await asyncio.gather(*(http.request_json("GET", "models") for _ in range(8)))
    assert odd.connections == 8


async def test_plain_bytes_are_asked_for_and_the_key_goes_along(odd, http):
    await http.request_json("POST", "chat/completions", json={"a": "é\ud83d"}, headers={"X-Mark": "1"})
    sent = odd.seen[0]
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-mark"] == "1"
    assert sent.json == {"a": "é\ud83d"}


async def test_a_cancelled_call_closes_its_connection(odd, http):
    odd.script(b"HANG")
    task = asyncio.create_task(http.request_json("GET", "models"))
    await odd.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(odd.left.wait(), 5)
    assert odd.open == 0
    assert http._leases.idle == 0
    odd.script(reply(200, {"ok": 1}))
    assert (await http.request_json("GET", "models")).json == {"ok": 1}


async def test_idle_connections_are_capped(odd, http):
    http._leases._idle_max = 4
    await asyncio.gather(*(http.request_json("GET", "models") for _ in range(10)))
    assert http._leases.idle <= 4


async def test_nothing_listening_means_nothing_was_sent(free_port):
    http = Http(f"http://127.0.0.1:{free_port}/v1?x=secret-query")
    with pytest.raises(TryLater) as caught:
        await http.request_json("POST", "batches", json={}, create=True)
    assert (caught.value.kind, caught.value.counts) == ("unreachable", True)
    assert "secret-query" not in str(caught.value)
    await http.aclose()


@pytest.mark.parametrize(
    "data",
    [
        None,
        b'HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{"id":',
        b"garbage\r\n\r\n",
        b"HANG",
    ],
    ids=["hung up", "cut", "no http", "silent"],
)
async def test_a_lost_reply_may_have_been_carried_out(odd, http, data):
    odd.script(data)
    timeout = 0.3 if data == b"HANG" else None
    with pytest.raises(Transient) as caught:
        await http.request_json("POST", "chat/completions", json={}, timeout=timeout)
    assert caught.value.maybe_done
    with pytest.raises(Unsure):
        await http.request_json("POST", "batches", json={}, timeout=timeout, create=True)


async def test_nothing_below_repeats_a_request(odd, http):
    odd.script(None)
    with pytest.raises(Unsure):
        await http.request_json("POST", "batches", json={}, create=True)
    assert len(odd.seen) == 1


@pytest.mark.parametrize(
    ("body", "word"), [("", "empty"), ("<html>login</html>", "not JSON"), (b"\xff\xfe", "UTF-8")]
)
async def test_a_body_that_is_no_json_is_told_apart(odd, http, body, word):
    odd.script(reply(200, body))
    answer = await http.request_json("GET", "models")
    assert answer.json is None
    assert word in (answer.problem or "")


async def test_bombs_are_refused(odd, http, monkeypatch):
    odd.script(reply(200, b"[" * 200_000 + b"]" * 200_000))
    with pytest.raises(Refused, match="nested"):
        await http.request_json("GET", "models")
    with pytest.raises(Unsure, match="nested"):
        await http.request_json("POST", "batches", json={}, create=True)
    packed = gzip.compress(b"0" * 50_000_000)
    monkeypatch.setattr("batchtui.backends.wire.pieces.REPLY_LIMIT", 1_000_000)
    odd.script(reply(200, packed, {"Content-Encoding": "gzip"}))
    tracemalloc.start()
    with pytest.raises(Refused, match="limit"):
        await http.request_json("GET", "models")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


async def test_ten_thousand_headers_end_in_a_named_fault(odd, http):
    odd.script(reply(200, {}, {f"X-{n}": "y" * 50 for n in range(10_000)}))
    with pytest.raises(Transient):
        await http.request_json("GET", "models")


async def test_an_echoed_key_is_masked(odd, http):
    odd.script(reply(500, {"error": {"message": f"no such key {KEY}"}}))
    answer = await http.request_json("GET", "models")
    assert KEY not in answer.text
    assert KEY not in str(answer.json)


async def test_lines_are_split_on_lf_only_and_kept_as_they_came(odd, http):
    data = b'{"a":"p\xe2\x80\xa8q"}\r\n\n' + b"x" * 600_000 + b"\nlast"
    odd.script(reply(200, data))
    kept: list[bytes] = []
    got = await lines(http, keep=kept.append)
    assert got == [b'{"a":"p\xe2\x80\xa8q"}\r\n', b"\n", b"x" * 600_000 + b"\n", b"last"]
    assert b"".join(kept) == data


async def test_a_line_without_end_is_cut_at_the_limit(odd, http):
    odd.script(reply(200, b"y" * 3_000_000 + b"\nok\n"))
    first, second = await lines(http, line_limit=1_000_000)
    assert len(first) <= 1_000_001
    assert second == b"ok\n"


async def test_a_drip_ends_at_the_total(odd, http):
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    slow = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=0.5)
    with pytest.raises(Transient, match="in time"):
        await slow.request_json("GET", "models")
    with pytest.raises(Transient, match="in time"):
        await lines(slow, total=0.3)
    await slow.aclose()
    server.close()


async def test_downloads_follow_to_another_host_without_our_headers(odd, http):
    other_seen = []

    async def other(reader, writer):
        other_seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply(200, b"one\ntwo\n"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    odd.script(reply(302, b"", {"Location": address}))
    assert await lines(http) == [b"one\n", b"two\n"]
    assert KEY.encode() not in other_seen[0]
    assert b"authorization" not in other_seen[0].lower()
    server.close()


@pytest.mark.parametrize(
    "location",
    [
        "http://api.invalid/x?key=secret",
        "https://169.254.169.254/latest",
        "/v1/files/f/content",
        "http://[bad",
    ],
)
async def test_unsafe_and_endless_redirects_are_refused(odd, http, location):
    odd.script(reply(302, b"", {"Location": location}))
    with pytest.raises(Refused, match="redirect refused") as caught:
        await lines(http)
    assert "secret" not in str(caught.value)
    assert len(odd.seen) <= 4


async def test_an_upload_streams_from_disk(odd, http, tmp_path):
    source = tmp_path / "input.jsonl"
    line = b'{"custom_id":"a"}\n'
    source.write_bytes(line * 1_000_000)
    tracemalloc.start()
    seen = []

    async def sink(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        size, first = 0, b""
        while size < length:
            piece = await reader.read(1 << 18)
            first, size = first or piece, size + len(piece)
        seen.append((head, first, size, length))
        writer.write(reply(200, {"id": "file-1"}))
        await writer.drain()

    server = await asyncio.start_server(sink, "127.0.0.1", 0)
    up = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    answer = await up.upload("files", fields={"purpose": "batch"}, filename="t.jsonl", source=source)
    assert answer.json == {"id": "file-1"}
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    head, first, size, length = seen[0]
    assert size == length > 18_000_000
    assert b"transfer-encoding" not in head.lower()
    assert b'name="purpose"\r\n\r\nbatch\r\n' in first
    assert b'name="file"; filename="t.jsonl"' in first
    await up.aclose()
    server.close()


async def test_this_machine_is_never_asked_through_a_proxy_of_the_environment(odd, http, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    odd.script(reply(200, {"ok": 1}))
    assert (await http.request_json("GET", "models")).json == {"ok": 1}


async def test_a_named_proxy_is_used(odd):
    odd.script(reply(200, {"by": "proxy"}))
    http = Http("http://localhost:1/v1", proxy=odd.url)
    assert (await http.request_json("GET", "models")).json == {"by": "proxy"}
    assert odd.seen[0].path == "http://localhost:1/v1/models"
    await http.aclose()


def test_our_own_host_by_http_is_meant_by_https_where_we_come_by_that() -> None:
    """Many servers behind a proxy do not know that they are reached by https; a key must not go in clear for it."""
    http = Http("https://api.example.com/v1", headers={"Authorization": "Bearer key"})
    assert (
        str(http._own_url("http://api.example.com/v1/jobs/1?f=json"))
        == "https://api.example.com/v1/jobs/1?f=json"
    )
    for address in (
        "http://api.example.com:8080/jobs/1",
        "https://example.com/jobs/1",
        "https://api.example.com:8443/",
    ):
        with pytest.raises(Refused):
            http._own_url(address)
    plain = Http("http://api.example.com/v1")
    with pytest.raises(Refused):
        plain._own_url("https://api.example.com/jobs/1")
