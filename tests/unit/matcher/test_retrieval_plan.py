"""Blocks of buckets: fixed by the person, whole, or everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.retrieval_plan import BLOCK, choose_blocks, is_whole_blocks, widen


@pytest.mark.parametrize(
    ("name", "buckets", "bits", "expected"),
    [
        ("nobody", [], 13, []),
        ("one person", [100], 13, list(range(96, 112))),
        ("two of one block", [96, 111], 13, list(range(96, 112))),
        ("two neighbours of two blocks", [111, 112], 13, list(range(96, 128))),
        ("less than a block", [0], 3, list(range(8))),
        ("half of it", [0, 31], 6, [*range(32)]),
        ("more than half of it", [0, 16, 32], 6, list(range(64))),
        ("the last", [2**13 - 1], 13, list(range(2**13 - 16, 2**13))),
        ("one block is everything", [3], 4, list(range(16))),
    ],
)
def test_blocks(name, buckets, bits, expected):
    assert choose_blocks(buckets, bits) == expected, name
    assert not expected or is_whole_blocks(tuple(expected), bits)


@given(st.integers(0, 13), st.data())
def test_what_is_fetched_is_whole_blocks_and_the_same_for_a_person_whoever_else_is_asked_about(bits, data):
    person, *others = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=40))
    alone, together = choose_blocks([person], bits), choose_blocks([person, *others], bits)
    assert set(alone) <= set(together)
    assert is_whole_blocks(tuple(together), bits)
    assert len(together) == 1 << bits or all(
        set(range(start, start + BLOCK)) <= set(together) for start in {n // BLOCK * BLOCK for n in together}
    )
    assert len(together) == 1 << bits or 2 * len(together) <= 1 << bits


@pytest.mark.parametrize(
    "buckets",
    [(0,), tuple(range(15)), tuple(range(1, 17)), tuple(range(17)), (*range(16), *range(40, 56)), (5,) * 16],
)
def test_anything_else_is_no_whole_blocks(buckets):
    assert not is_whole_blocks(buckets, 6)


@given(st.integers(0, 8), st.data())
def test_a_resumed_fetch_is_whole_blocks_too(bits, data):
    wanted = choose_blocks(data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=1)), bits)
    left = wanted[data.draw(st.integers(0, len(wanted) - 1)) :]
    wide = widen(left, bits)
    assert wide[len(wide) - len(left) :] == left
    assert is_whole_blocks(tuple(wide), bits)
