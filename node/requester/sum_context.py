"""What the rounds of a sum work on: a question, calls to the peer, a checkpoint to resume from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from matcher import Identity
from matcher.sums.paillier import PublicKey
from node.requester.context import Checkpoint, OpenSession, QueryContext
from node.wire.sum_messages import CohortStart, OpenRequest, RowsRequest, RowsSlice, SumAnswer, SumOffer

Days = tuple[int, int]  # oldest and newest, since 1970-01-01


class SumCalls(Protocol):
    """The calls of a sum to one peer. Every call raises NodeError kinds; UnavailableError may be retried."""

    def get_sum_manifest(self) -> tuple[bytes, bytes]:
        """The serialised manifest with its offer of sums, and its signature."""

    def evaluate_cohort(self, start: CohortStart, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Rounds 1 and 2: send the chunks, yield (sequence, points)."""

    def fetch_rows(self, request: RowsRequest, ciphertext_size: int) -> Iterator[RowsSlice]:
        """Round 2: rows of a group."""

    def open_sums(self, request: OpenRequest) -> tuple[SumAnswer, ...]:
        """Rounds 3 and 4."""


@dataclass(frozen=True, slots=True)
class SumQuestion:
    """What is asked: the identities of each person of the cohort, and of which items."""

    cohort: tuple[tuple[Identity, ...], ...] = field(repr=False)
    items: tuple[str, ...]
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Product:
    """The sum of one item before it is opened; `as_of` the dates of all rows read.

    `rows` are the beginnings of the points of the rows added, `fetched` is how many there were to choose
    from.
    """

    ciphertext: bytes = field(repr=False)
    as_of: Days | None
    rows: frozenset[bytes] = field(default=frozenset(), repr=False)
    fetched: int = 0


@dataclass(frozen=True, slots=True)
class PeerSum:
    """One item's answer of a peer: `asked` people, `as_of` the dates of all rows read (days)."""

    answer: SumAnswer
    asked: int
    as_of: Days | None


class SumCheckpoint(Checkpoint, Protocol):
    """Keeps the state of a part while it runs. `tokens` are those of the cohort, in a random order.

    A killed requester resumes with the same query id and batch, so that its query is charged once.
    """

    def products(self) -> dict[str, Product]:
        """The items whose rows are added up."""

    def add_product(self, item: str, product: Product) -> None:
        """Keep the sum of one item until it is opened."""

    def add_sums(self, sums: Mapping[str, PeerSum]) -> None:
        """Keep what the peer answered, by item."""


@dataclass(frozen=True, slots=True)
class Round:
    """What the rounds share. `context.mapped` are the points of the cohort."""

    context: QueryContext
    calls: SumCalls
    checkpoint: SumCheckpoint
    question: SumQuestion


@dataclass(frozen=True, slots=True)
class SumQuery:
    """A running query, the newest offer of the peer, and the items that the peer has."""

    opened: OpenSession
    offer: SumOffer
    public: PublicKey
    held: tuple[str, ...]


def in_order(sums: Mapping[str, PeerSum], items: Sequence[str]) -> list[PeerSum]:
    """The answers as the items were asked."""
    return [sums[item] for item in items]
