"""Starting and stopping: in a thread, and as a process of its own."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from batchtui.demo import server as server_module
from batchtui.demo.server import DemoServer, serve
from batchtui.errors import BadInput, ConfigError

COMMAND = """
import sys
from pathlib import Path
from batchtui.demo.server import serve
sys.exit(serve(0, Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_alone_writes_its_config_says_its_url_and_ends_quickly(
    tmp_path: Path, number: int
) -> None:
    out = tmp_path / "demo.toml"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, out, "late=2s"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        url = json.loads(process.stdout.readline())["url"]
        config = tomllib.loads(out.read_text())
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert config["backends"]["chat"] == {"kind": "chat", "base_url": f"{url}/v1"}
        assert config["backends"]["openai"]["settle"] == 3.5
        assert config["prices"]["demo-small"]["output"] > 0
        assert "defaults" not in config
        with httpx.Client() as kept_open:
            assert kept_open.get(f"{url}/v1/models").status_code == 200
            process.send_signal(number)
            assert process.wait(60) == 0  # though a connection is open for good
    finally:
        process.kill()
        process.stdout.close()


def test_stopping_cuts_what_is_open_and_leaves_no_files(demo_server, rows) -> None:
    server = demo_server(latency="600s", late="600s", **{"500.chat": 0})
    world = server._world
    with httpx.Client(base_url=server.url) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/v1/models", timeout=httpx.Timeout(5, read=0.1))
        server.stop()
    assert not world.folder.exists()
    server.stop()


def test_a_port_that_is_taken_and_a_folder_that_is_not_there_are_said_so(demo_server, tmp_path: Path) -> None:
    server = demo_server()
    with pytest.raises(ConfigError, match="port"):
        DemoServer(port=int(server.url.rsplit(":", 1)[1])).start()
    with pytest.raises(ConfigError, match="nowhere"):
        server.write_config(tmp_path / "nowhere" / "demo.toml")


def test_a_bad_fault_is_refused_before_anything_starts() -> None:
    with pytest.raises(BadInput, match='did you mean "drop"'):
        serve(0, None, "dorp=1")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"pip install 'batchtui\[demo\]'"):
        server_module.DemoServer().start()
