"""Token blocks: the token of each identity, computed once per class and epoch (design.md section 3.1).

    digest of an identity -> prefix (its first 12 bits) -> block -> slot -> token

A block is n as u32 (big endian), n digests (16), n tokens (32), by slot, sealed under the storage key. A
pointer names a slot: prefix (12 bits), slot (20 bits). Slots never move; a new token takes a slot of zeros,
or is appended. Entries keep pointers, so whoever follows one compares the entry's tag with the token's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import buckets
from matcher.suites.suite import DIGEST_SIZE
from matcher.suites.x25519 import POINT_SIZE
from matcher.vectorised import Bytes
from node.errors import UnavailableError
from node.index.layout import split

PREFIX_BITS, SLOT_BITS = 12, 20
PREFIXES = 1 << PREFIX_BITS
SLOT_SIZE = DIGEST_SIZE + POINT_SIZE
MOST_SLOTS = (1 << SLOT_BITS) - 1  # the last pointer of the last block stands for a pad
COUNT_SIZE = 4
_DAMAGED_HINT = "`heqiao index verify` names the items: import each of them again in full"
Pointers = NDArray[np.uint32]
Blocks = Mapping[int, bytes]  # packed blocks by prefix


@dataclass(frozen=True, slots=True)
class TokenBlock:
    """The slots of a block, or of several: digests (n, 16), tokens (n, 32); zeros where a slot is free."""

    digests: Bytes = field(repr=False)
    tokens: Bytes = field(repr=False)

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which slots hold a token."""
        return np.asarray(self.digests.any(axis=1))


def pack(block: TokenBlock) -> bytes:
    """The bytes of a block, before they are sealed."""
    return len(block).to_bytes(COUNT_SIZE, "big") + block.digests.tobytes() + block.tokens.tobytes()


def unpack(content: bytes) -> TokenBlock:
    """Undoes `pack`; no bytes are an empty block. Raises UnavailableError for bytes of another form."""
    count = int.from_bytes(content[:COUNT_SIZE], "big")
    if len(content) != (COUNT_SIZE + count * SLOT_SIZE if content else 0):
        raise damaged()
    middle = COUNT_SIZE + count * DIGEST_SIZE
    return TokenBlock(
        np.frombuffer(content[COUNT_SIZE:middle], dtype=np.uint8).reshape(-1, DIGEST_SIZE),
        np.frombuffer(content[middle:], dtype=np.uint8).reshape(-1, POINT_SIZE),
    )


def prefixes_of(digests: Bytes) -> NDArray[np.int64]:
    """The block of each digest."""
    return (digests[:, 0].astype(np.int64) << 4) | (digests[:, 1] >> 4)


def pointers_of(prefix: int, slots: NDArray[np.integer]) -> Pointers:
    """Pointers to slots of one block."""
    return (prefix << SLOT_BITS) + slots.astype(np.uint32)


class TokenTable:
    """The slots of some blocks, to be searched by digest or by pointer."""

    def __init__(self, blocks: Blocks) -> None:
        """Unpack them all. Raises UnavailableError for bytes that are no block."""
        parts = {prefix: unpack(blocks[prefix]) for prefix in sorted(blocks)}
        none = TokenBlock(np.zeros((0, DIGEST_SIZE), np.uint8), np.zeros((0, POINT_SIZE), np.uint8))
        every = [none, *parts.values()]
        self.slots = TokenBlock(
            np.concatenate([each.digests for each in every]), np.concatenate([each.tokens for each in every])
        )
        self._first = np.zeros(PREFIXES + 1, dtype=np.int64)
        for prefix, part in parts.items():
            self._first[prefix + 1] = len(part)
        self._first = np.cumsum(self._first)
        self.pointers = np.concatenate(
            [np.zeros(0, np.uint32)]
            + [pointers_of(prefix, np.arange(len(part))) for prefix, part in parts.items()]
        )

    def find(self, digests: Bytes) -> NDArray[np.int64]:
        """The row of each digest in `slots`, -1 for one without a token."""
        rows = np.flatnonzero(self.slots.used)
        if not len(rows):
            return np.full(len(digests), -1, dtype=np.int64)
        high, low = _words(self.slots.digests[rows])
        order = np.lexsort((low, high))
        high, low, rows = high[order], low[order], rows[order]
        wanted, second = _words(digests)
        at, last = np.searchsorted(high, wanted), len(high) - 1
        while True:  # past the rare other digests with the same first half
            here = np.minimum(at, last)
            before = (at <= last) & (high[here] == wanted) & (low[here] < second)
            if not before.any():
                break
            at[before] += 1
        same = (at <= last) & (high[here] == wanted) & (low[here] == second)
        return np.where(same, rows[here], -1)

    def follow(self, pointers: Pointers) -> NDArray[np.int64]:
        """The row in `slots` that each pointer names, -1 for a slot that does not exist or is free."""
        prefixes = (pointers >> SLOT_BITS).astype(np.int64)
        rows = self._first[prefixes] + (pointers & MOST_SLOTS)
        inside = rows < self._first[prefixes + 1]
        rows = np.where(inside, rows, -1)
        used = self.slots.used
        return np.where(inside & used[rows], rows, -1) if len(used) else np.full(len(pointers), -1)


def add_tokens(blocks: Blocks, digests: Bytes, tokens: Bytes) -> tuple[Pointers, dict[int, bytes]]:
    """Give tokens of new, distinct digests their slots; returns pointers, and the blocks as they are now.

    Raises UnavailableError where a block is full.
    """
    pointers, changed = np.zeros(len(digests), dtype=np.uint32), dict[int, bytes]()
    places = prefixes_of(digests)
    for prefix, mine in split(places):
        block = unpack(blocks.get(prefix, b""))
        slots = _free_slots(block, len(mine))
        grown = _grow(block, int(slots.max()) + 1)
        grown.digests[slots], grown.tokens[slots] = digests[mine], tokens[mine]
        pointers[mine], changed[prefix] = pointers_of(prefix, slots), pack(grown)
    return pointers, changed


def clear_slots(content: bytes, referenced: NDArray[np.bool_]) -> bytes:
    """A block without the tokens that nothing refers to; `referenced` is by slot, False beyond its end."""
    block = _grow(unpack(content), 0)
    kept = np.zeros(len(block), dtype=bool)
    kept[: len(referenced)] = referenced[: len(block)]
    block.digests[~kept], block.tokens[~kept] = 0, 0
    return pack(block)


def _free_slots(block: TokenBlock, count: int) -> NDArray[np.int64]:
    free = np.flatnonzero(~block.used)[:count]
    slots = np.concatenate([free, np.arange(len(block), len(block) + count - len(free))])
    if len(slots) and int(slots.max()) >= MOST_SLOTS:
        raise UnavailableError("a block of tokens is full", "this node holds too many people for one index")
    return slots


def _grow(block: TokenBlock, size: int) -> TokenBlock:
    """A copy that may be written, with `size` slots at least."""
    more = max(size - len(block), 0)
    return TokenBlock(
        np.concatenate([block.digests, np.zeros((more, DIGEST_SIZE), np.uint8)]),
        np.concatenate([block.tokens, np.zeros((more, POINT_SIZE), np.uint8)]),
    )


def _words(digests: Bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    return words[:, 0], words[:, 1]


def damaged() -> UnavailableError:
    """A block that does not open, or has another form."""
    return UnavailableError("stored tokens are damaged, or are of another time than the index", _DAMAGED_HINT)


def prefix_of(pointers: Pointers) -> NDArray[np.uint32]:
    """The first 12 bits of the 32-bit prefix of the identity that each pointer stands for."""
    return (pointers >> SLOT_BITS << SLOT_BITS).astype(np.uint32)


def are_pads(pointers: Pointers) -> NDArray[np.bool_]:
    """Which pointers are those of pads."""
    return np.asarray(pointers == buckets.PAD)
