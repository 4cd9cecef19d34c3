"""Hides the size and order of a batch: size classes, canaries, test misses, the secret order."""

from collections.abc import Sequence

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import batch, identity
from matcher.oprf import RandomBytes
from matcher.suites.suite import Suite
from matcher.vectorised import Bytes

SEED_SIZE = 32

POINTS_PER_CANARY = 2048

MISSES = 2

_MISS_NAME = 15  # random bytes; in hexadecimal they just fit one block of the hash

_ORDER_CONTEXT = "heqiao v1 query order"

_CHOICE_CONTEXT = "heqiao v1 query choice"


def new_seed(random_bytes: RandomBytes) -> bytes:
    """The secret that fixes order, choice and padding of one query."""
    return random_bytes(SEED_SIZE)


def choose_canaries(suite: Suite, seed: bytes, count: int) -> list[int]:
    """Which of the public constants go into a batch."""
    constants = range(suite.sizes.canaries)
    return sorted(constants, key=lambda number: choice(seed, b"canary", number))[:count]


def canary_points(suite: Suite, chosen: Sequence[int]) -> Bytes:
    """The chosen constants M_c, (n, point)."""
    constants = np.frombuffer(suite.canary_points(), dtype=np.uint8).reshape(-1, suite.sizes.point)
    return constants[list(chosen)]


def draw_misses(seed: bytes, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Random test identities that nobody holds, as `batch` takes them."""
    names = blake3(seed + b"miss", derive_key_context=_CHOICE_CONTEXT).digest(length=_MISS_NAME * count).hex()
    size = 2 * _MISS_NAME
    found = (
        identity.planted("miss", identity.NO_ORIGIN, names[at * size : at * size + size])
        for at in range(count)
    )
    return batch.pack_identities([(one.id_type, one.value) for one in found])


def choice(seed: bytes, purpose: bytes, number: int) -> int:
    """A pseudorandom number of 64 bits for one purpose of a query."""
    stream = blake3(seed + purpose + number.to_bytes(8, "big"), derive_key_context=_CHOICE_CONTEXT)
    return int.from_bytes(stream.digest(length=8), "big")


def secret_order(seed: bytes, count: int) -> NDArray[np.int64]:
    """A secret permutation: sort by 64 pseudorandom bits of each place."""
    stream = blake3(seed, derive_key_context=_ORDER_CONTEXT).digest(length=8 * count)
    return np.argsort(np.frombuffer(stream, dtype="<u8"), kind="stable")
