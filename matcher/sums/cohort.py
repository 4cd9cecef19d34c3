"""A cohort and the rows of a sum: which rows count, and what they add up to (design.md section 5).

    requester                                             responder
    B of the cohort           ---- B ---->
                              <--- E -----                shuffle(k * B)
    distinct_points(T)
                              <--- rows ---               interleave (digest of a group)
    require_rows, choose_rows
    add_rows                  ---- sum --->
                                                          open_totals

Bytes in, bytes out: points and ciphertexts are one after the other, of the sizes given.
"""

from collections.abc import Callable, Iterable

import numpy as np

from matcher.errors import MatcherError
from matcher.sums import paillier, slots
from matcher.sums.paillier import PrivateKey, PublicKey
from matcher.sums.slots import CheckKey, Layout, Totals

RandomBytes = Callable[[int], bytes]


def shuffle(points: bytes, size: int, random_bytes: RandomBytes) -> bytes:
    """The points in a random order, which hides the person of each point."""
    rows = np.frombuffer(points, dtype=np.uint8).reshape(-1, size)
    draws = np.frombuffer(random_bytes(8 * len(rows)), dtype=np.uint64)
    return rows[np.argsort(draws, kind="stable")].tobytes()


def distinct_points(points: bytes, size: int) -> frozenset[bytes]:
    """The points of the cohort, as a set."""
    return frozenset(points[at : at + size] for at in range(0, len(points), size))


def interleave(points: bytes, ciphertexts: bytes, point_size: int, ciphertext_size: int) -> bytes:
    """Rows as the digest of a group covers them: point, ciphertext, point, ciphertext ..."""
    left = np.frombuffer(points, dtype=np.uint8).reshape(-1, point_size)
    right = np.frombuffer(ciphertexts, dtype=np.uint8).reshape(-1, ciphertext_size)
    return np.hstack([left, right]).tobytes()


def require_rows(public: PublicKey, ciphertexts: bytes) -> None:
    """Every row is checked, found or not. Raises CiphertextError.

    If only matching rows were checked, a peer with a faulty row would learn who is in the cohort.
    """
    size = public.ciphertext_size
    rows = (ciphertexts[at : at + size] for at in range(0, len(ciphertexts), size))
    paillier.require_ciphertexts(public, rows)


def choose_rows(
    cohort: frozenset[bytes], points: bytes, ciphertexts: bytes, point_size: int, ciphertext_size: int
) -> dict[bytes, bytes]:
    """The ciphertexts of the rows whose point is one of the cohort's, by that point."""
    found = {}
    for row in range(len(points) // point_size):
        point = points[point_size * row : point_size * (row + 1)]
        if point in cohort:
            found[point] = ciphertexts[ciphertext_size * row : ciphertext_size * (row + 1)]
    return found


def add_rows(public: PublicKey, chosen: Iterable[bytes], random_bytes: RandomBytes) -> bytes:
    """The sum of checked ciphertexts, re-randomised.

    For no ciphertext it is a fresh zero, so that the responder sees no difference before it decrypts.
    """
    numbers = [int.from_bytes(one, "big") for one in chosen]
    total = paillier.add(public, numbers) if numbers else paillier.encrypt(public, 0, random_bytes)
    return paillier.to_bytes(public, paillier.rerandomise(public, total, random_bytes))


def open_totals(
    private: PrivateKey, secret: bytes, item: str, layout: Layout, ciphertext: int
) -> Totals | None:
    """The totals of a decrypted sum; `secret` is that of the check slot.

    None when its slots contradict each other: numbers were added that are not rows of this key.
    """
    try:
        totals = slots.unpack(layout, paillier.decrypt(private, ciphertext))
        slots.require_consistent(CheckKey.derive(secret, item, layout), totals)
    except MatcherError:
        return None
    return totals
