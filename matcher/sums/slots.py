"""Several small numbers in one plaintext: 128-bit slots that add up without meeting (design.md section 5).

    bit 0        128         256         384 and on                                        128 * (slots - 1)
    count (1)  | value x   | square x^2 | one 0/1 slot a band ... | guards (6) | guards (2) | check

check = alpha + sum of beta_j * x_j, x_j being the value, its square, the band slots and the guards: alpha (80
bits) and the beta_j (40 bits) are secret and of one epoch and item. Sums of rows keep the relation; a party
that adds other numbers to the count, the value or a band must guess alpha or a beta_j. Multiples of a row
keep it too. These show in the guards: eight secret bits of each row's point, of 21 bits each, whose totals
behave like those of coins only where each row is taken once (guards.py).
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from math import isqrt
from typing import Self

from blake3 import blake3

from matcher.errors import InconsistentError, SlotsError

FORMAT = 2  # of a packed row; 1 had no guards
CHECK_CONTEXT = "heqiao v1 sum check"
GUARD_CONTEXT = b"heqiao v1 sum guard"
SLOT_BITS = 128
GUARDS = 8
GUARD_BITS = 21
GUARDS_PER_SLOT = 6  # the two bits above them stay 0
MAX_ROWS = 1 << 20  # so many ones are still below a guard's 21 bits
ALPHA_BITS = 80
BETA_BITS = 40
SECRET_SIZE = 32
_SLOT = 1 << SLOT_BITS
_GUARD = 1 << GUARD_BITS
_GUARD_SLOTS = -(-GUARDS // GUARDS_PER_SLOT)
_FIXED = 4 + _GUARD_SLOTS  # count, value, square, guards, check


@dataclass(frozen=True)
class Layout:
    """Positions and bounds of the slots: `max_rows` rows of values in [0, max_value] never overflow a slot.

    `bands` are ascending inclusive upper bounds as in a catalogue table; n bounds make n + 1 bands,
    no bounds make no band.
    """

    bands: tuple[int, ...]
    max_value: int
    max_rows: int

    @classmethod
    def of(cls, bands: tuple[int, ...], bits: int, max_rows: int = MAX_ROWS) -> Self:
        """The layout of an item under a modulus of `bits` bits. Raises SlotsError for one that cannot fit.

        With the default of 2^20 rows values reach 17,179,869,150 (171 million yuan in fen).
        """
        if any(high <= low for low, high in pairwise(bands)) or min(bands, default=0) < 0:
            raise SlotsError("the bounds of bands must ascend and not be negative")
        if not 1 <= max_rows <= MAX_ROWS:
            raise SlotsError("the number of rows is out of range")
        max_value = _greatest_value(max_rows)
        layout = cls(bands, max_value, max_rows)
        if layout.slots * SLOT_BITS >= bits:
            raise SlotsError(f"{layout.slots} slots of {SLOT_BITS} bits do not fit into {bits} bits")
        if bands and bands[-1] > max_value:
            raise SlotsError("the bound of a band is above the greatest value that fits")
        return layout

    @property
    def band_slots(self) -> int:
        """The number of bands."""
        return len(self.bands) + 1 if self.bands else 0

    @property
    def slots(self) -> int:
        """The number of slots of a plaintext."""
        return _FIXED + self.band_slots

    @property
    def numbers(self) -> int:
        """The numbers that the check slot covers: value, square, bands, guards."""
        return 2 + self.band_slots + GUARDS

    def band_of(self, value: int) -> int:
        """The number of the band a value is in, from 0."""
        return bisect_left(self.bands, value)


@dataclass(frozen=True)
class CheckKey:
    """The secret numbers of the check slot: `betas` belong to value, square, bands and guards, in that
    order.
    """

    alpha: int = field(repr=False)
    betas: tuple[int, ...] = field(repr=False)

    @classmethod
    def derive(cls, secret: bytes, item: str, layout: Layout) -> Self:
        """The numbers of one item from the epoch's 32 secret bytes; none of them is zero."""
        if len(secret) != SECRET_SIZE:
            raise SlotsError("the secret of the check slot must be 32 bytes")
        key = blake3(secret, derive_key_context=CHECK_CONTEXT).digest()
        count = layout.numbers
        stream = blake3(item.encode(), key=key).digest(length=(ALPHA_BITS + count * BETA_BITS) // 8)
        alpha, rest = stream[: ALPHA_BITS // 8], stream[ALPHA_BITS // 8 :]
        step = BETA_BITS // 8
        betas = (int.from_bytes(rest[at : at + step], "big") for at in range(0, len(rest), step))
        return cls(int.from_bytes(alpha, "big") or 1, tuple(beta or 1 for beta in betas))

    def of(self, count: int, numbers: tuple[int, ...]) -> int:
        """The check number of `count` rows whose values, squares, bands and guards add up to `numbers`."""
        return self.alpha * count + sum(b * x for b, x in zip(self.betas, numbers, strict=True))


@dataclass(frozen=True)
class Totals:
    """The slots of a decrypted sum, before disclosure control. repr shows none."""

    count: int = field(repr=False)
    total: int = field(repr=False)
    squares: int = field(repr=False)
    bands: tuple[int, ...] = field(repr=False)
    guards: tuple[int, ...] = field(repr=False)
    check: int = field(repr=False)


def guard_bits(secret: bytes, point: bytes) -> int:
    """The guards of a row as bits of one byte, from the epoch's secret and the row's point.

    The item is not in it, so that the sums of one cohort over several items tell its holder nothing more.
    """
    return blake3(GUARD_CONTEXT + point, key=secret).digest(length=GUARDS // 8)[0]


def pack(layout: Layout, check_key: CheckKey, value: int, guards: int) -> int:
    """The plaintext of one row; `guards` are its bits. Raises SlotsError, without the value, for one outside
    [0, max_value].
    """
    if not 0 <= value <= layout.max_value:
        raise SlotsError("a value does not fit its slot")
    band = layout.band_of(value)
    bits = tuple(guards >> at & 1 for at in range(GUARDS))
    numbers = (value, value * value, *(int(band == number) for number in range(layout.band_slots)))
    packed = check_key.of(1, (*numbers, *bits))
    for number in reversed((1, *numbers, *_join_guards(bits))):
        packed = packed << SLOT_BITS | number
    return packed


def unpack(layout: Layout, total: int) -> Totals:
    """The slots of a decrypted sum. Raises InconsistentError for a number beyond the last slot, or beyond the
    guards of theirs, and for more rows than fit.
    """
    if not 0 <= total < 1 << layout.slots * SLOT_BITS:
        raise InconsistentError("a total is beyond its slots")
    count, value, squares, *rest, check = ((total >> at * SLOT_BITS) % _SLOT for at in range(layout.slots))
    if count > layout.max_rows:
        raise InconsistentError("a total is of more rows than fit")
    bands, guards = rest[: layout.band_slots], _split_guards(rest[layout.band_slots :])
    return Totals(count, value, squares, tuple(bands), guards, check)


def require_consistent(check_key: CheckKey, totals: Totals) -> None:
    """Raises InconsistentError, always the same, unless these can be totals of rows made with this key.

    Besides the check slot: every row is in one band, no guard is above the count, and for whole numbers
    n * sum(x^2) >= sum(x)^2 and sum(x^2) >= sum(x).
    """
    numbers = (totals.total, totals.squares, *totals.bands, *totals.guards)
    if (
        len(numbers) != len(check_key.betas)
        or totals.check != check_key.of(totals.count, numbers)
        or (totals.bands and sum(totals.bands) != totals.count)
        or max(totals.guards) > totals.count
        or totals.count * totals.squares < totals.total**2
        or totals.squares < totals.total
    ):
        raise InconsistentError("the totals contradict each other")


def _join_guards(bits: tuple[int, ...]) -> list[int]:
    """The guards as slots, the first in the lowest bits."""
    found = []
    for at in range(0, GUARDS, GUARDS_PER_SLOT):
        some = bits[at : at + GUARDS_PER_SLOT]
        found.append(sum(bit << place * GUARD_BITS for place, bit in enumerate(some)))
    return found


def _split_guards(found: list[int]) -> tuple[int, ...]:
    """The totals of the guards. Raises InconsistentError where a slot holds more than its guards."""
    guards: list[int] = []
    for slot in found:
        places = min(GUARDS - len(guards), GUARDS_PER_SLOT)
        if slot >> places * GUARD_BITS:
            raise InconsistentError("a total is beyond its guards")
        guards += (slot >> place * GUARD_BITS & _GUARD - 1 for place in range(places))
    return tuple(guards)


def _greatest_value(max_rows: int) -> int:
    """The greatest x for which `max_rows` rows leave the check slot, the fullest one, below 2^128.

    A row's check is at most 2^80 + 2^40 * (x + x^2 + 1 + GUARDS), no more than 2^40 * (x + 1)^2 + 2^80 from x
    = 8 on; x is above 2^23 for any number of rows that is allowed.
    """
    room = (_SLOT - 1) // max_rows - (1 << ALPHA_BITS)
    return max(isqrt(room >> BETA_BITS) - 1, 0)
