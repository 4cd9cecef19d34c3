"""A requester of sums made of phe and plain X25519, that keeps to the rounds or does not.

It takes each row as often as it is told. Whose row a point is it knows from the responder's key, as a
requester does that linked rows to people in some other way.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import count

import phe
from sqlalchemy import delete

from matcher import identity, oprf
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from node.context import Node
from node.credentials.sum_keys import SumKeys
from node.database import peers as peer_rows
from node.database import queries as query_rows
from node.database.query_tables import manifests
from node.domain.peers import PeerRow, read_grants
from node.responder.manifest import offer_sums
from node.responder.sum_opening import open_sums
from node.responder.sums import Cohort, serve_rows
from node.wire.sum_messages import CohortStart, OpenRequest, RowsRequest, SumAnswer
from tests.support.cached import paillier_key
from tests.support.single_node import number

# Fixed, so that with a fixed salt the guards of a person's row are always the same.
KEYS = SumKeys(1, bytes(range(32)), paillier_key("44"), bytes(range(32, 64)))
SALTS = {1: bytes(range(64, 96))}
PUBLIC = phe.PaillierPublicKey(int.from_bytes(KEYS.modulus, "big"))
PEER = PeerRow("45", "广西", "localhost:1", b"", False, read_grants(("44", "45", "D35:44", "D35:45")))
SIZE = KEYS.private.public.ciphertext_size
LEAST_POINTS = 64
_POWERS = count(1)
COMMITMENT = oprf.commit(oprf.clamp(bytes(range(32))))


def keep_peer(node: Node, peer: PeerRow = PEER) -> None:
    """Make the peer known to the responder."""
    with node.store.transaction("add peer", write=True) as tx:
        peer_rows.put_peer(tx, peer, node.clock())


def map_people(node: Node, people: Sequence[str]) -> list[bytes]:
    """The points M."""
    return [tokens.map_to_curve(node.keys.salt, identity.parse(person)) for person in people]


def blind_cohort(node: Node, people: Sequence[str] = (), blind: bytes = b"") -> bytes:
    """Their points under a blind, fresh where none is given, and those of nobody up to LEAST_POINTS."""
    filling = [number(5000 + at) for at in range(LEAST_POINTS - len(people))]
    blind = blind or CURRENT.cohort_blind(secrets.token_bytes(32))
    return oprf.blind(blind, b"".join(map_people(node, [*people, *filling])))


def begin(
    query: bytes | None = None, points: int = LEAST_POINTS, items: Sequence[str] = ("B11",)
) -> CohortStart:
    """The start of a query as the protocol has it."""
    chosen = query or secrets.token_bytes(16)
    named = ("statistics", "SA-2026-41", COMMITMENT, bytes(32))
    return CohortStart(1, 1, bytes(32), chosen, points, tuple(items), *named)


def issue(node: Node, digest: bytes = bytes(32), peer: PeerRow = PEER) -> None:
    """Issue the manifest that a start names, unless it was issued just now."""
    with node.store.transaction("issue a manifest", write=True) as tx:
        issued = query_rows.issued_at(tx, peer.code, digest)
        if issued != node.clock():
            tx.execute(delete(manifests).where(manifests.c.peer == peer.code, manifests.c.digest == digest))
            query_rows.add_manifest(tx, peer.code, digest, bytes(32), node.clock())


def send(node: Node, start: CohortStart, blinded: bytes, peer: PeerRow = PEER) -> bytes:
    """Rounds 1 and 2: what comes back for the cohort."""
    issue(node, start.manifest_digest, peer)
    cohort = Cohort(node, peer, start, "node")
    cohort.add(0, blinded)
    return b"".join(cohort.evaluate())


def ask(
    node: Node,
    people: Sequence[str],
    items: Sequence[str] = ("B11",),
    peer: PeerRow = PEER,
    query: bytes | None = None,
    times: Mapping[str, int] | None = None,
    **changes: object,
) -> tuple[bytes, int]:
    """Rounds 1 to 3 as phe and a dictionary would do them: the query's id and a ciphertext of the sum.

    `times`: how often the row of a person is taken, once where nothing is said. The cohort is filled up to
    the fewest points that are allowed with numbers that nobody has.
    """
    blinded = blind_cohort(node, people)
    start = begin(query, len(blinded) // 32, items)
    send(node, replace(start, **changes), blinded, peer)
    return start.query_id, multiply(
        node, start.query_id, {one: (times or {}).get(one, 1) for one in people}, peer
    )


def multiply(node: Node, query: bytes, times: Mapping[str, int], peer: PeerRow = PEER) -> int:
    """The product of the rows of some people in the groups of B11, each as often as it says."""
    found = read_rows(node, query, peer)
    product = encrypt_zero()
    evaluated = oprf.evaluate_own(KEYS.sum_key, b"".join(map_people(node, list(times))))
    for place, person in enumerate(times):
        row = found.get(evaluated[32 * place : 32 * place + 32])
        if row is not None:
            product = product * pow(row, times[person], PUBLIC.nsquare) % PUBLIC.nsquare
    return product


def encrypt_zero() -> int:
    """Of zero, each time another: a power of one that phe made, which takes most of the time of a sum."""
    return pow(_zero(), next(_POWERS), PUBLIC.nsquare)


@cache
def _zero() -> int:
    return int(PUBLIC.encrypt(0).ciphertext())


def read_rows(node: Node, query: bytes, peer: PeerRow = PEER) -> dict[bytes, int]:
    """All rows that are served of B11, by point."""
    found = {}
    for group in offer_sums(node, peer).groups:
        request = RowsRequest(1, query, "B11", group.prefix, group.version, 0)
        for part in serve_rows(node, peer, request):
            for at in range(len(part.points) // 32):
                cipher = int.from_bytes(part.ciphertexts[SIZE * at : SIZE * at + SIZE], "big")
                found[part.points[32 * at : 32 * at + 32]] = cipher
    return found


def opening(query: bytes, *ciphertexts: int, items: Sequence[str] = ("B11",)) -> OpenRequest:
    """Rounds 3 and 4."""
    return OpenRequest(1, query, tuple(items), tuple(one.to_bytes(SIZE, "big") for one in ciphertexts))


def open_one(node: Node, query: bytes, ciphertext: int, peer: PeerRow = PEER) -> SumAnswer:
    """The answer of one item."""
    return open_sums(node, peer, opening(query, ciphertext))[0]
