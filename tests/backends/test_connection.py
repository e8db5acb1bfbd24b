"""What the connection beneath the transport must not do by itself: repeat, mix up, remember, or say that nothing was sent."""

from __future__ import annotations

import asyncio
import ssl
import subprocess

import pytest

from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.backends.http import Http
from tests.backends.odd_server import KEY, reply


@pytest.fixture
async def http(odd):
    http = Http(f"{odd.url}/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=5)
    yield http
    await http.aclose()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_connection_lost_when_it_is_used_again_repeats_nothing(odd, http, method):
    odd.script(reply(200, {}), None)
    await http.request_json("GET", "models")
    with pytest.raises(Transient) as caught:
        await http.request_json(method, "models")
    assert caught.value.maybe_done
    assert len(odd.seen) == 2


async def test_a_create_on_a_connection_that_is_lost_is_unsure_and_not_unsent(odd, http):
    odd.script(reply(200, {}), None)
    await http.request_json("GET", "models")
    with pytest.raises(Unsure):
        await http.request_json("POST", "batches", json={}, create=True)
    assert len(odd.seen) == 2


async def test_an_idle_connection_that_the_server_closed_is_not_used():
    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(200, {"n": 2}))
        writer.close()

    server = await asyncio.start_server(gone, "127.0.0.1", 0)
    other = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", timeout=5)
    for _ in range(3):
        assert (await other.request_json("POST", "batches", json=None, create=True)).json == {"n": 2}
    await other.aclose()
    server.close()


async def test_a_second_reply_that_nobody_asked_for_answers_nothing(odd, http):
    """It comes at once, or while the connection idles: never as the reply to the next request."""
    whole = reply(200, {"of": "first"}) + reply(200, {"of": "nobody"})
    odd.script(whole, reply(200, {"of": "second"}))
    assert (await http.request_json("GET", "one")).json == {"of": "first"}
    assert (await http.request_json("GET", "two")).json == {"of": "second"}

    writers = []

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while head := await reader.readuntil(b"\r\n\r\n"):
            writer.write(reply(200, {"path": head.split()[1].decode()}))

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    other = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=5)
    assert (await other.request_json("GET", "one")).json == {"path": "/one"}
    writers[0].write(reply(200, {"path": "/nobody"}))
    await writers[0].drain()
    assert (await other.request_json("GET", "two")).json == {"path": "/two"}
    await asyncio.sleep(0.05)
    assert (await other.request_json("GET", "three")).json == {"path": "/three"}
    await other.aclose()
    server.close()


async def test_a_header_with_a_line_end_is_refused_unsent(odd):
    http = Http(f"{odd.url}/v1", headers={"Authorization": "Bearer a\r\nX-Injected: 1"})
    with pytest.raises(Refused, match="cannot be sent"):
        await http.request_json("POST", "batches", json={}, create=True)
    assert odd.seen == []
    await http.aclose()


async def test_paths_go_as_they_stand_and_cookies_are_forgotten(odd, http):
    odd.script(reply(200, {}, {"Set-Cookie": "session=1; Path=/"}))
    await http.request_json("GET", "files/a%2Fb%20c~?after=x%2By")
    await http.request_json("GET", "models")
    assert odd.seen[0].path == "/v1/files/a%2Fb%20c~?after=x%2By"
    assert "cookie" not in odd.seen[1].headers
    assert odd.seen[0].headers["user-agent"].startswith("batchtui/")
    assert "content-type" not in odd.seen[0].headers


async def test_an_upload_answered_before_its_end_leaves_no_connection(tmp_path):
    source = tmp_path / "input.jsonl"
    source.write_bytes(b"x" * 30_000_000)
    asked, over = [], asyncio.Event()

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply(413, {"error": "too large"}))
        await over.wait()
        writer.close()

    server = await asyncio.start_server(early, "127.0.0.1", 0)
    http = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", timeout=20)
    for _ in range(2):
        answer = await http.upload("files", fields={}, filename="a", source=source)
        assert answer.status == 413
    assert len(asked) == 2
    over.set()
    await http.aclose()
    server.close()


async def test_a_proxy_that_refuses_means_nothing_was_sent(odd):
    odd.script(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    proxy = odd.url.replace("http://", "http://user:dummy-secret@")
    http = Http("https://models.example.invalid/v1", proxy=proxy)
    with pytest.raises(TryLater) as caught:
        await http.request_json("POST", "batches", json={}, create=True)
    assert "407" in str(caught.value)
    assert "dummy-secret" not in str(caught.value)
    assert (odd.seen[0].method, odd.seen[0].path) == ("CONNECT", "models.example.invalid:443")
    assert odd.seen[0].headers["proxy-authorization"] == "Basic dXNlcjpkdW1teS1zZWNyZXQ="
    assert "authorization" not in odd.seen[0].headers
    await http.aclose()


async def test_a_proxy_of_another_kind_is_told():
    http = Http("https://models.example.invalid/v1", proxy="socks5://inner.example:1080")
    with pytest.raises(NeedsPerson, match=r"inner\.example"):
        await http.request_json("GET", "models")
    await http.aclose()


async def test_a_certificate_that_nobody_vouches_for_means_nothing_was_sent(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 1 -subj /CN=localhost"
    words = [*made.split(), "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply(200, {"safe": True}))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    base = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
    http = Http(base, timeout=5)
    with pytest.raises(TryLater, match="CERTIFICATE_VERIFY_FAILED"):
        await http.request_json("POST", "batches", json={}, create=True)
    assert heard == []
    await http.aclose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        known = Http(base, timeout=5)
        assert (await known.request_json("GET", "models")).json == {"safe": True}
        await known.aclose()
    server.close()
