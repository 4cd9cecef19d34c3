"""Queries as a responder gets them, without a requester: a peer, its manifest, starts, streams of points."""

import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from blake3 import blake3

from matcher import SUITE, merkle
from matcher.suites import tokens
from matcher.types import TokenClass
from node.context import Node
from node.database import peers as peer_rows
from node.domain.peers import PeerRow, read_grants
from node.responder import manifest, match
from node.wire.manifest import digest
from node.wire.match_messages import EvaluateDone, EvaluateStart

PEER = PeerRow("45", "广西", "localhost:1", bytes(32), False, read_grants(("44", "C23:44")))
CLASSES = {TokenClass.ORDINARY: "C21", TokenClass.SENSITIVE: "C23"}
POINTS = tokens.canary_points()  # 16 points of the curve: one granule
Start = Callable[..., EvaluateStart]


def know_peer(node: Node, peer: PeerRow = PEER) -> None:
    with node.store.transaction("add peer", write=True) as tx:
        peer_rows.put_peer(tx, peer, node.clock())


def issued(node: Node, peer: PeerRow = PEER) -> bytes:
    """The digest of a manifest that the node issues to a peer now."""
    return digest(manifest.offer_manifest(node, peer, (SUITE,)).serialised)


def start_of(
    node: Node, points: int = 16, token_class: TokenClass = TokenClass.ORDINARY, **changes
) -> EvaluateStart:
    """The start of a new query of as many points."""
    start = EvaluateStart(
        epoch=node.keys.epoch,
        salt_version=1,
        manifest_digest=changes.pop("manifest_digest", None) or issued(node),
        query_id=secrets.token_bytes(16),
        points_announced=points,
        first_point=0,
        items=(CLASSES[token_class],),
        purpose="review",
        legal_basis="SA-2026-46",
        mandate_root=bytes(32),
        token_class=token_class,
    )
    return replace(start, **changes)


def ask(
    node: Node, start: EvaluateStart, points: bytes, chunk: int = 0, peer: PeerRow = PEER
) -> tuple[bytes, EvaluateDone]:
    """One stream of a query, from its first point on: all answers, and the end."""
    size, answers = 32 * chunk or len(points), []
    sent = points[32 * start.first_point :]
    with closing(match.Evaluation(node, peer, start, "node")) as stream:
        for sequence, at in enumerate(range(0, len(sent), size)):
            answers.append(stream.answer(sequence, sent[at : at + size]))
        return b"".join(answers), stream.finish()


def root_of(points: bytes) -> bytes:
    """The root over granules as docs/protocol.md has it, by BLAKE3 alone and the vectors' tree."""
    leaves = [
        blake3(b"\0" + (at // 512).to_bytes(4, "big") + points[at : at + 512]).digest()
        for at in range(0, len(points), 512)
    ]
    return merkle.root(leaves)
