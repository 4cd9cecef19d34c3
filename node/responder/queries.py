"""What binds a query: its manifest, its fields and its points, all on record before an answer.

One peer's query id stands for one query (design.md section 7). The same query again is answered again and
charged once; anything else under its id is refused. So a requester cannot ask about people whose points are
not on record, nor under a manifest that it was never issued.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from matcher.merkle import DIGEST_SIZE
from matcher.types import TokenClass
from node.context import Node
from node.credentials.active_keys import OPRF
from node.database import Connection, epoch_usage
from node.database import audit_log as audit_rows
from node.database import peers as peer_rows
from node.database import queries as rows
from node.database import quotas as quota_rows
from node.database import sum_alerts as sum_alert_rows
from node.database.epoch_usage import EpochUse
from node.database.leases import Lease
from node.database.queries import DONE, OPEN, QueryFields, QueryRow
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow
from node.domain.quotas import DAYS, Measure, Moment
from node.domain.retention import ALERTS_KEPT
from node.errors import (
    ConflictError,
    ManifestUnknownError,
    QueryUnknownError,
    RefusedError,
    UnknownCallerError,
)
from node.governance.quotas import Charge, charge, settle
from node.governance.quotas import audit as audit_charge
from node.wire.match_messages import GRANULE_POINTS, EvaluateStart, granule_digests, granules_root

# A requester uses a manifest for 24 hours, and its last query may take an hour to come.
MANIFEST_GOOD: Final = timedelta(hours=25)


class BoundQuery:
    """The record of one query while a stream of it runs. Close it at the end of the stream."""

    def __init__(self, node: Node, peer: PeerRow, start: EvaluateStart, caller: str, point: int) -> None:
        """`point` are the bytes of one."""
        self._node, self._peer, self._start, self._caller = node, peer, start, caller
        self._point, self._at = point, start.first_point
        self._known = b""  # the digests of all granules on record, from the first on
        self._is_open = False
        self._beside: ThreadPoolExecutor | None = None

    @property
    def points_root(self) -> bytes:
        """The root over all granules of the query."""
        return granules_root(self._known)

    def record(self, points: bytes) -> "Future[None]":
        """Put the next points on record; they may be answered when the result is there.

        The first ones open the query, or find it again, before this returns. Raises, or the result does,
        LimitError (a quota is used up), ManifestUnknownError, QueryUnknownError, RefusedError (the id stands
        for another query), UnknownCallerError.
        """
        digests = granule_digests(self._at, points, self._point)
        first = self._at // GRANULE_POINTS
        self._at += len(points) // self._point
        done: Future[None] = Future()
        if not self._is_open:
            known, charged = self._node.store.retry_write(
                "open a query", lambda tx: self._open(tx, first, digests)
            )
            settle(charged)
            self._known, self._is_open = known, True
        elif self._compare(self._known, first, digests):
            self._beside = self._beside or ThreadPoolExecutor(1, thread_name_prefix="granules")
            return self._beside.submit(self._add_later, first, digests)
        done.set_result(None)
        return done

    def close(self) -> None:
        """End the thread that writes, if there is one."""
        if self._beside is not None:
            self._beside.shutdown()

    def _open(self, tx: Connection, first: int, digests: bytes) -> tuple[bytes, Charge]:
        """One transaction: the peer's row is locked first, the audit rows come last. All known digests."""
        peer, start, now = self._peer.code, self._start, self._node.clock()
        if not peer_rows.lock_peer(tx, peer):
            raise UnknownCallerError("this node does not serve the caller")
        found, charged = rows.find_query(tx, peer, start.query_id), Charge(peer)
        if found is None:
            self._require_new(tx, first, now)
            charged = charge(tx, self._node.config.quotas, peer, _amounts(start), now)
            if charged.refusal is not None:
                audit_charge(tx, charged, now)
                return b"", charged
            known = digests
            rows.add_query(tx, peer, start.query_id, self._new_row(known, now), known)
        elif found.fields == fields_of(start):
            known = self._add(tx, rows.read_granules(tx, peer, start.query_id), first, digests)
        else:
            raise other_query()
        epoch_usage.note_use(tx, EpochUse(peer, OPRF, start.epoch, now))
        points = start.points_announced if found is None else 0
        audit_rows.append(tx, "query_answered", _audited(peer, start, self._caller, points), now)
        audit_charge(tx, charged, now)
        return known, charged

    def _new_row(self, known: bytes, now: datetime) -> QueryRow:
        fields, count = fields_of(self._start), len(known) // DIGEST_SIZE
        is_done = self._is_all(known)
        return QueryRow(
            fields=fields,
            charged=fields.points,
            granules=count,
            points_root=granules_root(known) if is_done else None,
            state=DONE if is_done else OPEN,
            opened_at=now,
            done_at=now if is_done else None,
        )

    def _is_all(self, known: bytes) -> bool:
        return GRANULE_POINTS * (len(known) // DIGEST_SIZE) >= self._start.points_announced

    def _require_new(self, tx: Connection, first: int, now: datetime) -> None:
        """A new query begins at its first point, under a manifest that was issued to its peer."""
        require_issued(tx, self._peer.code, self._start.manifest_digest, now)
        if first:
            raise unknown_query()

    def _add_later(self, first: int, digests: bytes) -> None:
        known = [self._known]

        def add(tx: Connection) -> bytes:
            try:
                return self._add(tx, known[0], first, digests)
            except ConflictError:  # another stream of this query was quicker
                known[0] = rows.read_granules(tx, self._peer.code, self._start.query_id)
                return self._add(tx, known[0], first, digests)

        self._known = self._node.store.retry_write("keep granules", add)

    def _add(self, tx: Connection, known: bytes, first: int, digests: bytes) -> bytes:
        """Compare what is on record already, and add the rest; all known digests then."""
        peer, query_id = self._peer.code, self._start.query_id
        new = self._compare(known, first, digests)
        if not new:
            return known
        if not rows.add_granules(tx, peer, query_id, len(known) // DIGEST_SIZE, new):
            raise ConflictError("another stream of the query was first", "try again")
        known += new
        if self._is_all(known):
            rows.end_query(tx, peer, query_id, granules_root(known), self._node.clock())
        return known

    def _compare(self, known: bytes, first: int, digests: bytes) -> bytes:
        """The digests that are not on record yet.

        Raises RefusedError where others are, QueryUnknownError where some before are missing.
        """
        at = DIGEST_SIZE * first
        if at > len(known):
            raise unknown_query()
        held = known[at : at + len(digests)]
        if not digests.startswith(held):
            raise other_query()
        return digests[len(held) :]


def require_issued(tx: Connection, peer: str, manifest_digest: bytes, now: datetime) -> None:
    """A new query, of points or of sums, names a manifest that its peer was issued in the last 25 hours.

    Raises ManifestUnknownError.
    """
    issued = rows.issued_at(tx, peer, manifest_digest)
    if issued is None or issued < now - MANIFEST_GOOD:
        raise ManifestUnknownError(
            "this manifest was not issued to this peer, or too long ago", "fetch the manifest again"
        )


def fields_of(start: EvaluateStart) -> QueryFields:
    """What all streams of a query have in common."""
    return QueryFields(
        start.token_class.value,
        start.epoch,
        start.items,
        start.purpose,
        start.legal_basis,
        start.manifest_digest,
        start.mandate_root,
        start.points_announced,
        start.tokens_until,
    )


def _amounts(start: EvaluateStart) -> Mapping[Measure, int]:
    points = {Measure.POINTS: start.points_announced}
    sensitive = {Measure.SENSITIVE_POINTS: start.points_announced}
    return points | sensitive if start.token_class is TokenClass.SENSITIVE else points


def require_query(node: Node, peer: PeerRow, query_id: bytes, epoch: int, item: str) -> None:
    """A fetch belongs to a query that was charged, of its epoch and for its item.

    Raises QueryUnknownError, RefusedError.
    """
    with node.store.transaction("find query") as tx:
        known = rows.find_query(tx, peer.code, query_id)
    if known is None:
        raise unknown_query()
    if known.fields.epoch != epoch or item not in known.fields.items:
        raise other_query()


def remove_old(node: Node, lease: Lease) -> None:
    """Delete queries of retired epochs, manifests that no query may name any more, old uses of quotas, and
    alerts about quotas and sums after 400 days: none of them counts for longer than a year.

    Raises as `Lease.write` does.
    """
    keys, now = node.ring.refresh(), node.clock()
    oldest = min((keys.epoch, *keys.grace))

    def write(tx: Connection) -> None:
        quota_rows.remove_old(tx, Moment(now).day - DAYS, now - ALERTS_KEPT)
        sum_alert_rows.remove_old(tx, now - ALERTS_KEPT)
        gone = rows.remove_old(tx, oldest, now - MANIFEST_GOOD)
        if gone:
            audit_rows.append(tx, "queries_removed", {"queries": gone, "before_epoch": oldest}, now)

    lease.write("remove old queries", write)


def unknown_query() -> QueryUnknownError:
    """The refusal of a later part of a query that this node does not know."""
    return QueryUnknownError("this node does not know the query", "begin a new query")


def other_query() -> RefusedError:
    """The refusal of anything else under an id that stands for a query already."""
    return RefusedError("this query id was used for another query", details={"rule": "query_id"})


def _audited(peer: str, start: EvaluateStart, caller: str, charged: int) -> Mapping[str, Detail]:
    return {
        "peer": peer,
        "caller": caller,
        "query": start.query_id.hex(),
        "points": start.points_announced,
        "charged": charged,
        "first_point": start.first_point,
        "class": start.token_class.value,
        "items": list(start.items),
        "purpose": start.purpose,
        "tokens_until": start.tokens_until,
        "legal_basis": start.legal_basis,
        "mandate_root": start.mandate_root.hex(),
        "manifest": start.manifest_digest.hex(),
        "epoch": start.epoch,
    }
