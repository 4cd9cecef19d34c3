"""Pads: entries of nobody, which hide how many people a partition holds (design.md section 3.2).

A pad looks like any other entry: place, tag and seal are drawn from the pad key, so the same partition has
the same pads each time. One manifest shows the number of entries up to k/8; changes between versions show
additions and removals, pads or not.
"""

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import buckets
from matcher.vectorised import Bytes, keyed

LEAST = 64  # pads of a partition
KEY_CONTEXT = "heqiao v1 pad key"
_PLACE_SIZE = 4


def pad_count(entries: int, k_anonymity: int) -> int:
    """How many pads a partition of so many entries has: at least LEAST, up to a multiple of k/8 in all."""
    step = max(k_anonymity // 8, 1)
    return -(-(entries + LEAST) // step) * step - entries


def pad_key(key: bytes) -> bytes:
    """The key of the pads of a class, 32 bytes, from its key."""
    return blake3(key, derive_key_context=KEY_CONTEXT).digest()


def draw_pads(
    key: bytes, item: str, origin: str, epoch: int, numbers: range, width: int
) -> tuple[Bytes, NDArray[np.uint32]]:
    """Some pads of a partition: served bytes (n, entry size of `width`), bucket prefixes (n,)."""
    head = item.encode() + b"\0" + origin.encode() + b"\0" + epoch.to_bytes(4, "big")
    messages = [head + number.to_bytes(4, "big") for number in numbers]
    drawn = keyed(key, messages, _PLACE_SIZE + buckets.entry_size(width))
    places = np.ascontiguousarray(drawn[:, :_PLACE_SIZE]).view(">u4")[:, 0]
    return drawn[:, _PLACE_SIZE:], places.astype(np.uint32)
