"""A client that queries a peer directly, without its own node: this process blinds and opens labels.

It needs the extra `node`: the curve kernels, and the database of its home.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Self

from matcher import Identity
from node.clock import Clock, utc_now
from node.config import Home
from node.context import Node, open_node
from node.database import peers as peer_rows
from node.domain.days import china_day
from node.domain.job_access import NODE
from node.domain.peers import PeerRow
from node.domain.summation import Person, in_cohort
from node.domain.verification import Verification
from node.errors import InvalidRequestError, NotFoundError
from node.jobs.mandates import revoked_numbers
from node.jobs.mirrors import Synced, sync_peer
from node.requester import match, match_query
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.match_query import Answer
from node.requester.point_cache import PointCache
from node.requester.sum_checkpoint import MemorySumCheckpoint
from node.requester.sum_context import PeerSum, SumQuestion
from node.requester.sums import ask_sums
from node.transport.channel import PeerChannel
from node.transport.peer_client import ManifestCache, PeerClient


class Peer:
    """Another province's node, called directly with the identity of a home (role node or platform)."""

    def __init__(self, node: Node, peer: PeerRow) -> None:
        self._node, self._peer = node, peer
        self._channel, self._manifests = PeerChannel(node, peer), ManifestCache()

    @classmethod
    def open(cls, home: Path, code: str, clock: Clock = utc_now) -> Self:
        """Use a home and a peer that was added to it with `heqiao peers add`."""
        node = open_node(Home.find(home).load(), clock)
        with node.store.transaction("find peer") as tx:
            peer = peer_rows.find_peer(tx, code)
        if peer is None:
            raise NotFoundError(f"this home knows no peer {code}", "run `heqiao peers add` with its card")
        return cls(node, peer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and the database."""
        self._channel.close()
        self._node.store.dispose()

    def sync(self) -> Synced:
        """Bring the mirror of this peer up to date, in the folder of the home: later queries fetch nothing.

        `verify` does so by itself where the mirror is missing or older than a day. Raises NodeError kinds.
        """
        return sync_peer(self._node, self._peer)

    def verify(self, verification: Verification) -> dict[str, list[Answer]]:
        """Ask this peer about all subjects; answers by item, one per subject, in their order.

        Nobody is asked about under a mandate that was revoked in this home.
        """
        node, now = self._node, self._node.clock()
        asked = replace(verification, peers=(self._peer.code,))
        revoked = revoked_numbers(node, NODE, verification.mandates)
        question = match_query.ask_question(node, asked, self._peer.code, china_day(now), revoked)
        checkpoint = MemoryCheckpoint()
        link = PeerClient.over(self._channel, node, checkpoint.count, manifests=self._manifests)
        mapped = PointCache(node.keys.salts, question.subjects)
        deadline = now + timedelta(seconds=node.config.limits.part_timeout_s)
        return match.ask_peer(QueryContext.of(node, self._peer, link, checkpoint, mapped, deadline), question)

    def sum(
        self, cohort: Iterable[Iterable[Identity]], items: Sequence[str], legal_basis: str
    ) -> list[PeerSum]:
        """Totals over the people of a cohort that this peer has: an answer per item, in their order.

        Neither side learns who matched: the peer sees blinded points, this side points in a random order.
        For a suppressed figure the peer sends the name of the rule. Raises NodeError kinds, LimitError when
        a quota or a privacy budget is used up.
        """
        node = self._node
        for code in items:
            if node.catalogue.item(code).sum is None:
                raise InvalidRequestError(
                    f"{code} is not an item that can be summed", "see `heqiao catalogue`"
                )
        people = in_cohort(cohort)
        checkpoint = MemorySumCheckpoint()
        link = PeerClient.over(self._channel, node, checkpoint.count)
        deadline = node.clock() + timedelta(seconds=node.config.limits.part_timeout_s)
        mapped = PointCache(node.keys.salts, map(Person, people))
        context = QueryContext.of(node, self._peer, link, checkpoint, mapped, deadline)
        return ask_sums(context, link, checkpoint, SumQuestion(people, tuple(items), legal_basis))
