"""One batch's money: reserved as it is sent, settled by what the rows cost, never above the limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import SubmissionState
from tests.engine import money_help
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]


def creates(server: DemoServer) -> int:
    return [entry["op"] for entry in server.ledger()].count("create")


def test_three_submissions_share_a_limit_that_holds_one_at_a_time(served: Served) -> None:
    bench, server = served("duration=200ms")
    money_help.price(bench.config)
    folder = bench.start(money_help.spec(bench, "openai", 6, cost_usd=3.0, jobs_per_submission=2))
    waiting: set[str] = set()

    def ended() -> bool:
        for sub in folder.status(submissions=True).submissions or []:
            if sub.status is SubmissionState.WAITING:
                waiting.add(sub.reason or "")
        return folder.status().completed == 6

    until(ended)
    bench.drive(folder.id)
    status = bench.status(folder)
    assert creates(server) == 3
    assert [round(sub.estimated_usd or 0, 6) for sub in status.submissions or []] == [2.0, 2.0, 2.0]
    assert all("3.00 USD" in reason for reason in waiting)
    assert waiting
    assert status.cost_usd is not None
    assert 0 < status.cost_usd < 0.5
    assert max(money_help.committed(bench.library.data_dir)) <= 3.0
    assert money_help.committed(bench.library.data_dir)[-1] == pytest.approx(status.cost_usd)
    order = [
        (event["event"], event["sub"])
        for event in folder.events()
        if event["event"] in ("intent", "collected")
    ]
    assert order == [(name, sub) for sub in (1, 2, 3) for name in ("intent", "collected")]
    assert {sub.status for sub in status.submissions or []} == {SubmissionState.COLLECTED}
    assert {folder.progress.tries[n] for n in range(6)} == {1}


def test_what_nothing_can_free_needs_a_person_and_a_higher_limit_goes_on(served: Served) -> None:
    bench, server = served("duration=100ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 4, cost_usd=1.5, jobs_per_submission=2))
    status = bench.status(folder)
    assert [item.kind for item in status.attention] == ["budget"]
    assert {sub.status for sub in status.submissions or []} == {SubmissionState.WAITING}
    assert (status.pending, creates(server)) == (4, 0)
    bench.ask(folder, "limit", cost_usd=1.5, jobs_per_submission=1)
    until(lambda: folder.status().completed == 4)
    assert creates(server) == 4
    assert not folder.status().attention
    assert max(money_help.committed(bench.library.data_dir)) <= 1.5


def test_direct_jobs_reserve_in_blocks_and_never_pass_the_limit(served: Served) -> None:
    bench, server = served()
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "chat", 300, concurrency=20, cost_usd=60.0))
    status = folder.status()
    assert status.completed == 300
    assert len(money_help.lines(bench.library.data_dir)) < 60
    assert max(money_help.committed(bench.library.data_dir)) <= 60.0
    assert money_help.committed(bench.library.data_dir)[-1] == pytest.approx(status.cost_usd)
    assert len([entry for entry in server.ledger() if entry["op"] == "chat"]) == 300


def test_the_cost_is_what_the_stored_rows_say(served: Served) -> None:
    bench, _ = served("duration=100ms,partial=0.3,seed=4")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 20))
    stored = [folder.result(n).cost_usd for n in range(20)]
    assert None in stored
    assert folder.status().cost_usd == pytest.approx(sum(cost for cost in stored if cost))


def test_an_overrun_is_reported(served: Served) -> None:
    bench, server = served("duration=500ms")
    money_help.price(bench.config)
    folder = bench.start(money_help.spec(bench, "openai", 2, cost_usd=2.0))
    until(lambda: creates(server) == 1)
    bench.ask(folder, "limit", cost_usd=0.01)
    bench.drive(folder.id)
    assert [event["limit_usd"] for event in folder.events() if event["event"] == "overrun"] == [0.01]
    assert any("over the limit of 0.0100 USD" in line.text for line in bench.worker.log())


def test_an_unknown_price_under_a_limit_asks_first(served: Served) -> None:
    bench, server = served("duration=100ms")
    del bench.config.prices["demo-small"]
    folder = bench.run(money_help.spec(bench, "openai", 3, cost_usd=5.0))
    (asked,) = folder.status().attention
    assert (asked.kind, asked.actions) == ("price", ("release", "cancel"))
    assert "demo-small" in asked.text
    assert (creates(server), folder.status().pending) == (0, 3)
    bench.ask(folder, "resolve", action="release")
    until(lambda: folder.status().completed == 3)
    assert folder.status().cost_usd is None
    assert not folder.status().attention


def test_an_unknown_price_without_a_limit_is_sent_and_stays_unknown(served: Served) -> None:
    bench, _ = served()
    del bench.config.prices["demo-small"]
    folder = bench.run(money_help.spec(bench, "chat", 3))
    status = folder.status()
    assert (status.completed, status.cost_usd, status.estimated_usd) == (3, None, None)
    assert not (bench.library.data_dir / "spend.jsonl").exists()


def test_a_spend_file_that_cannot_be_relied_on_sends_nothing(served: Served) -> None:
    bench, server = served("duration=100ms")
    money_help.price(bench.config)
    path = bench.library.data_dir / "spend.jsonl"
    bench.library.data_dir.mkdir(exist_ok=True)
    path.write_text('{"schema":99}\n')
    for backend in ("openai", "chat"):
        folder = bench.run(money_help.spec(bench, backend, 2))
        (asked,) = folder.status().attention
        assert asked.kind == "money"
        assert "newer batchtui" in asked.text
    assert server.ledger() == []
    assert path.read_text() == '{"schema":99}\n'
    path.unlink()
    bench.ask(folder, "resume")
    until(lambda: folder.status().completed == 2)
