"""Merkle trees over 32-byte leaf digests, in the shape of RFC 6962 (an odd node moves up unchanged)."""

from collections.abc import Sequence

from blake3 import blake3

DIGEST_SIZE = 32
_LEAF, _NODE, _EMPTY = b"\x00", b"\x01", b"\x02"


def leaf(*parts: bytes) -> bytes:
    """The digest of one leaf's content, which may be given in parts."""
    hashed = blake3(_LEAF)
    for part in parts:
        hashed.update(part)
    return hashed.digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree, leaves first, the root alone last."""
    if not leaves:
        return [[blake3(_EMPTY).digest()]]
    tree = [list(leaves)]
    while len(tree[-1]) > 1:
        below = tree[-1]
        above = _nodes(below)
        if len(below) % 2:
            above.append(below[-1])
        tree.append(above)
    return tree


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree over leaf digests."""
    return levels(leaves)[-1][0]


def path(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The sibling digests from leaf `index` up to the root."""
    found = []
    for level in tree[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            found.append(level[sibling])
        index //= 2
    return found


def verify(digest: bytes, index: int, count: int, siblings: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `digest` is leaf `index` of `count` under `expected_root`, as `Verifier.verify` says."""
    return Verifier(count, expected_root).verify(digest, index, siblings)


class Verifier:
    """Verifies leaves of one tree. Nodes of a verified path are not hashed again for the next one."""

    def __init__(self, count: int, expected_root: bytes) -> None:
        """For a tree of `count` leaves."""
        self._count, self._root = count, expected_root
        # Nodes of verified paths, by (level, place). A path that reaches a known node needs no more hashing.
        self._known: dict[tuple[int, int], bytes] = {}

    def verify(self, digest: bytes, index: int, siblings: Sequence[bytes]) -> bool:
        """Whether `digest` is leaf `index`, by its siblings from the leaf up to the root.

        The siblings come from a peer: anything but digests of the right size is refused before hashing.
        """
        level, count, left = 0, self._count, list(reversed(siblings))
        if not 0 <= index < count or any(len(each) != DIGEST_SIZE for each in (digest, *left)):
            return False
        seen: dict[tuple[int, int], bytes] = {}
        while count > 1 and (level, index) not in self._known:
            seen[level, index] = digest
            if index ^ 1 < count:
                if not left:
                    return False
                sibling = seen[level, index ^ 1] = left.pop()
                digest = _node(sibling, digest) if index % 2 else _node(digest, sibling)
            level, index, count = level + 1, index // 2, (count + 1) // 2
        if digest != self._known.get((level, index), self._root):
            return False
        while count > 1:
            if index ^ 1 < count and (not left or left.pop() != self._known[level, index ^ 1]):
                return False
            level, index, count = level + 1, index // 2, (count + 1) // 2
        if left:
            return False
        self._known |= seen
        return True


def _nodes(below: Sequence[bytes]) -> list[bytes]:
    """The parent nodes of each two nodes of a level, computed with one hasher that is reset."""
    hasher, found = blake3(), list[bytes]()
    for left, right in zip(below[::2], below[1::2], strict=False):
        hasher.reset()
        hasher.update(_NODE + left + right)
        found.append(hasher.digest())
    return found


def _node(left: bytes, right: bytes) -> bytes:
    return blake3(_NODE + left + right).digest()
