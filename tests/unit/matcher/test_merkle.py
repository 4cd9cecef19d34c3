"""Merkle trees: every leaf of every size, and every way to cheat."""

import random

import pytest

from matcher import merkle
from tests.vectors import reference


def tree_of(count):
    leaves = [merkle.leaf(i.to_bytes(4, "big")) for i in range(count)]
    return leaves, merkle.levels(leaves)


@pytest.mark.parametrize("count", range(1, 71))
def test_every_leaf_verifies(count):
    leaves, levels = tree_of(count)
    root = merkle.root(leaves)
    assert levels[-1] == [root]
    for index in range(count):
        path = merkle.path(levels, index)
        assert merkle.verify(leaves[index], index, count, path, root)
        assert len(path) <= (count - 1).bit_length()
        if count & (count - 1) == 0:
            assert len(path) == count.bit_length() - 1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 33, 70])
def test_any_change_fails(count):
    leaves, levels = tree_of(count)
    root = merkle.root(leaves)
    for index in range(count):
        path = merkle.path(levels, index)
        other = merkle.leaf(b"other")
        assert not merkle.verify(other, index, count, path, root)
        assert not merkle.verify(leaves[index], index, count, path, other)
        assert not merkle.verify(leaves[index], index, count, [*path, other], root)
        for at in range(len(path)):
            assert not merkle.verify(leaves[index], index, count, path[:at] + path[at + 1 :], root)
            flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
            assert not merkle.verify(
                leaves[index], index, count, [*path[:at], flipped, *path[at + 1 :]], root
            )
        for wrong in set(range(count)) - {index}:
            assert not merkle.verify(leaves[index], wrong, count, path, root)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 33])
def test_one_verifier_for_all_leaves_believes_only_their_own_paths(count):
    """In any order, with good and bad paths between each other; known nodes are not hashed again."""
    leaves, levels = tree_of(count)
    root, draw = merkle.root(leaves), random.Random(count)
    verifier = merkle.Verifier(count, root)
    for _ in range(8 * count):
        index = draw.randrange(count)
        path, digest, place = merkle.path(levels, index), leaves[index], index
        at = draw.randrange(len(path)) if path else 0
        match draw.randrange(8):
            case 0 if path:
                path[at] = merkle.leaf(b"other")
            case 1 if path:
                del path[at]
            case 2:
                path.insert(at, leaves[0])
            case 3:
                digest = draw.choice(leaves)
            case 4:
                place = draw.randrange(-1, count + 1)
            case 5 if path:
                path[at] = path[at] + b"x"
        right = 0 <= place < count and digest == leaves[place]
        right = right and path == reference.merkle_path(leaves, place)
        assert verifier.verify(digest, place, path) == right


@pytest.mark.parametrize(("index", "count"), [(-1, 3), (3, 3), (0, 0), (2**40, 3), (0, -1)])
def test_places_outside_the_tree(index, count):
    leaves, _ = tree_of(3)
    assert not merkle.verify(leaves[0], index, count, [], merkle.root(leaves))


@pytest.mark.parametrize("change", [-1, 1, 32])
def test_digests_of_another_size_are_refused(change):
    """With another border between two digests the node's hash would otherwise be the same."""
    leaves, _ = tree_of(2)
    joined = leaves[0] + leaves[1] + bytes(32)
    left, right = joined[: 32 + change], joined[32 + change : 64]
    assert not merkle.verify(left, 0, 2, [right], merkle.root(leaves))
    assert not merkle.verify(leaves[0], 0, 2, [leaves[1] + b"\0"], merkle.root(leaves))
    assert not merkle.verify(merkle.root(leaves)[:-1], 0, 1, [], merkle.root(leaves))


def test_a_node_is_no_leaf_and_the_empty_tree_is_neither():
    leaves, _ = tree_of(2)
    root = merkle.root(leaves)
    assert merkle.leaf(leaves[0] + leaves[1]) != root
    assert merkle.root([]) not in (merkle.leaf(b""), root, merkle.root([merkle.leaf(b"")]))


def test_roots_and_paths_agree_with_the_recursive_definition():
    draw = random.Random(1)
    for count in range(71):
        leaves = [draw.randbytes(32) for _ in range(count)]
        assert merkle.root(leaves) == reference.merkle_root(leaves)
        if count:
            index = draw.randrange(count)
            assert merkle.path(merkle.levels(leaves), index) == reference.merkle_path(leaves, index)
