"""A token block as bytes, its slots, and how tokens are found and put into it."""

import secrets

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import UnavailableError
from node.index import token_blocks
from node.index.token_blocks import TokenBlock, TokenTable, add_tokens, clear_slots, pack, unpack


def digests(*numbers, prefix=5):
    """Digests of 16 bytes that begin with 12 bits of a prefix."""
    head = (prefix << 4).to_bytes(2, "big")
    return np.frombuffer(b"".join(head + n.to_bytes(14, "big") for n in numbers), np.uint8).reshape(-1, 16)


def tokens(*numbers):
    return np.frombuffer(b"".join(n.to_bytes(32, "big") for n in numbers), np.uint8).reshape(-1, 32)


def held(blocks):
    """What blocks hold: tokens by digest and pointer."""
    table = TokenTable(blocks)
    used = np.flatnonzero(table.slots.used)
    return {
        table.slots.digests[row].tobytes(): (int(table.pointers[row]), table.slots.tokens[row].tobytes())
        for row in used.tolist()
    }


def test_the_bytes_of_a_block():
    block = TokenBlock(digests(1, 2), tokens(7, 8))
    content = pack(block)
    assert content == b"\0\0\0\2" + block.digests.tobytes() + block.tokens.tobytes()
    assert len(content) == 4 + 2 * 48
    again = unpack(content)
    assert (again.digests == block.digests).all()
    assert (again.tokens == block.tokens).all()
    assert len(unpack(b"")) == len(unpack(b"\0\0\0\0")) == 0


@pytest.mark.parametrize(
    "content",
    [b"\0", b"\0\0\0", b"\0\0\0\1", bytes(4) + b"x", b"\0\0\0\2" + bytes(95), b"\xff" * 100],
    ids=["byte", "cut count", "no slot", "more", "cut slot", "many"],
)
def test_bytes_that_are_no_block(content):
    with pytest.raises(UnavailableError, match="damaged"):
        unpack(content)


def test_new_tokens_are_appended_and_slots_never_move():
    pointers, blocks = add_tokens({}, digests(3, 1), tokens(30, 10))
    assert pointers.tolist() == [5 << 20, (5 << 20) + 1]
    more, grown = add_tokens(blocks, digests(2), tokens(20))
    assert more.tolist() == [(5 << 20) + 2]
    assert held(blocks).items() < held(grown).items()


def test_a_slot_of_zeros_is_used_first():
    _, blocks = add_tokens({}, digests(1, 2, 3, 4), tokens(1, 2, 3, 4))
    cleared = {5: clear_slots(blocks[5], np.array([True, False, True]))}
    assert len(unpack(cleared[5])) == 4
    assert set(held(cleared)) == {digests(1).tobytes(), digests(3).tobytes()}
    pointers, filled = add_tokens(cleared, digests(8, 9, 10), tokens(8, 9, 10))
    assert [pointer & 0xFFFFF for pointer in pointers.tolist()] == [1, 3, 4]
    assert len(held(filled)) == 5


def test_several_blocks_at_once():
    few = np.concatenate([digests(1), digests(1, prefix=4095), digests(2)])
    pointers, blocks = add_tokens({}, few, tokens(1, 2, 3))
    assert sorted(blocks) == [5, 4095]
    assert pointers.tolist() == [5 << 20, 4095 << 20, (5 << 20) + 1]
    table = TokenTable(blocks)
    rows = table.follow(pointers)
    assert table.slots.tokens[rows].tobytes() == tokens(1, 2, 3).tobytes()


def test_pointers_to_nothing():
    _, blocks = add_tokens({}, digests(1, 2), tokens(1, 2))
    blocks = {5: clear_slots(blocks[5], np.array([True, False]))}
    wanted = np.array([5 << 20, (5 << 20) + 1, (5 << 20) + 2, 6 << 20, 4 << 20, 0xFFFFFFFF], dtype=np.uint32)
    assert TokenTable(blocks).follow(wanted).tolist() == [0, -1, -1, -1, -1, -1]
    assert TokenTable({}).follow(wanted).tolist() == [-1] * 6


def test_digests_with_the_same_first_half():
    same = [np.frombuffer(b"\0\x50" + bytes(6) + n.to_bytes(8, "big"), np.uint8) for n in range(1, 6)]
    every = np.stack(same)
    _, blocks = add_tokens({}, every[[3, 0, 2]], tokens(4, 1, 3))
    table = TokenTable(blocks)
    rows = table.find(every)
    assert (rows < 0).tolist() == [False, True, False, False, True]
    assert table.slots.tokens[rows[[0, 2, 3]]].tobytes() == tokens(1, 3, 4).tobytes()
    assert TokenTable({}).find(every).tolist() == [-1] * 5


def test_the_last_pointer_is_never_given(monkeypatch):
    """It stands for a pad; here a block may have three slots."""
    monkeypatch.setattr(token_blocks, "MOST_SLOTS", 3)
    add_tokens({}, digests(1, 2, 3), tokens(1, 2, 3))
    with pytest.raises(UnavailableError, match="full"):
        add_tokens({}, digests(1, 2, 3, 4), tokens(1, 2, 3, 4))


@given(st.lists(st.tuples(st.sets(st.integers(1, 40), max_size=8), st.sets(st.integers(1, 40)))))
def test_any_adding_and_clearing(steps):
    """As a dictionary of digest to token, in which a digest keeps its pointer until it is cleared."""
    blocks, model = {}, {}
    for wanted, keep in steps:
        numbers = sorted(wanted - model.keys())
        every = np.concatenate([digests(n, prefix=n % 3) for n in numbers] or [digests()])
        chosen = [secrets.token_bytes(32) for _ in numbers]
        new = np.frombuffer(b"".join(chosen), np.uint8).reshape(-1, 32)
        pointers, changed = add_tokens(blocks, every, new)
        blocks = {**blocks, **changed}
        model |= dict(zip(numbers, zip(pointers.tolist(), chosen, strict=True), strict=True))
        assert held(blocks) == {digests(n, prefix=n % 3).tobytes(): pair for n, pair in model.items()}
        model = {n: pair for n, pair in model.items() if n in keep}
        for prefix, content in blocks.items():
            marks = np.zeros(len(unpack(content)), dtype=bool)
            marks[[pair[0] & 0xFFFFF for n, pair in model.items() if n % 3 == prefix]] = True
            blocks[prefix] = clear_slots(content, marks)
