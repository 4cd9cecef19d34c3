"""The version inside every packed form that the database keeps sealed: one byte, first."""

from node.errors import PreconditionError


def add_version(version: int, packed: bytes) -> bytes:
    """A packed form with its version (1 to 255) before it."""
    return bytes([version]) + packed


def strip_version(version: int, packed: bytes) -> bytes:
    """What `add_version` was given. Raises PreconditionError for any other version."""
    if packed[:1] != bytes([version]):
        raise PreconditionError(
            "the database keeps this in a form that this version of Heqiao does not read",
            "run the version that wrote it",
        )
    return packed[1:]
