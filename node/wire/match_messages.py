"""The messages of a verification as dataclasses, and the transcript of both sides (docs/protocol.md)."""

from dataclasses import dataclass, field

from blake3 import blake3

from matcher import SUITE, merkle
from matcher.types import TokenClass
from node.errors import DishonestPeerError

TRANSCRIPT_CONTEXT = "heqiao v1 transcript"
GRANULE_POINTS = 16


@dataclass(frozen=True, slots=True)
class EvaluateStart:
    """Opens or resumes the evaluation of one query (step 2)."""

    epoch: int
    salt_version: int
    manifest_digest: bytes
    query_id: bytes
    points_announced: int
    first_point: int
    items: tuple[str, ...]
    purpose: str
    legal_basis: str
    mandate_root: bytes
    token_class: TokenClass
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class BucketRequest:
    """Requests whole buckets of one partition version (step 3)."""

    epoch: int
    query_id: bytes
    item: str
    origin: str
    version: int
    buckets: tuple[int, ...]
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class BucketSlice:
    """A part of one served bucket; `path` is in the first part only."""

    bucket: int
    size: int
    offset: int
    data: bytes = field(repr=False)
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluatedChunk:
    """The answer to one chunk of blinded points, in the same order."""

    sequence: int
    points: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EvaluateDone:
    """After the last chunk: the responder's digest of the transcript, and the root over the points it saw."""

    transcript: bytes
    points_root: bytes


class Transcript:
    """A running BLAKE3 over one stream: its start, then every chunk and its answer, in order."""

    def __init__(self, start: EvaluateStart) -> None:
        self._hash = blake3(derive_key_context=TRANSCRIPT_CONTEXT)
        for part in (
            start.epoch.to_bytes(4, "big"),
            start.manifest_digest,
            start.query_id,
            start.points_announced.to_bytes(8, "big"),
            start.first_point.to_bytes(8, "big"),
            start.mandate_root,
            start.token_class.encode(),
        ):
            self._hash.update(part)

    def add(self, sequence: int, blinded: bytes, evaluated: bytes) -> None:
        """One chunk and its answer."""
        self._hash.update(sequence.to_bytes(4, "big") + len(blinded).to_bytes(4, "big"))
        self._hash.update(blinded)
        self._hash.update(evaluated)

    def digest(self) -> bytes:
        """32 bytes over all messages so far."""
        return self._hash.digest()

    def require_equal(self, other: bytes) -> None:
        """Raises DishonestPeerError when the other side's digest differs."""
        if self.digest() != other:
            raise DishonestPeerError(
                "the two sides saw different messages",
                "a device between the nodes alters traffic, or one node has a fault; compare versions",
                {"check": "transcript"},
            )


class Granules:
    """A running tree over the blinded points of one stream, sixteen at a time (docs/protocol.md).

    Point i of a query is in granule i / 16 whatever the chunks; the last granule may be shorter.
    """

    def __init__(self, first_point: int, point: int) -> None:
        """Of a stream that begins at a point, a multiple of GRANULE_POINTS; `point` are the bytes of one."""
        self._number, self._size = first_point // GRANULE_POINTS, GRANULE_POINTS * point
        self._rest, self._digests = bytearray(), list[bytes]()

    def add(self, points: bytes) -> None:
        """The points of the next chunk."""
        self._rest += points
        whole = len(self._rest) - len(self._rest) % self._size
        for at in range(0, whole, self._size):
            self._add(bytes(self._rest[at : at + self._size]))
        del self._rest[:whole]

    def root(self) -> bytes:
        """The root over all granules, after the last chunk."""
        if self._rest:
            self._add(bytes(self._rest))
            self._rest.clear()
        return merkle.root(self._digests)

    def _add(self, points: bytes) -> None:
        self._digests.append(merkle.leaf(self._number.to_bytes(4, "big"), points))
        self._number += 1
