"""The messages between a responder and a mirror as dataclasses (docs/protocol.md)."""

from dataclasses import dataclass, field

from matcher import SUITE


@dataclass(frozen=True, slots=True)
class PartitionRequest:
    """Requests the buckets of a partition version from `first_bucket` on; without a query for a mirror."""

    epoch: int
    item: str
    origin: str
    version: int
    first_bucket: int = 0
    query_id: bytes = b""
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class PartitionPiece:
    """One message of a whole partition: leaves, then sizes of buckets that begin here, and their bytes."""

    leaves: bytes = field(default=b"", repr=False)
    sizes: tuple[int, ...] = ()
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class DeltaRequest:
    """Requests what changed in a partition since a version that the requester has."""

    epoch: int
    item: str
    origin: str
    from_version: int
    from_root: bytes
    to_version: int
    suite: str = SUITE
