"""The messages of a verification as dataclasses, and the transcript of both sides (docs/protocol.md)."""

from dataclasses import dataclass, field

from blake3 import blake3

from matcher import SUITE
from matcher.types import TokenClass
from node.errors import DishonestPeerError

TRANSCRIPT_CONTEXT = "heqiao v1 transcript"


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
class FilterRequest:
    """Requests the filter of one partition version (step 3 under the filter plan)."""

    epoch: int
    query_id: bytes
    item: str
    origin: str
    version: int
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
    """The responder's digest of the transcript, after the last chunk."""

    transcript: bytes


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
