"""A headless Chromium, driven by its own protocol: what it receives of the app is kept as a terminal would show it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

from batchtui.model import Json

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
SIZE = (1400, 900)
NAMED = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "F5": 116, "F9": 120}


class Page:
    """One page. `screen` is what the app sent to it."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket, self._last = socket, 0
        self._answers: dict[int, asyncio.Future[dict[str, Json]]] = {}
        self._heard = asyncio.create_task(self._hear())
        self._session: str | None = None
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)

    async def _hear(self) -> None:
        async for message in self._socket:
            told = message.json()
            if (answer := self._answers.pop(told.get("id"), None)) and not answer.done():
                answer.set_result(told)
            if told.get("method") == "Network.webSocketCreated" and (
                size := re.search(r"width=(\d+)&height=(\d+)", told["params"]["url"])
            ):
                self.screen.resize(int(size[2]), int(size[1]))
            if told.get("method") == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                if frame["opcode"] == 2:
                    self._stream.feed(base64.b64decode(frame["payloadData"]))

    async def call(self, method: str, **params: Json) -> dict[str, Json]:
        self._last += 1
        answer = self._answers[self._last] = asyncio.get_running_loop().create_future()
        named = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": self._last, "method": method, "params": params, **named})
        told = await asyncio.wait_for(answer, 60)
        assert "error" not in told, told
        result: dict[str, Json] = told["result"]
        return result

    async def open(self, address: str) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self.call("Network.enable")
        await self.call("Page.enable")
        await self.call("Page.navigate", url=address)

    async def press(self, *keys: str) -> None:
        """By name, or the letters of a text."""
        for key in keys:
            if key in NAMED:
                code = {"key": key, "code": key, "windowsVirtualKeyCode": NAMED[key]}
                text = {"text": "\r"} if key == "Enter" else {}
                await self.call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
                await self.call("Input.dispatchKeyEvent", type="keyUp", **code)
            else:
                for letter in key:
                    await self.call("Input.dispatchKeyEvent", type="keyDown", key=letter, text=letter)
                    await self.call("Input.dispatchKeyEvent", type="keyUp", key=letter)

    async def click(self, x: int, y: int) -> None:
        """At a place of the page, in pixels."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def shows(self, *words: str) -> None:
        for _ in range(1200):
            if all(word in self.text for word in words):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{words} never came:\n{self.text}")

    async def body(self) -> str:
        """What the page says where it is no terminal."""
        told = await self.call("Runtime.evaluate", expression="document.body.innerText")
        return str(told["result"]["value"])

    async def picture(self) -> bytes:
        return base64.b64decode(str((await self.call("Page.captureScreenshot"))["data"]))


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """Its own profile, and no network but this machine's."""
    import aiohttp

    assert PROGRAM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--remote-debugging-port=0", f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            told = Path(profile, "DevToolsActivePort")
            while not (told.is_file() and len(told.read_text().splitlines()) == 2):
                assert process.returncode is None, "the browser did not start"
                await asyncio.sleep(0.05)
            port, path = told.read_text().splitlines()
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"http://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
            ):
                yield Page(socket)
        finally:
            process.terminate()
            await process.wait()
