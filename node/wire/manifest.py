"""The signed manifest: a responder's offer to one requester (design.md section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from matcher import buckets as index
from matcher import label
from matcher.types import TokenClass
from node.errors import DishonestPeerError
from node.wire.sum_messages import SumOffer

SIGNATURE_CONTEXT = b"heqiao v1 manifest\x00"


@dataclass(frozen=True, slots=True)
class PlantedSubject:
    """A planted test subject of a partition and the value of its label."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class PartitionOffer:
    """One granted partition version.

    `as_of` is the date of its oldest record, `date` that of the records that name none (days since
    1970-01-01), `record_size` the bytes of a plain record.
    """

    item: str
    origin: str
    epoch: int
    version: int
    entries: int
    bits: int
    root: bytes
    as_of: int
    date: int
    record_size: int
    planted: tuple[PlantedSubject, ...]

    @property
    def buckets(self) -> int:
        """The number of its buckets."""
        return 1 << self.bits

    @property
    def width(self) -> int:
        """Bytes of the value in its labels."""
        return label.width_of(self.record_size)

    @property
    def entry_size(self) -> int:
        """Bytes of an entry."""
        return index.entry_size(self.width)

    def bucket(self, prefix: int) -> int:
        """The bucket of a 32-bit prefix."""
        return index.bucket_number(prefix, self.bits)


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """Limits of one query at the responder."""

    max_message_bytes: int
    chunk_points: int
    max_points_per_query: int
    max_buckets_per_request: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """See proto/heqiao/peer/v1/types.proto; `canaries` are 32-byte points in a row, of each class.

    `definitions` are the definition digests of all items of the responder's catalogue. `conflicts` are the
    items that `comparable_part` left out because this node defines them differently.
    """

    responder: str
    requester: str
    suites: tuple[str, ...]
    epoch: int
    salt_version: int
    salt_check: bytes
    catalogue_version: str
    catalogue_digest: bytes
    items: tuple[str, ...]
    partitions: tuple[PartitionOffer, ...]
    canaries: Mapping[TokenClass, bytes]
    limits: PeerLimits
    issued_at: datetime
    expires_at: datetime
    # Only where the requester requested it.
    sums: SumOffer | None = None
    definitions: Mapping[str, bytes] = field(default_factory=dict)
    conflicts: frozenset[str] = frozenset()

    def has(self, item: str) -> bool:
        """Whether any partition of an item is granted."""
        return any(part.item == item for part in self.partitions)

    def partition(self, item: str, origin: str) -> PartitionOffer | None:
        """The partition of an item and origin, None where none is granted."""
        return next((p for p in self.partitions if p.item == item and p.origin == origin), None)


def comparable_part(manifest: Manifest, own: Mapping[str, bytes]) -> Manifest:
    """What of a manifest a node with the definitions `own` can ask for: an item that the two define
    differently, or that this node lacks, has neither partitions nor rows of sums in it.

    Nothing else reads partitions of a peer, so answers under two definitions are never mixed.
    """
    theirs = manifest.definitions
    same = {code for code, found in theirs.items() if own.get(code) == found}
    sums = manifest.sums
    if sums is not None:
        sums = replace(sums, groups=tuple(group for group in sums.groups if group.item in same))
    return replace(
        manifest,
        items=tuple(code for code in manifest.items if code in same),
        partitions=tuple(part for part in manifest.partitions if part.item in same),
        sums=sums,
        conflicts=frozenset(code for code in theirs if code in own and code not in same),
    )


def digest(serialised: bytes) -> bytes:
    """BLAKE3 of the serialised manifest, which every query names."""
    return blake3(serialised).digest()


def sign(serialised: bytes, signing_key: bytes) -> bytes:
    """Ed25519 signature (64 bytes) with the node's 32-byte signing key."""
    return Ed25519PrivateKey.from_private_bytes(signing_key).sign(SIGNATURE_CONTEXT + serialised)


def verify(serialised: bytes, signature: bytes, public_key: bytes) -> None:
    """Raises DishonestPeerError unless the peer's pinned key signed these bytes."""
    if not is_signed(serialised, signature, public_key):
        raise DishonestPeerError(
            "the peer's manifest is not signed by the key on its card",
            "ask the peer's administrator for a new card, and check it before `heqiao peers add`",
            {"check": "manifest_signature"},
        )


@lru_cache(maxsize=32)
def is_signed(serialised: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether an Ed25519 key signed these bytes: a kept manifest is checked for each query under it."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, SIGNATURE_CONTEXT + serialised)
    except (InvalidSignature, ValueError):
        return False
    return True
