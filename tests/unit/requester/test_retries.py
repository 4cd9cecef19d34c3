"""Waits before a step is repeated, and the errors after which it is."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from node import errors
from node.config import RequesterSection
from node.requester.context import LONGEST_WAIT, with_retries

NOW = datetime(2026, 6, 30, 8, tzinfo=UTC)
SETTINGS = RequesterSection(retry_attempts=4, retry_wait_s=1, retry_wait_max_s=3)


def seconds(number):
    return timedelta(seconds=number)


def tried(error, settings=SETTINGS, left_s=3_600.0):
    """The waits of a step that always fails with an error, and the number of attempts."""
    waits, tries = [], []

    def step():
        tries.append(1)
        raise error

    context = SimpleNamespace(
        settings=settings,
        clock=lambda: NOW,
        deadline=NOW + seconds(left_s),
        checkpoint=SimpleNamespace(wait=waits.append),
    )
    with pytest.raises(type(error)) as caught:
        with_retries(context, step)
    assert caught.value is error
    return waits, len(tries)


LIMIT, AWAY = errors.LimitError, errors.UnavailableError
CASES = {
    "away": (AWAY("x"), [1, 2, 3], 4),
    "away_and_says_when": (AWAY("x", retry_after=seconds(2.5)), [2.5, 2.5, 3], 4),
    "away_for_a_day": (AWAY("x", retry_after=timedelta(days=1)), [60, 60, 60], 4),
    "away_for_no_time": (AWAY("x", retry_after=seconds(0)), [1, 2, 3], 4),
    "a_stream_is_free_soon": (LIMIT("x", retry_after=seconds(1)), [1, 2, 3], 4),
    "a_limit_of_half_a_minute": (LIMIT("x", retry_after=seconds(30)), [30, 30, 30], 4),
    "a_limit_of_a_minute": (LIMIT("x", retry_after=LONGEST_WAIT), [60, 60, 60], 4),
    "a_budget_of_next_month": (LIMIT("x", retry_after=timedelta(days=20)), [], 1),
    "a_little_more_than_a_minute": (LIMIT("x", retry_after=LONGEST_WAIT + seconds(0.001)), [], 1),
    "a_limit_without_a_time": (LIMIT("x"), [], 1),
    "refused": (errors.RefusedError("x", retry_after=seconds(1)), [], 1),
    "lost_a_race": (errors.ConflictError("x"), [], 1),
    "dishonest": (errors.DishonestPeerError("x"), [], 1),
}


@pytest.mark.parametrize("name", CASES)
def test_waits(name):
    error, waits, tries = CASES[name]
    assert tried(error) == (waits, tries)


def test_no_wait_exceeds_the_deadline():
    """The part ends with the peer's error, not with a later time-out."""
    assert tried(AWAY("x", retry_after=seconds(30)), left_s=20) == ([], 1)
    assert tried(LIMIT("x", retry_after=seconds(20)), left_s=19) == ([], 1)
    assert tried(AWAY("x"), left_s=0) == ([], 1)


def test_a_step_that_succeeds_at_last():
    results = iter([errors.LimitError("x", retry_after=seconds(5)), errors.UnavailableError("x"), "done"])
    waits = []

    def step():
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    context = SimpleNamespace(
        settings=SETTINGS,
        clock=lambda: NOW,
        deadline=NOW + seconds(600),
        checkpoint=SimpleNamespace(wait=waits.append),
    )
    assert with_retries(context, step) == "done"
    assert waits == [5, 2]
