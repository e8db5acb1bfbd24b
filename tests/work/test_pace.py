"""How many jobs go in a chunk, by how long the last ones took."""

from __future__ import annotations

from batchtui.work.calls.pace import MOST, TARGET, Pace


def test_quick_jobs_go_in_ever_larger_chunks() -> None:
    pace, sizes = Pace(together=False), []
    for _ in range(6):
        sizes.append(pace.size)
        pace.took(pace.size, pace.size * 0.001)
    assert sizes == [1, 4, 16, 64, MOST, MOST]


def test_slow_jobs_go_alone_again() -> None:
    pace = Pace(together=False)
    for seconds in (0.001, 0.004, 0.016):
        pace.took(pace.size, seconds)
    assert pace.size == 64
    pace.took(64, 64 * 2 * TARGET)
    assert pace.size == 1


def test_a_function_of_many_gets_more_while_that_helps() -> None:
    """Half a second a call, whatever the number of jobs."""
    pace, sizes = Pace(together=True), []
    for _ in range(5):
        sizes.append(pace.size)
        pace.took(pace.size, 0.5)
    assert sizes == [1, 4, 16, 64, MOST]


def test_a_function_of_many_that_is_no_quicker_so_gets_one() -> None:
    pace = Pace(together=True)
    pace.took(1, 1.0)
    pace.took(4, 4.0)
    assert pace.size == 1


def test_what_the_user_said_stays() -> None:
    pace = Pace(together=True, most=50, fixed=True)
    pace.took(50, 100.0)
    assert pace.size == 50


def test_a_chunk_that_was_not_full_says_nothing() -> None:
    pace = Pace(together=False)
    pace.took(1, 0.001)
    pace.took(2, 0.002)
    assert pace.size == 4
