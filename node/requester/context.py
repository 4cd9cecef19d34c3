"""What the requester's steps work on: a session, calls to the peer, a checkpoint to resume from."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import tenacity

from keys.signing_chain import Succession
from matcher.bucket_changes import BucketChange
from matcher.oprf import RandomBytes
from matcher.retrieval_plan import Reason
from matcher.suites.suite import Suite
from node.clock import Clock
from node.config import RequesterSection
from node.context import Node
from node.domain.catalogue import Catalogue
from node.domain.peers import PeerRow
from node.errors import DishonestPeerError, LimitError, NodeError, UnavailableError
from node.mirror.folder import FOLDER, MirrorFolder
from node.mirror.verified_groups import VerifiedGroups
from node.requester.exposures import Exposures
from node.requester.match_query import Answer
from node.requester.pinned_keys import PinnedKeys
from node.requester.point_cache import PointCache
from node.requester.seen_manifests import SeenManifests
from node.wire.manifest import Manifest
from node.wire.match_messages import (
    BucketRequest,
    BucketSlice,
    EvaluatedChunk,
    EvaluateStart,
)
from node.wire.mirror_messages import DeltaRequest, PartitionPiece, PartitionRequest

T = TypeVar("T")
_WORD = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LONGEST_WORD: Final = 48
LONGEST_WAIT: Final = timedelta(minutes=1)  # wait for a free stream, not for the quota of the next month


@dataclass(frozen=True, slots=True)
class Session:
    """The secrets and the manifest of one query; with it a query resumes exactly where it stopped.

    `seed` fixes the whole batch: blinds, order, choice and padding. `layout` is the manifest the batch was
    laid out by; `manifest`, with its signature, is newer when partitions were published since then. `items`
    are the codes asked, of one class; `catalogue` is the digest of this node's when the query began.
    """

    query_id: bytes
    seed: bytes = field(repr=False)
    manifest: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    layout: bytes = field(repr=False)
    items: tuple[str, ...]
    catalogue: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session in memory with its suite and its two manifests, each parsed once."""

    session: Session
    suite: Suite
    manifest: Manifest = field(repr=False)
    layout: Manifest = field(repr=False)


class PeerCalls(Protocol):
    """The calls to one peer. Every call raises NodeError kinds; UnavailableError may be retried."""

    @property
    def successions(self) -> tuple[Succession, ...]:
        """The chain of signing keys that came with the last manifest."""

    def get_manifest(self, epoch: int = 0) -> tuple[bytes, bytes]:
        """Step 1: the serialised manifest and its signature; of the active epoch, or the one named."""

    def evaluate(self, start: EvaluateStart, chunks: Iterable[bytes]) -> Iterator[EvaluatedChunk]:
        """Step 2: send the chunks, yield the answers."""

    def fetch_partition(self, request: PartitionRequest) -> Iterator[PartitionPiece]:
        """A partition for a mirror: leaves, then buckets in order."""

    def fetch_delta(self, request: DeltaRequest) -> Iterator[tuple[BucketChange, ...]]:
        """What changed in a partition, for a mirror: parts of changed buckets, in order."""

    def fetch_buckets(self, request: BucketRequest) -> Iterator[BucketSlice]:
        """Step 3: the parts of the buckets asked."""


class Checkpoint(Protocol):
    """Keeps the state of a part while it runs, and signals when it must stop."""

    def session(self) -> Session | None:
        """The session to resume, None for a new query."""

    def begin(self, session: Session) -> None:
        """Keep a new session; forget tokens of an earlier one, and answers about the session's items."""

    def renew(self, session: Session) -> None:
        """Keep a session whose manifest was renewed, with its tokens and answers."""

    def tokens(self) -> bytes:
        """Tokens received so far, from point 0 on."""

    def add_tokens(self, first_point: int, tokens: bytes) -> None:
        """Keep the tokens of one chunk."""

    def answers(self) -> dict[str, list[Answer]]:
        """Answers of the items that are done."""

    def add_answers(self, item: str, answers: Sequence[Answer], entries: bytes | None = None) -> None:
        """Keep the answers of one item, one per subject, and with them which of its entries opened
        (`matched_entries`): no bytes where none did, None where none were looked for.
        """

    def count_points(self, points: int) -> None:
        """Add to the points that the peer evaluated."""

    def plan(self, plan: str, reason: str) -> None:
        """Keep which retrieval plan was chosen, and why."""

    def progress(self, state: str, done: int, total: int, epoch: int = 0) -> None:
        """Report progress. Raises CancelledError when the part must stop."""

    def wait(self, seconds: float) -> None:
        """Wait before another try. Raises CancelledError as soon as the part must stop."""


@dataclass(frozen=True, slots=True)
class QueryContext:
    """Everything the steps need: this node, the peer and the calls to it."""

    code: str
    peer: PeerRow
    catalogue: Catalogue
    calls: PeerCalls
    checkpoint: Checkpoint
    mapped: PointCache
    clock: Clock
    random_bytes: RandomBytes
    settings: RequesterSection
    deadline: datetime
    # Mirrors of the peer's partitions; a caller without a folder for them fetches buckets.
    mirror: MirrorFolder | None = None
    # Why a partition is not mirrored, or since when, by (item, origin).
    reasons: dict[tuple[str, str], Reason] = field(default_factory=dict)
    # Another process brings the mirrors up to date on a schedule.
    is_scheduled: bool = False
    # What was seen of the peer's manifests.
    seen_manifests: SeenManifests | None = None
    # The pinned signing key of the peer; without it, the key in `peer`.
    pinned_keys: PinnedKeys | None = None
    # Groups of encrypted sums whose rows were verified before.
    verified_groups: VerifiedGroups = field(default_factory=VerifiedGroups)
    # What the peer has opened for this home; without it no sum is returned.
    exposures: Exposures | None = None

    @classmethod
    def of(
        cls,
        node: Node,
        peer: PeerRow,
        calls: PeerCalls,
        checkpoint: Checkpoint,
        mapped: PointCache,
        deadline: datetime,
    ) -> "QueryContext":
        """The query of a node to a peer."""
        settings = node.config.requester
        return cls(
            code=node.code,
            peer=peer,
            catalogue=node.catalogue,
            calls=calls,
            checkpoint=checkpoint,
            mapped=mapped,
            clock=node.clock,
            random_bytes=node.random_bytes,
            settings=settings,
            deadline=deadline,
            mirror=MirrorFolder(
                node.config.folder / FOLDER, peer.code, settings.mirror_mib, node.catalogue.definitions
            ),
            is_scheduled=settings.mirror_sync_hours > 0 and node.config.node.role == "node",
            seen_manifests=SeenManifests(node.store, peer.code, node.clock),
            pinned_keys=PinnedKeys(node.store, peer, node.clock),
            verified_groups=node.verified_groups,
            exposures=Exposures(node.store, node.keys.vault, peer.code),
        )


def with_retries(context: QueryContext, step: Callable[[], T]) -> T:
    """Run a repeatable step again while the peer is unreachable, until the part's deadline.

    The waits grow, and are never shorter than what the peer asked for.
    """
    settings = context.settings
    left = max((context.deadline - context.clock()).total_seconds(), 0.0)
    growing = tenacity.wait_exponential(multiplier=settings.retry_wait_s, max=settings.retry_wait_max_s)
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(may_retry),
        stop=tenacity.stop_after_attempt(settings.retry_attempts) | tenacity.stop_before_delay(left),
        wait=lambda tried: max(growing(tried), _wait_asked(tried).total_seconds()),
        sleep=context.checkpoint.wait,
        reraise=True,
    )(step)


def may_retry(error: BaseException) -> bool:
    """Whether another try may succeed. A limit is waited for only if the peer says how long it lasts."""
    if isinstance(error, LimitError):
        return error.retry_after is not None and error.retry_after <= LONGEST_WAIT
    return isinstance(error, UnavailableError)


def _wait_asked(tried: tenacity.RetryCallState) -> timedelta:
    error = tried.outcome.exception() if tried.outcome else None
    asked = error.retry_after if isinstance(error, NodeError) else None
    return min(asked or timedelta(0), LONGEST_WAIT)


def refusal_rule(error: NodeError) -> str:
    """The rule by which a peer refuses, or the error's code: it goes into reports, so nothing but a word."""
    rule = error.details.get("rule", "")
    return rule if len(rule) <= _LONGEST_WORD and _WORD.fullmatch(rule) else error.code


def dishonest(message: str, check: str) -> DishonestPeerError:
    """The error for an answer that fails a check; `check` is a stable word."""
    return DishonestPeerError(
        message,
        "no answer of this peer is used; tell its administrator, who finds the cause with `heqiao doctor`",
        {"check": check},
    )
