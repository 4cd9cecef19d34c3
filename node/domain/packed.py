"""Version byte in front of data that this node packs for itself (design.md section 8).

Such bytes are sealed, or checked against a digest, so they are never hostile; but another release may have
written them.
"""

from node.errors import PreconditionError


def add_version(version: int, data: bytes) -> bytes:
    """`data` with its version in front."""
    return bytes([version]) + data


def strip_version(version: int, packed: bytes) -> bytes:
    """The data given to `add_version`. Raises PreconditionError for another version, or none."""
    if packed[:1] != bytes([version]):
        raise PreconditionError(
            "the stored data was written by another release of this program",
            "use the release that wrote it, or submit the job again",
            {"rule": "packed_version"},
        )
    return packed[1:]
