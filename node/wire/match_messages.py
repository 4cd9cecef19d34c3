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
    tokens_until: int = 0  # last day on which tokens are kept, 0 for none


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
class EvaluateDone:
    """After the last chunk: the responder's digest of the transcript, the root over the query's points."""

    transcript: bytes
    points_root: bytes


@dataclass(frozen=True, slots=True)
class EvaluatedChunk:
    """The answer to one chunk of blinded points, in the same order; with the last one `done`."""

    sequence: int
    points: bytes = field(repr=False)
    done: EvaluateDone | None = None


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
            start.tokens_until.to_bytes(4, "big"),
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


def granule_digests(first_point: int, points: bytes, size: int) -> bytes:
    """The digests of the granules of a query's points of `size` bytes, from a point on that begins one.

    Point i is in granule i / 16 whatever the chunks; the last granule of a query may be shorter. 32 bytes
    each, one after another (docs/protocol.md).
    """
    number, step = first_point // GRANULE_POINTS, GRANULE_POINTS * size
    return b"".join(
        merkle.leaf((number + at // step).to_bytes(4, "big"), points[at : at + step])
        for at in range(0, len(points), step)
    )


def granules_root(digests: bytes) -> bytes:
    """The root over the granules of a query, by their digests."""
    size = merkle.DIGEST_SIZE
    return merkle.root([digests[at : at + size] for at in range(0, len(digests), size)])
