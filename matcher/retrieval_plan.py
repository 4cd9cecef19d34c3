"""How to retrieve labels: by buckets, with the partition's filter, or the whole partition (design.md 3).

The choice is by estimated bytes, among the plans that the responder's privacy floor allows; where two
cost about the same, the one that reveals less to the responder. The result is the same under every plan.
"""

from dataclasses import dataclass
from enum import StrEnum

from matcher import filter as filters

PATH_DIGEST = 32
# Share of the queried identities that are expected in a partition before anything is known: real lists of
# migrants reach it, random lists stay far below, so the estimate is rather too high.
EXPECTED_HITS = 0.25
# Decoy buckets fetched besides those with a hit. A bucket alone hides one person among a thousand; decoys
# hide how many buckets have a hit: a query without any hit looks like one with a few, and a large count is
# visible only roughly.
LEAST_DECOYS = 8
DECOY_SHARE = 0.25
# How many times the bytes of the cheapest plan a plan that reveals less may cost: bytes are an estimate,
# what the responder sees is not.
SHOWS_LESS = 1.05
# The same for a whole partition that will be kept: the second query of its version transfers nothing.
WILL_BE_KEPT = 2.0


class Plan(StrEnum):
    """The retrieval plans, from the least that a responder may learn to the most."""

    PARTITION = "partition"
    BUCKETS = "buckets"
    FILTER = "filter"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Input of the estimate: identities queried in this partition, and the partition's size and form."""

    asked: int
    entries: int
    bucket_bits: int
    entry_size: int
    filter_cached: bool = False
    partition_kept: bool = False
    room_to_keep: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen plan, the reason, and the bytes estimated for each allowed plan."""

    plan: Plan
    reason: str
    estimates: tuple[tuple[Plan, int], ...]


def choose(sizes: Sizes, floor: Plan) -> Choice:
    """The plan that reveals least among those that cost about as much as the cheapest one.

    `floor` is the responder's demand: PARTITION (the responder learns nothing about matches), BUCKETS (which
    buckets hold queried people), FILTER (roughly which buckets hold matches).
    """
    estimates = tuple((plan, _ESTIMATES[plan](sizes)) for plan in _allowed(floor))
    least = min(size for _, size in estimates)
    plan, size = next(pair for pair in estimates if pair[1] <= least * _allowance(pair[0], sizes))
    others = ", ".join(f"{other} {_human(cost)}" for other, cost in estimates if other is not plan)
    reason = f"about {_human(size)}" + (f" against {others}" if others else f": the floor is {floor}")
    if size > least:
        reason += ", and will be kept" if size > least * SHOWS_LESS else ", and shows less"
    return Choice(plan, reason, estimates)


def distinct_buckets(identities: int, bucket_bits: int) -> float:
    """The average number of different buckets of some identities."""
    buckets = float(1 << bucket_bits)
    return buckets * (1.0 - (1.0 - 1.0 / buckets) ** identities)


def decoy_count(hit_buckets: int, bucket_bits: int, asked_buckets: int) -> int:
    """Decoy buckets for a filter plan, never more than the query could have requested."""
    wanted = LEAST_DECOYS + round(hit_buckets * DECOY_SHARE)
    return max(min(wanted, min(1 << bucket_bits, asked_buckets) - hit_buckets), 0)


def _allowed(floor: Plan) -> tuple[Plan, ...]:
    order = (Plan.PARTITION, Plan.BUCKETS, Plan.FILTER)
    return order[: order.index(floor) + 1]


def _allowance(plan: Plan, sizes: Sizes) -> float:
    return WILL_BE_KEPT if plan is Plan.PARTITION and sizes.room_to_keep else SHOWS_LESS


def _by_buckets(sizes: Sizes) -> int:
    return round(distinct_buckets(sizes.asked, sizes.bucket_bits) * _bucket_bytes(sizes))


def _by_filter(sizes: Sizes) -> int:
    filter_bytes = 0 if sizes.filter_cached else filters.serialised_size(sizes.entries)
    hits = distinct_buckets(round(sizes.asked * EXPECTED_HITS), sizes.bucket_bits)
    asked = distinct_buckets(sizes.asked, sizes.bucket_bits)
    fetched = min(hits * (1 + DECOY_SHARE) + LEAST_DECOYS, max(asked, hits))
    return filter_bytes + round(fetched * _bucket_bytes(sizes))


def _whole_partition(sizes: Sizes) -> int:
    if sizes.partition_kept:
        return 0
    return round((1 << sizes.bucket_bits) * _bucket_bytes(sizes))


def _bucket_bytes(sizes: Sizes) -> float:
    return sizes.entry_size * sizes.entries / (1 << sizes.bucket_bits) + PATH_DIGEST * sizes.bucket_bits


def _human(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} kB"


_ESTIMATES = {Plan.PARTITION: _whole_partition, Plan.BUCKETS: _by_buckets, Plan.FILTER: _by_filter}
