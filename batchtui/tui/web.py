"""The app in a browser: one process of it for every page that is open, on this machine's own address, behind a token.

Who reaches the port alone gets nothing: every request needs the token, which the address holds once and a cookie from
then on. A page of another site that names this address in its own (a rebound name, a foreign socket) is refused too.
"""

from __future__ import annotations

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

ADDRESS = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listening(port: int) -> socket.socket:
    """That port, or one that is free where it is 0; who connects from now on is answered. Raises OSError where it is taken."""
    own = socket.socket()
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((ADDRESS, port))
        own.listen()
    except (OSError, OverflowError):
        own.close()
        raise
    return own


class TokenServer(Server):
    """Serves `command`, which starts the app, to those who know the token."""

    def __init__(self, command: str, own: socket.socket) -> None:
        super().__init__(command, host=ADDRESS, port=own.getsockname()[1], title="batchtui")
        self.token = secrets.token_urlsafe(32)
        self._own = own

    @property
    def address(self) -> str:
        """What to open."""
        return f"{self.public_url}/?token={self.token}"

    def serve(self, debug: bool = False) -> None:
        """Until it is interrupted; without a log, which would hold the address."""
        web.run_app(self._make_app(), sock=self._own, print=None, access_log=None)

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed: whoever starts it tells the address."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @property
    def _cookie(self) -> str:
        return f"batchtui-{self.port}"  # browsers send a cookie to every port of a host

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        hosts = {f"{ADDRESS}:{self.port}", f"localhost:{self.port}"}
        if request.host not in hosts or (origin is not None and urlsplit(origin).netloc not in hosts):
            raise web.HTTPForbidden(text="batchtui: not from here\n")
        if request.path == "/" and self._is_token(request.query.get("token")):
            away = web.HTTPSeeOther("/")  # out of the address bar, its history and what is sent as a referrer
            away.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict")
            raise away
        if not self._is_token(request.cookies.get(self._cookie)):
            raise web.HTTPForbidden(
                text="batchtui: open the whole address that `batchtui serve --web` printed\n"
            )
        return await handler(request)

    def _is_token(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())
