"""Versions of what this node keeps packed for itself: one leading byte (design.md section 8).

Such bytes are sealed, or checked against a digest, so they are never hostile; but a node may be started with
another release than the one that wrote them.
"""

from node.errors import PreconditionError


def add_version(version: int, data: bytes) -> bytes:
    """`data` with its version in front."""
    return bytes([version]) + data


def strip_version(version: int, packed: bytes) -> bytes:
    """What `add_version` got. Raises PreconditionError for another version, or none."""
    if packed[:1] != bytes([version]):
        raise PreconditionError(
            "what is kept here was written by another release of this program",
            "use the release that wrote it, or ask again",
            {"rule": "packed_version"},
        )
    return packed[1:]
