"""How a requester finds entries: in its mirror of the partition, or in blocks of buckets that it fetches.

With a mirror nothing is fetched that depends on who is asked. Without one, whole blocks of neighbouring
buckets are fetched: the block is fixed by the person, so that asking again, or about another item, shows
nothing new (design.md 3.3). Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

BLOCK_BITS = 4
BLOCK = 1 << BLOCK_BITS  # neighbouring buckets that are fetched together


class Plan(StrEnum):
    """The retrieval plans, from the one that shows the responder less to the one that shows it more."""

    MIRROR = "mirror"
    BUCKETS = "buckets"


class Reason(StrEnum):
    """Why a plan was taken."""

    KEPT = "kept"  # the mirror was used as it was
    SYNCED = "synced"  # the mirror was brought up to date before the query
    NO_ROOM = "no_room"  # `[requester] mirror_mib` is used up
    NO_FOLDER = "no_folder"  # the caller keeps no mirrors
    DISK = "disk"  # the disk did not take the mirror


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan and its reason."""

    plan: Plan
    reason: Reason


def choose_blocks(buckets: Iterable[int], bits: int) -> list[int]:
    """The bucket numbers to fetch for the buckets of people, in a partition of 2^bits buckets, ascending.

    Whole blocks; everything where the partition has less than a block, or more than half of it would be
    fetched. Nothing for nobody.
    """
    blocks = sorted({number >> BLOCK_BITS for number in buckets})
    if not blocks:
        return []
    if bits < BLOCK_BITS or 2 * len(blocks) * BLOCK > 1 << bits:
        return list(range(1 << bits))
    return [number for block in blocks for number in range(block << BLOCK_BITS, (block + 1) << BLOCK_BITS)]


def is_whole_blocks(buckets: tuple[int, ...], bits: int) -> bool:
    """Whether ascending bucket numbers are whole blocks, or all buckets of the partition."""
    if buckets == tuple(range(1 << bits)):
        return True
    starts = range(0, len(buckets), BLOCK)
    return (
        bits >= BLOCK_BITS
        and len(buckets) % BLOCK == 0
        and all(
            buckets[at] % BLOCK == 0 and buckets[at + BLOCK - 1] - buckets[at] == BLOCK - 1 for at in starts
        )
    )


def widen(buckets: list[int], bits: int) -> list[int]:
    """The same numbers with those before them in their first block, of a fetch that is resumed inside it."""
    if bits < BLOCK_BITS:
        return list(range(1 << bits))
    return [*range(buckets[0] >> BLOCK_BITS << BLOCK_BITS, buckets[0]), *buckets]
