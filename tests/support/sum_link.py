"""A requester of sums and a responder in one process, without a network between: real databases, real
keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from matcher import SUITE, identity
from node.config.quotas import QuotasSection
from node.context import Node
from node.credentials.keyring import KeyRing
from node.domain.peers import PeerRow
from node.domain.summation import Person, in_cohort
from node.registers import importer
from node.requester.context import QueryContext
from node.requester.point_cache import PointCache
from node.requester.sum_checkpoint import MemorySumCheckpoint
from node.requester.sum_context import PeerSum, SumQuestion
from node.requester.sums import ask_sums
from node.responder.manifest import offer_manifest
from node.responder.sum_opening import open_sums
from node.responder.sums import Cohort, serve_rows
from node.wire.sum_messages import CohortStart, OpenRequest, RowsRequest, RowsSlice, SumAnswer
from tests.support.single_node import LIMITS, make_node
from tests.support.sum_peer import KEYS, PEER, SALTS, keep_peer


@dataclass
class SumLink:
    """The calls of a sum, as `node.requester.sum_context.SumCalls` says; `opened` are those of round 4."""

    responder: Node
    opened: list[OpenRequest] = field(default_factory=list)
    starts: list[CohortStart] = field(default_factory=list)

    def get_sum_manifest(self) -> tuple[bytes, bytes]:
        offered = offer_manifest(self.responder, PEER, (SUITE,), with_sums=True)
        return offered.serialised, offered.signature

    def evaluate_cohort(self, start: CohortStart, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        self.starts.append(start)
        cohort = Cohort(self.responder, PEER, start, "node")
        for sequence, chunk in enumerate(chunks):
            cohort.add(sequence, chunk)
        yield from enumerate(cohort.evaluate())

    def fetch_rows(self, request: RowsRequest, _ciphertext_size: int) -> Iterator[RowsSlice]:
        yield from serve_rows(self.responder, PEER, request)

    def open_sums(self, request: OpenRequest) -> tuple[SumAnswer, ...]:
        self.opened.append(request)
        return open_sums(self.responder, PEER, request)


def make_pair(folder: Path, wages: dict[str, int]) -> tuple[Node, SumLink]:
    """A requester 45, and a responder 44 that holds wages."""
    responder = make_node(folder / "44", {**LIMITS, "k_anonymity": 8}, KEYS)
    quotas = QuotasSection(sums_30_days=1_000, sum_points_30_days=10**9)
    config = responder.config.model_copy(update={"quotas": quotas})
    responder = replace(responder, config=config, ring=KeyRing.fixed(replace(responder.keys, salts=SALTS)))
    register(responder, folder, wages)
    keep_peer(responder)
    own = make_node(folder / "45")
    keys = replace(own.keys, salts=SALTS)
    return replace(own, ring=KeyRing.fixed(keys)), SumLink(responder)


def register(node: Node, folder: Path, wages: dict[str, int]) -> None:
    """A full import of wages."""
    path = folder / "wages.csv"
    rows = [f"{person},{fen}" for person, fen in wages.items()]
    path.write_text("\n".join(["id_no,amount_fen", *rows]), encoding="utf-8")
    importer.import_item(node, "B11", [path], workers=0)


def ask(requester: Node, link: SumLink, people: Sequence[str], **settings: int) -> PeerSum:
    """All rounds over some people about B11, with other settings of the requester where they are given."""
    key = Ed25519PrivateKey.from_private_bytes(link.responder.keys.signing).public_key().public_bytes_raw()
    peer = PeerRow("44", "广东", "localhost:1", key, False, ())
    cohort = in_cohort((identity.parse(person),) for person in people)
    checkpoint = MemorySumCheckpoint()
    mapped = PointCache(requester.keys.salts, map(Person, cohort))
    deadline = requester.clock() + timedelta(minutes=10)
    made = QueryContext.of(requester, peer, None, checkpoint, mapped, deadline)
    chosen = made.settings.model_copy(update={"min_bucket_entries": 1, **settings})
    context = replace(made, code=PEER.code, settings=chosen, seen_manifests=None, pinned_keys=None)
    return ask_sums(context, link, checkpoint, SumQuestion(cohort, ("B11",), "SA-2026-41"))[0]
