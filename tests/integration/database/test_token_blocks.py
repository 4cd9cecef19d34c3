"""Token blocks are read and removed some at a time, however many there are."""

import pytest

from matcher.types import TokenClass
from node.database import open_store
from node.database.token_blocks import (
    PREFIXES,
    TokenBlockRow,
    forget_blocks,
    prefix_ranges,
    read_blocks,
    write_blocks,
)

MOST = 64
ORDINARY, SENSITIVE = TokenClass.ORDINARY, TokenClass.SENSITIVE


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heqiao.db")
    yield store
    store.dispose()


def write(store, token_class, epoch, prefixes):
    rows = [TokenBlockRow(prefix, 1, 0, b"sealed") for prefix in prefixes]
    with store.transaction("write", write=True) as tx:
        write_blocks(tx, token_class, epoch, rows, dict.fromkeys(prefixes, 0))


@pytest.mark.parametrize(
    "held",
    [[], [0], [PREFIXES - 1], range(64), range(65), range(0, PREFIXES, 7), range(3_000, 3_200)],
    ids=["none", "the first", "the last", "as many as fit", "one more", "scattered", "dense"],
)
def test_ranges_hold_every_prefix_once_and_few_blocks(store, held):
    write(store, ORDINARY, 1, held)
    write(store, SENSITIVE, 2, range(PREFIXES))  # of another epoch: no range is cut for it
    with store.transaction("look") as tx:
        ranges = prefix_ranges(tx, 1)
        read = [read_blocks(tx, ORDINARY, 1, some) for some in ranges]
    assert [prefix for some in ranges for prefix in some] == list(range(PREFIXES))
    assert [row.prefix for rows in read for row in rows] == list(held)
    assert max(map(len, read)) <= MOST
    assert len(ranges) == max(1, -(-len(held) // MOST))


def test_a_range_is_cut_for_the_classes_that_are_read(store):
    write(store, ORDINARY, 1, range(100))
    write(store, SENSITIVE, 1, range(50, 150))
    with store.transaction("look") as tx:
        both = prefix_ranges(tx, 1)
        for each in (ORDINARY, SENSITIVE):
            assert all(len(read_blocks(tx, each, 1, some)) <= MOST for some in both)
        assert (len(both), len(prefix_ranges(tx, 1, [ORDINARY]))) == (3, 2)


def test_a_range_reads_what_its_prefixes_read(store):
    write(store, ORDINARY, 1, [5, 6, 8, 11])
    with store.transaction("look") as tx:
        for some in (range(5, 9), range(6, 6), range(6, 11), range(12, 20)):
            assert read_blocks(tx, ORDINARY, 1, some) == read_blocks(tx, ORDINARY, 1, list(some))


def test_tokens_of_an_epoch_are_forgotten_alone(store):
    for epoch in (1, 2):
        write(store, ORDINARY, epoch, range(0, PREFIXES, 30))
        write(store, SENSITIVE, epoch, range(100))
    forget_blocks(store, 1)
    with store.transaction("look") as tx:
        left = {
            (each, epoch): len(read_blocks(tx, each, epoch, range(PREFIXES)))
            for each in TokenClass
            for epoch in (1, 2)
        }
    assert left == {(ORDINARY, 1): 0, (SENSITIVE, 1): 0, (ORDINARY, 2): 137, (SENSITIVE, 2): 100}
