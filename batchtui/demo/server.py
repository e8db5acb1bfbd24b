"""The demo server, started and stopped: in a thread for tests and the app, in the foreground for `demo --serve`."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from batchtui.demo.config_out import config, write_config
from batchtui.demo.faults import parse_faults
from batchtui.errors import ConfigError
from batchtui.model import Json

if TYPE_CHECKING:
    import uvicorn

    from batchtui.demo.gateway import Gateway
    from batchtui.demo.world import World

_START, _STOP = 10.0, 2.0
"""Seconds that starting and stopping may take."""


class DemoServer:
    """A server on 127.0.0.1, in a daemon thread of this process.

    `port` 0 takes a free one. `faults` is a spec such as `429=0.2,late=2s`; `options` are the same names as keywords.
    Raises BadInput for a name or value that is not known, ConfigError where the extra `demo` is not installed.
    """

    def __init__(self, *, port: int = 0, faults: str = "", **options: object) -> None:
        self.faults = parse_faults(faults, **options)
        self.url = ""
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._world: World | None = None
        self._gateway: Gateway | None = None

    def start(self) -> str:
        """Answers the url, such as http://127.0.0.1:4321, once the server listens."""
        _needs_extra()
        from batchtui.demo.gateway import Gateway
        from batchtui.demo.wire import Connections, listen
        from batchtui.demo.world import World

        listener = _bind(self._port)
        connections = Connections()
        self._world = World(self.faults)
        self._gateway = Gateway(self._world, connections)
        started = threading.Event()
        self._server = listen(self._gateway, connections, started)
        self._thread = threading.Thread(
            target=_run, args=(self._server, listener), name="demo-server", daemon=True
        )
        self._thread.start()
        if not started.wait(_START):
            raise ConfigError("the demo server did not start; try another --port")
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return self.url

    def stop(self) -> None:
        """Ends it at once: open connections are cut, what was still to come is forgotten. May be called twice."""
        if self._server is None or self._thread is None or self._world is None:
            return
        self._world.stopping.set()
        self._server.should_exit = True
        self._thread.join(_STOP)
        self._world.close()
        self._server = None

    @property
    def backends(self) -> dict[str, dict[str, Json]]:
        """`[backends.NAME]` tables that point here, by name."""
        return {kind.name: kind.backend(self.url) for kind in self._gateway.kinds} if self._gateway else {}

    @property
    def config(self) -> dict[str, Json]:
        """The whole config as `--config-out` writes it."""
        return config(self.backends)

    def write_config(self, path: Path) -> None:
        """Raises ConfigError where the file cannot be written."""
        write_config(path, self.backends)

    def ledger(self) -> list[dict[str, Json]]:
        """What `GET /__ledger` answers, decoded."""
        entries = list(self._world.ledger.entries) if self._world else []
        return [msgspec.to_builtins(entry) for entry in entries]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(port: int, config_out: Path | None, faults: str) -> int:
    """`batchtui demo --serve`: writes the config, prints `{"url": …}`, serves until SIGTERM or SIGINT. Answers 0.

    Must be called on the main thread. Raises BadInput and ConfigError.
    """
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    server = DemoServer(port=port, faults=faults)
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with server:
            if config_out is not None:
                server.write_config(config_out)
            print(json.dumps({"url": server.url}), flush=True)
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    with asyncio.Runner() as runner:
        runner.run(server.serve(sockets=[listener]))


def _bind(port: int) -> socket.socket:
    # The protocol is named since asyncio sets TCP_NODELAY only then; without it each reply takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as fault:
        listener.close()
        reason = getattr(fault, "strerror", None) or fault
        raise ConfigError(f"demo server: port {port}: {reason}; take another, or 0 for a free one") from None
    return listener


def _needs_extra() -> None:
    try:
        import python_multipart  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as missing:
        raise ConfigError(f"the demo server needs {missing.name}: pip install 'batchtui[demo]'") from None
