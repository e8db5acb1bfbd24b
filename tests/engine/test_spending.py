"""What all batches may spend a day, weighed while some of them are at work, at rest or removed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from batchtui.engine.spend.spending import DIRECT, Ask, Refusal, Spending
from batchtui.prices.rates import NANO
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.store.store_help import drive, make

DAY_LIMIT = 3.0


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data")


def ask(folder: BatchFolder, usd: float, key: str = "1", spent: float = 0.0) -> Ask:
    return Ask(batch=folder.id, key=key, nano=round(usd * NANO), total=round(spent * NANO))


def reserved(spending: Spending, asked: Ask) -> bool:
    return not isinstance(spending.reserve(asked, None, set()), Refusal)


def refusal(spending: Spending, asked: Ask) -> Refusal:
    answer = spending.reserve(asked, None, set())
    assert isinstance(answer, Refusal)
    return answer


def committed(spending: Spending) -> float:
    ledger = spending.file.read()
    return (sum(sum(days.values()) for days in ledger.spent.values()) + ledger.claimed()) / NANO


@pytest.mark.parametrize("spent", [0.0, 0.5])
def test_what_a_removed_batch_had_at_a_provider_counts_as_spent(library: Library, spent: float) -> None:
    one, other = make(library.data_dir), make(library.data_dir)
    spending = Spending(library, DAY_LIMIT)
    assert reserved(spending, ask(one, 2.0, spent=spent))
    library.remove(one.id)
    assert refusal(spending, ask(other, 1.5)).kind == "day"
    assert committed(spending) == 2.0 + spent
    assert not spending.file.read().claims
    assert reserved(spending, ask(other, 0.5))


def test_what_a_removed_batch_had_set_aside_for_direct_jobs_is_free_again(library: Library) -> None:
    one, other = make(library.data_dir), make(library.data_dir)
    spending = Spending(library, DAY_LIMIT)
    assert reserved(spending, ask(one, 2.0, key=DIRECT, spent=0.25))
    library.remove(one.id)
    assert reserved(spending, ask(other, 2.5))
    assert committed(spending) == 2.75


def test_a_limit_that_another_batch_will_free_is_waited_for(library: Library) -> None:
    """Only what is spent, or asks too much by itself, needs a person."""
    one, other = make(library.data_dir), make(library.data_dir)
    spending = Spending(library, DAY_LIMIT)
    with closing(drive(one)):
        assert reserved(spending, ask(one, 2.0, spent=0.5))
        assert refusal(spending, ask(other, 2.5)).wait  # 0.5 are spent: it fits once the 2.0 are settled
        assert not refusal(spending, ask(other, 2.6)).wait


def test_what_this_batch_has_in_flight_itself_is_waited_for_too(library: Library) -> None:
    one = make(library.data_dir)
    spending = Spending(library, DAY_LIMIT)
    with closing(drive(one)):
        assert reserved(spending, ask(one, 2.0))
        assert refusal(spending, ask(one, 2.0, key="2")).wait


def test_nothing_is_waited_for_where_all_of_it_is_spent(library: Library) -> None:
    one, other = make(library.data_dir), make(library.data_dir)
    spending = Spending(library, DAY_LIMIT)
    with closing(drive(one)):
        assert reserved(spending, ask(one, 0.0, spent=2.9))
        told = refusal(spending, ask(other, 0.2))
        assert not told.wait
        assert "$2.90 of $3.00 a day are spent or in flight" in told.text
