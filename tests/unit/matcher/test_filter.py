"""The partition filter against plain sets."""

import secrets

import numpy as np
import pytest

from matcher import filter as filters
from matcher.errors import FilterError


def tags(count: int) -> bytes:
    return secrets.token_bytes(10 * count)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 31, 32, 33, 1000, 40_000])
def test_it_misses_nothing_and_survives_the_wire(count):
    held = tags(count)
    built = filters.parse(filters.serialise(filters.build(held)))
    assert built.entries == count
    assert filters.contains(built, held).all()


def test_false_hits_are_rare():
    built = filters.build(tags(100_000))
    # 400,000 unknown tags at 2^-27 each: three false hits occur once in 10^9 runs
    assert int(filters.contains(built, tags(400_000)).sum()) < 3


def test_it_costs_at_most_five_bytes_an_entry_once_it_is_large():
    for count in (1_000, 65_535, 65_536, 10_000_000):
        assert filters.serialised_size(count) <= 5 * count


def test_the_size_is_known_beforehand():
    for count in (0, 1, 100, 5000):
        assert len(filters.serialise(filters.build(tags(count)))) == filters.serialised_size(count)


def test_order_of_the_tags_does_not_matter():
    held = [secrets.token_bytes(10) for _ in range(500)]
    assert filters.serialise(filters.build(b"".join(held))) == filters.serialise(
        filters.build(b"".join(sorted(held)))
    )


def served(count: int = 300) -> bytearray:
    return bytearray(filters.serialise(filters.build(tags(count))))


def unsorted() -> bytes:
    data = served()
    remainders = np.frombuffer(data, dtype="<u4", offset=len(data) - 4 * 300).copy()
    data[-4 * 300 :] = remainders[::-1].tobytes()
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", b""),
        ("header cut", bytes(served()[:10])),
        ("other magic", b"XXXX" + bytes(served()[4:])),
        ("cut short", bytes(served()[:-1])),
        ("too long", bytes(served()) + b"\0"),
        ("too many bins", b"HQF1" + bytes([60]) + bytes(11)),
        ("unsorted", unsorted()),
    ],
)
def test_malformed_bytes_are_refused(name, data):
    with pytest.raises(FilterError):
        filters.parse(data)


def test_counts_that_do_not_add_up_are_refused():
    data = served()
    data[16] ^= 1
    with pytest.raises(FilterError):
        filters.parse(bytes(data))


def test_ragged_tags_are_refused():
    built = filters.build(tags(4))
    with pytest.raises(FilterError):
        filters.build(b"x" * 17)
    with pytest.raises(FilterError):
        filters.contains(built, b"x" * 15)
