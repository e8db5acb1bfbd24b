"""Backends given in code: they run, their key is written nowhere, and a later process names them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchtui import (
    BadInput,
    Batch,
    BatchStatus,
    Buttermilk,
    Chat,
    ConfigError,
    Daly,
    JobResult,
    OpenAI,
)
from batchtui.api import engines, live
from batchtui.config.keys import held
from batchtui.demo.server import DemoServer
from tests.api.conftest import Place

KEY = "sk-proj-in-code-0123456789abcdef"


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    engines._given.clear()
    held._held.clear()


def files_with(folder: Path, text: str) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and text.encode() in one.read_bytes()]


def test_a_backend_with_its_key_runs_and_the_key_is_written_nowhere(
    place: Place, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server()
    given = OpenAI(
        base_url=str(server.backends["openai"]["base_url"]), api_key=KEY, settle="1s", poll_interval="1s"
    )
    assert KEY not in repr(given) + str(given.table)
    batch = place.batch("coded", backend=given).set_default_params(model="demo-small", max_tokens=20)
    batch.add_job(prompt="Describe a bird")
    chat = Chat(name="real time", base_url=str(server.backends["chat"]["base_url"]), api_key=KEY)
    batch.add_job(prompt="Describe a fish", backend=chat)
    run = batch.run(timeout=120)
    assert [result.status.value for result in run] == ["completed", "completed"]
    assert {result.backend for result in run} == {given.name, "real time"}
    assert files_with(place.folder, KEY) == []
    assert place.open(run.id, backend=given).results()["completed"]


def test_without_the_code_a_later_process_is_told(
    place: Place, demo_server: Callable[..., DemoServer]
) -> None:
    address = str(demo_server("duration=30s").backends["openai"]["base_url"])
    batch = place.batch("left", backend=OpenAI(base_url=address, api_key=KEY))
    batch.set_default_params(model="demo-small", max_tokens=20).add_job(prompt="x")
    assert batch.start().wait_submitted(timeout=60)
    engines._stop_all()
    engines._engines.clear()
    engines._given.clear()
    with pytest.raises(Exception, match="openai-127"):
        place.open("left").wait(timeout=30)


def test_every_kind_takes_its_keys(place: Place, demo_server: Callable[..., DemoServer]) -> None:
    server = demo_server("duration=100ms")
    flow = Buttermilk(base_url=str(server.backends["buttermilk"]["base_url"]), poll_interval="1s")
    run = place.batch("flows", backend=flow).add_job(flow="demo", max_records=2).start()
    daly = Daly(
        base_url=str(server.backends["daly"]["base_url"]), workspace_api_key="ws-123456", user_api_key="us-123456",
        poll_interval="1s",
    )  # fmt: skip
    site = {"name": "a", "blocks": []}
    sites = place.batch("sites", backend=daly)
    assert sites.add_job(name="a", input=site).check().kind == "daly"
    run.cancel()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Chat(), "base_url"),
        (lambda: OpenAI(api_kye="x"), 'did you mean "api_key"'),
        (lambda: OpenAI(timeuot="9s"), 'did you mean "timeout"'),
        (lambda: OpenAI(api_key=""), "api_key: expected the key"),
        (lambda: OpenAI(base_url="htp://x"), "base_url"),
        (lambda: Batch("a", backend={"kind": "chat"}), "backend: expected the name"),
        (lambda: OpenAI(api_key_env=KEY), "not the key itself"),
    ],
)
def test_what_is_wrong_is_told_where_it_is_written(make: Callable[[], object], told: str) -> None:
    with pytest.raises(BadInput, match=told) as refused:
        make()
    assert KEY not in str(refused.value)


def test_a_server_of_ones_own_is_never_called_as_the_provider() -> None:
    assert OpenAI(api_key=KEY).name == "openai"
    assert OpenAI(base_url="https://gateway.example/v1", api_key=KEY).name == "openai-gateway.example"
    assert Chat(base_url="http://127.0.0.1:8000/v1").name == "chat-127.0.0.1-8000"


def test_the_words_of_other_tools(place: Place, with_demo: Callable[..., DemoServer]) -> None:
    with_demo()
    batch = place.prompts(2)
    batch.add_job(prompt="x", model="no-such-model", id="bad")
    run = batch.run(timeout=120)
    assert run.state == BatchStatus.COMPLETED
    for result in run:
        assert f"{result.cost_usd:.4f} {result.input_tokens + result.output_tokens}"
        again = JobResult.from_dict(result.to_dict())
        assert again == result
        path = place.folder / "one.json"
        result.save_to_json(path)
    bare = JobResult.from_dict({"job_id": "a", "raw_response": "b", "error": None, "cost_usd": 0.5})
    assert (bare.is_success, bare.cost_usd, bare.input_tokens, bare.cost_known) == (True, 0.5, 0, True)
    assert not JobResult.from_dict({"job_id": "a", "error": "no"}).is_success
    with pytest.raises(BadInput, match="from_dict"):
        JobResult.from_dict({"raw_response": "b"})


def test_a_run_shows_itself_in_a_notebook(place: Place, with_demo: Callable[..., DemoServer]) -> None:
    with_demo()
    run = place.prompts(2, name="<b>birds").run(timeout=120)
    shown = run._repr_html_()
    assert "&lt;b&gt;birds" in shown
    assert "<b>" not in shown
    assert '<progress value="2" max="2">' in shown


def test_the_live_table_is_drawn_on_a_terminal(
    place: Place,
    with_demo: Callable[..., DemoServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_demo()
    run = place.prompts(2).run(timeout=120)
    run.wait(print_status=True)
    assert "completed: 2 of 2 completed" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    run.wait(print_status=True)
    drawn = capsys.readouterr().out
    assert "submission" in drawn
    assert "collected" in drawn
    assert not live.in_notebook()


def test_figures_as_frames(place: Place, with_demo: Callable[..., DemoServer]) -> None:
    pytest.importorskip("pyarrow")
    with_demo()
    run = place.prompts(2).run(timeout=120)
    assert run.to_arrow().num_rows == 2


def test_no_backend_in_code_is_forgotten_by_a_broken_table(place: Place) -> None:
    (place.folder / "config.toml").write_text('[backends.mine]\nkind = "chat"\nbase_url = 7\n')
    here = Chat(name="mine", base_url="http://127.0.0.1:9/v1")
    assert place.batch(backend=here).add_job(prompt="x", model="m").check().kind == "chat"
    engines._given.clear()
    with pytest.raises(ConfigError):
        place.batch(backend="mine").add_job(prompt="x", model="m").run()
