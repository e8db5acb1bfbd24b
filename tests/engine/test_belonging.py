"""The mark that rows bear says of which batch they are, to whoever knows the batch's id alone."""

from __future__ import annotations

from batchtui.backends.wire.ids import is_mark_of, new_token, prefix_of


def test_the_mark_of_a_token_follows_from_its_batch() -> None:
    taken: list[str] = []
    for number in range(1, 900):
        taken.append(new_token("k3f9ab", number, taken))
    marks = [prefix_of(token) for token in taken]
    assert len(set(marks)) == len(marks)  # none ends like another
    assert all(is_mark_of(mark, "k3f9ab") for mark in marks)
    assert sum(is_mark_of(mark, "m2x7pq") for mark in marks) < 5
    assert not is_mark_of("", "k3f9ab")
    assert taken[41].startswith("k3f9ab-42-")


def test_more_submissions_than_there_are_marks_still_get_tokens_of_their_own() -> None:
    taken = [f"k3f9ab-{number}-{number:08x}" for number in range(20_000)]
    assert new_token("k3f9ab", 20_000, taken) not in taken
