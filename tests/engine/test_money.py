"""One batch's money: reserved as it is sent, settled by what the rows cost, never above the limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchtui.amounts import NANO
from batchtui.demo.server import DemoServer
from batchtui.engine.spend import stuck
from batchtui.engine.spend.spending import dollars
from batchtui.model import SubmissionState
from batchtui.store.disk import ranges
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
    assert all("$3.00" in reason for reason in waiting)
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
    folder = bench.run(money_help.spec(bench, "openai", 4, cost_usd=0.5, jobs_per_submission=2))
    status = bench.status(folder)
    assert [item.kind for item in status.attention] == ["budget"]
    assert {sub.status for sub in status.submissions or []} == {SubmissionState.WAITING}
    assert (status.pending, creates(server)) == (4, 0)
    bench.ask(folder, "limit", cost_usd=1.5, jobs_per_submission=1)
    until(lambda: folder.status().completed == 4)
    assert creates(server) == 4
    assert not folder.status().attention
    assert max(money_help.committed(bench.library.data_dir)) <= 1.5


@pytest.mark.parametrize("backend", ["openai", "chat"])
def test_the_limit_that_is_named_lets_all_of_it_go(served: Served, backend: str) -> None:
    """Also where some of it is spent already; a cent less would not do at the time."""
    bench, _ = served("duration=100ms")
    money_help.price(bench.config)
    spec = money_help.spec(bench, backend, 4, cost_usd=0.5, jobs_per_submission=2, concurrency=1)
    folder = bench.run(spec)
    (asked,) = bench.status(folder).attention
    assert asked.limit_usd == (4.0 if backend == "openai" else 8.0)
    assert f"a limit of ${asked.limit_usd:.2f} lets all of them go: batchtui limit {folder.id} " in asked.text
    bench.ask(folder, "limit", cost_usd=asked.limit_usd)
    until(lambda: folder.status().completed == 4)
    assert [event["kind"] for event in folder.events() if event["event"] == "attention"] == ["budget"]


def test_a_cancelled_batch_needs_no_budget_any_more(served: Served) -> None:
    bench, _ = served("duration=100ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "chat", 2, cost_usd=0.5))
    assert [item.kind for item in bench.status(folder).attention] == ["budget"]
    bench.ask(folder, "cancel")
    bench.drive(folder.id)
    assert (folder.status().cancelled, folder.status().attention) == (2, [])


def test_of_very_many_jobs_the_limit_for_the_next_ones_is_named(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = served("duration=100ms")
    monkeypatch.setattr(stuck, "MOST_WEIGHED", 3)
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 4, cost_usd=0.5, jobs_per_submission=2))
    (asked,) = bench.status(folder).attention
    assert asked.limit_usd == 1.0
    assert "a limit of $1.00 lets the next ones go" in asked.text


def test_a_limit_a_day_that_holds_jobs_back_is_none_of_the_batch(served: Served) -> None:
    """To raise the batch's own limit would change nothing; one job is one job."""
    bench, _ = served("duration=100ms")
    money_help.price(bench.config)
    bench.worker_spending().day_limit = NANO // 2
    folder = bench.run(money_help.spec(bench, "openai", 1))
    (asked,) = bench.status(folder).attention
    assert asked.actions == ("resume",)
    assert asked.limit_usd is None
    assert "holds back 1 job: " in asked.text
    assert asked.text.endswith(
        f"cost_usd_per_day in the config, or resume tomorrow: batchtui resume {folder.id}"
    )


def test_attention_is_gone_once_a_raised_limit_is_obeyed(served: Served) -> None:
    """Not some rounds later: who asked and was obeyed is not told any more that the limit holds jobs back."""
    bench, _ = served("duration=100ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 4, cost_usd=0.5, jobs_per_submission=2))
    assert [item.kind for item in bench.status(folder).attention] == ["budget"]
    bench.ask(folder, "limit", cost_usd=9.0)
    events = [event["event"] for event in folder.events()]
    limit = events.index("limit")
    assert "settled" in events[limit : events.index("inbox", limit)]
    until(lambda: folder.status().completed == 4)


def test_a_limit_below_one_submission_sends_what_fits_and_then_the_rest(served: Served) -> None:
    """Its six jobs may cost 6.00 USD and cost a few cents: three at first, and the others as theirs is known."""
    bench, server = served("duration=100ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 6, cost_usd=3.5))
    status = bench.status(folder)
    assert (status.completed, list(status.attention)) == (6, [])
    assert [sub.jobs for sub in status.submissions or []] == [3, 3]
    assert creates(server) == 2
    assert max(money_help.committed(bench.library.data_dir)) <= 3.5


def test_a_waiting_submission_goes_in_parts_once_nothing_frees_what_all_of_it_needs(served: Served) -> None:
    """Three were packed where the limit was whole; by what the first three cost it holds no other three."""
    bench, _ = served("duration=100ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 6, cost_usd=3.0001, jobs_per_submission=3))
    status = bench.status(folder)
    sent = [ranges.count(event["jobs"]) for event in folder.events() if event["event"] == "intent"]
    assert (status.completed, sent) == (6, [3, 2, 1])
    assert max(money_help.committed(bench.library.data_dir)) <= 3.0001


def test_fewer_jobs_go_only_where_nothing_in_flight_frees_money(served: Served) -> None:
    """A second submission waits for the first, whole: no trickle of single jobs beside it."""
    bench, server = served("duration=300ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 8, cost_usd=5.0, jobs_per_submission=4))
    assert [sub.jobs for sub in bench.status(folder).submissions or []] == [4, 4]
    assert creates(server) == 2


def test_a_limit_changed_while_nobody_drives_leaves_no_reason_of_the_old_one(served: Served) -> None:
    bench, _ = served("duration=100ms")
    money_help.price(bench.config)
    folder = bench.run(money_help.spec(bench, "openai", 2, cost_usd=0.5))
    assert [sub.reason for sub in bench.status(folder).submissions or []]
    bench.ask(folder, "limit", cost_usd=9.0)
    until(lambda: not any("$0.50" in (sub.reason or "") for sub in bench.status(folder).submissions or []))


def test_what_is_more_than_nothing_never_reads_as_nothing() -> None:
    words = [dollars(nano) for nano in (0, 1, 99_999, 100_000, 2_000_000_000)]
    assert words == ["$0.00", "<$0.0001", "<$0.0001", "$0.0001", "$2.00"]


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
    assert any("over the limit of $0.01" in line.text for line in bench.worker.log())


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
