"""The planner: its choices, the effect of the floor, and of decoys."""

import pytest

from matcher.buckets import bucket_bits
from matcher.retrieval_plan import LEAST_DECOYS, Plan, Sizes, choose, decoy_count, distinct_buckets


def sizes(asked: int, entries: int, *, cached: bool = False) -> Sizes:
    return Sizes(asked, entries, bucket_bits(entries, 1024), 38, cached)


@pytest.mark.parametrize(
    ("name", "asked", "entries", "cached", "floor", "expected"),
    [
        ("one person in a large partition", 1, 10_000_000, False, Plan.FILTER, Plan.BUCKETS),
        ("a village, filter kept", 300, 10_000_000, True, Plan.FILTER, Plan.FILTER),
        ("a county against a small partition", 20_000, 60_000, False, Plan.FILTER, Plan.PARTITION),
        ("a small partition has one bucket", 5, 900, False, Plan.FILTER, Plan.PARTITION),
        ("the floor demands the whole partition", 1, 10_000_000, True, Plan.PARTITION, Plan.PARTITION),
        ("the floor forbids filters", 1, 10_000_000, True, Plan.BUCKETS, Plan.BUCKETS),
        ("a filter is too dear for a few", 30, 10_000_000, False, Plan.FILTER, Plan.BUCKETS),
    ],
)
def test_choice(name, asked, entries, cached, floor, expected):
    choice = choose(sizes(asked, entries, cached=cached), floor)
    assert choice.plan is expected, choice.reason
    assert choice.plan in dict(choice.estimates)
    assert choice.reason


@pytest.mark.parametrize("floor", list(Plan))
def test_a_kept_partition_costs_nothing(floor):
    kept = Sizes(1, 10_000_000, 13, 38, True, partition_kept=True)
    assert choose(kept, floor).plan is Plan.PARTITION


@pytest.mark.parametrize("floor", list(Plan))
def test_the_choice_reveals_least_among_plans_about_as_cheap_as_the_cheapest(floor):
    for asked in (1, 50, 5_000, 50_000, 100_000, 500_000):
        for entries in (0, 10, 5_000, 3_000_000, 10_000_000):
            choice = choose(sizes(asked, entries), floor)
            least = min(cost for _, cost in choice.estimates)
            dearer = [plan for plan, cost in choice.estimates if cost > 1.05 * least]
            showing_less = [plan for plan, _ in choice.estimates][: list(Plan).index(choice.plan)]
            assert choice.plan not in dearer
            assert set(showing_less) <= set(dearer)


def test_buckets_that_are_nearly_all_become_the_whole_partition():
    """100,000 people need all but a few of 8,192 buckets: fetching the rest too hides them."""
    choice = choose(sizes(100_000, 10_000_000), Plan.FILTER)
    assert choice.plan is Plan.PARTITION
    assert "shows less" in choice.reason


def test_a_partition_that_will_be_kept_may_cost_twice_as_much():
    kept = Sizes(10_000, 10_000_000, 13, 38, room_to_keep=True)
    choice = choose(kept, Plan.BUCKETS)
    assert choice.plan is Plan.PARTITION
    assert "kept" in choice.reason
    assert choose(Sizes(10_000, 10_000_000, 13, 38), Plan.BUCKETS).plan is Plan.BUCKETS
    assert choose(Sizes(1_000, 10_000_000, 13, 38, room_to_keep=True), Plan.BUCKETS).plan is Plan.BUCKETS


def test_distinct_buckets_is_bounded_by_both():
    assert distinct_buckets(10, 0) == 1
    assert distinct_buckets(0, 5) == 0
    for asked in (1, 7, 1000):
        assert distinct_buckets(asked, 6) <= min(asked, 64)


def test_decoys_follow_the_hits_and_never_exceed_what_was_asked():
    assert decoy_count(400, 13, 1000) == LEAST_DECOYS + 100
    assert decoy_count(0, 13, 1000) == LEAST_DECOYS  # a query without any hit looks like one with
    assert decoy_count(30, 13, 32) == 2
    assert decoy_count(1, 0, 1) == 0
