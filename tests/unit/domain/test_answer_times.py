"""How long peers take, against figures counted by hand."""

from datetime import UTC, datetime, timedelta

from node.domain.answer_times import summarise_times
from node.domain.jobs import Attempt

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def took(hours, state="done", points=64):
    return Attempt(NOW, NOW + timedelta(hours=hours), state, "", points)


def test_times_of_answers():
    answered = [took(hours) for hours in (1, 2, 3, 4, 5, 6, 7, 8, 9, 200)]
    found = summarise_times([*answered, took(240, "overdue", 0), took(0, points=0)], 7)
    assert (found.attempts, found.answered, found.overdue, found.within, found.days) == (11, 10, 1, 9, 7)
    assert (found.median_s, found.most_s) == (5.5 * 3600, 9 * 3600)


def test_nothing_was_answered():
    found = summarise_times([took(1, "refused")], 7)
    assert (found.attempts, found.answered, found.median_s, found.most_s) == (1, 0, None, None)
