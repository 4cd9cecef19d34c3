"""The responder's role in a sum up to its rows, one function per round (design.md section 5)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from blake3 import blake3

from matcher import PointError
from matcher.suites.suite import find
from matcher.sums.cohort import distinct_points, shuffle
from matcher.sums.disclosure import PRIVACY_BUDGET
from node.context import Node
from node.credentials.sum_keys import SUM_PURPOSES, SumKeys
from node.database import Connection, epoch_usage
from node.database import audit_log as audit_rows
from node.database import peers as peer_rows
from node.database import sum_queries as query_rows
from node.database import sum_tables as sum_rows
from node.database.epoch_usage import EpochUse
from node.database.sum_queries import ChargedItem, QueryRow
from node.domain.audit_chain import Detail
from node.domain.catalogue import Item
from node.domain.days import china_day, day_start, period_start
from node.domain.mandate import LEGAL_BASIS
from node.domain.peers import PeerRow
from node.domain.quotas import DAYS, Measure
from node.domain.sum_rules import STATISTICS, SumRule
from node.errors import (
    EpochError,
    InvalidPointsError,
    InvalidRequestError,
    ItemNotOfferedError,
    LimitError,
    PartitionVersionError,
    RefusedError,
    SaltError,
    UnknownCallerError,
)
from node.governance.quotas import Charge, charge, require_not_suspended, settle
from node.governance.quotas import audit as audit_charge
from node.responder.epochs import require_granted
from node.responder.queries import require_issued
from node.wire.sum_messages import (
    BLOCK_ROWS,
    MAX_COHORT_POINTS,
    MIN_COHORT_POINTS,
    NO_QUERY,
    POINT,
    CohortStart,
    RowsRequest,
    RowsSlice,
)

BLOCKS_PER_MESSAGE = 2
_COHORT_CONTEXT = "heqiao v1 cohort"


class Cohort:
    """Rounds 1 and 2: receive a cohort in chunks, return it under the sum key in another order."""

    def __init__(self, node: Node, peer: PeerRow, start: CohortStart, caller: str) -> None:
        """Raises EpochError, SaltError, ItemNotOfferedError, RefusedError, InvalidRequestError and
        InvalidPointsError.
        """
        self._keys, current = require_keys(node, start.epoch), node.keys
        if start.salt_version != current.salt_version_of_sums(self._keys):
            raise SaltError(
                "this salt version is not current",
                "the federation's administrator issues the current salt",
                {"salt_version": str(current.salt_version)},
            )
        if start.purpose != STATISTICS:
            raise InvalidRequestError(f"the purpose of a sum is {STATISTICS}")
        if not start.legal_basis or not LEGAL_BASIS.fullmatch(start.legal_basis):
            raise InvalidRequestError("a sum needs a legal basis, and it must be a code")
        if start.points_announced < MIN_COHORT_POINTS:
            raise InvalidPointsError(f"a cohort has {MIN_COHORT_POINTS} points or more")
        if start.points_announced > min(MAX_COHORT_POINTS, node.config.limits.max_points_per_query):
            raise InvalidPointsError("more points announced than one cohort may hold", "split the cohort")
        self._node, self._peer, self._start, self._caller = node, peer, start, caller
        self._suite = find(start.suite)
        self._items = {code: summable_item(node, code) for code in start.items}
        for item in self._items.values():
            require_granted(peer, item)
        self._points = bytearray()
        self._sequence = 0

    def add(self, sequence: int, blinded: bytes) -> None:
        """One chunk. Raises InvalidPointsError and InvalidRequestError."""
        if sequence != self._sequence:
            raise InvalidRequestError("chunks must be numbered 0, 1, 2 in each stream")
        left = self._start.points_announced - len(self._points) // POINT
        try:
            self._suite.blinded(blinded, min(left, self._node.config.limits.chunk_points))
        except PointError as error:
            raise InvalidPointsError(str(error)) from None
        if not blinded:
            raise InvalidPointsError("a chunk holds no points")
        self._sequence += 1
        self._points += blinded

    def evaluate(self) -> Iterator[bytes]:
        """Charge the query, then k_s * B for all points, in a fresh random order, some at a time.

        Raises InvalidPointsError, LimitError (a quota or a privacy budget is used up), RefusedError (the id
        was used for another query).
        """
        if len(self._points) != POINT * self._start.points_announced:
            raise InvalidPointsError("fewer points than announced")
        _require_distinct(bytes(self._points))
        charge_query(self._node, self._peer, self._start, self._items, bytes(self._points), self._caller)
        size = POINT * self._node.config.limits.chunk_points
        evaluated = bytearray()
        try:
            for at in range(0, len(self._points), size):
                chunk = self._suite.blinded(bytes(self._points[at : at + size]))
                evaluated += self._suite.evaluate(self._keys.sum_key, chunk).points
        except PointError as error:
            raise InvalidPointsError(str(error)) from None
        # Points that differ by one of low order only are still one person's: the key makes them equal.
        _require_distinct(bytes(evaluated))
        shuffled = shuffle(bytes(evaluated), POINT, self._node.random_bytes)
        for at in range(0, len(shuffled), size):
            yield shuffled[at : at + size]


def _require_distinct(points: bytes) -> None:
    if len(distinct_points(points, POINT)) != len(points) // POINT:
        raise InvalidPointsError("the points of a cohort must be distinct")


def charge_query(
    node: Node,
    peer: PeerRow,
    start: CohortStart,
    items: Mapping[str, Item],
    points: bytes,
    caller: str,
) -> None:
    """Charge the query to the peer's quotas, and keep and audit it; a retry of the same query is free.

    Raises LimitError (a quota or a privacy budget is used up, or sums are suspended), ManifestUnknownError
    and RefusedError.
    """
    digest = _cohort_digest(start, points)
    now = node.clock()

    def write(tx: Connection) -> Charge:
        require_known(peer_rows.lock_peer(tx, peer.code))
        known = query_rows.find_query(tx, peer.code, start.query_id)
        if known:
            if set(known) != set(items) or any(row.cohort_digest != digest for row in known.values()):
                raise RefusedError("this query id was used for another query", details={"rule": "query_id"})
            return Charge(peer.code)
        require_issued(tx, peer.code, start.manifest_digest, now)
        require_not_suspended(tx, peer.code, Measure.SUMS)
        new = [_charge_item(tx, peer, start, item, digest, now) for item in items.values()]
        amounts = {Measure.SUMS: 1, Measure.SUM_POINTS: start.points_announced}
        charged = charge(tx, node.config.quotas, peer.code, amounts, now, tuple(items))
        if charged.refusal is None:
            query_rows.add_query(tx, peer.code, start.query_id, new)
            epoch_usage.note_use(tx, EpochUse(peer.code, SUM_PURPOSES[0], start.epoch, now))
            audit_rows.append(tx, "sum_asked", _audited(peer, start, caller), now)
        audit_charge(tx, charged, now)
        return charged

    settle(node.store.retry_write("charge a sum", write))


def _charge_item(
    tx: Connection, peer: PeerRow, start: CohortStart, item: Item, digest: bytes, now: datetime
) -> ChargedItem:
    """One item of a new query. Raises LimitError where its privacy budget is spent."""
    rule, cost = rule_of(item), 0
    if rule.mode == "dp":
        cost = rule.epsilon_milli
        _require_budget(tx, peer, item, rule, now)
    named = (start.blind_commitment, start.mandate_root)
    return ChargedItem(item.code, start.epoch, now, digest, start.points_announced, cost, *named)


def _audited(peer: PeerRow, start: CohortStart, caller: str) -> dict[str, Detail]:
    return {
        "peer": peer.code,
        "caller": caller,
        "query": start.query_id.hex(),
        "points": start.points_announced,
        "items": list(start.items),
        "purpose": start.purpose,
        "legal_basis": start.legal_basis,
        "mandate_root": start.mandate_root.hex(),
        "manifest": start.manifest_digest.hex(),
        "epoch": start.epoch,
    }


def serve_rows(node: Node, peer: PeerRow, request: RowsRequest) -> Iterator[RowsSlice]:
    """Round 2: the rows of a group that belongs to a charged query, in order, from the requested row on.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError, InvalidRequestError.
    """
    keys, item = require_keys(node, request.epoch), summable_item(node, request.item)
    require_granted(peer, item, request.prefix[:2])
    with node.store.transaction("find rows of sums") as tx:
        known = query_rows.find_query(tx, peer.code, request.query_id)
        group = sum_rows.find_group(tx, request.item, request.prefix, request.epoch, request.version)
    require_charged(known, (request.item,), request.epoch, "rows are served to")
    if group is None or item.sum is None or group.packing != item.sum.packing:
        raise _replaced()
    if request.first_row >= group.rows:
        raise InvalidRequestError("the group has no such row")
    size = keys.private.public.ciphertext_size
    number, skip = divmod(request.first_row, BLOCK_ROWS)
    row = request.first_row
    while row < group.rows:
        with node.store.transaction("read rows of sums") as tx:
            found = [sum_rows.read_block(tx, group.id, number + more) for more in range(BLOCKS_PER_MESSAGE)]
        blocks = [block for block in found if block is not None]
        points = b"".join(block.points for block in blocks)[POINT * skip :]
        ciphertexts = b"".join(block.ciphertexts for block in blocks)[size * skip :]
        if not points:
            raise _replaced()
        yield RowsSlice(row, points, ciphertexts)
        row, number, skip = row + len(points) // POINT, number + BLOCKS_PER_MESSAGE, 0


def _cohort_digest(start: CohortStart, points: bytes) -> bytes:
    told = json.dumps(
        [
            start.epoch,
            start.salt_version,
            start.points_announced,
            sorted(start.items),
            start.purpose,
            start.legal_basis,
            start.blind_commitment.hex(),
            start.mandate_root.hex(),
        ]
    )
    found = blake3(derive_key_context=_COHORT_CONTEXT)
    found.update(len(told).to_bytes(4, "big") + told.encode() + points)
    return found.digest()


def _require_budget(tx: Connection, peer: PeerRow, item: Item, rule: SumRule, now: datetime) -> None:
    """Raises LimitError where what was spent in 30 days leaves too little for one more query."""
    asked = query_rows.queries_since(tx, peer.code, item.code, period_start(now, DAYS))
    spent = [row for row in asked if row.epsilon_milli]
    if sum(row.epsilon_milli for row in spent) + rule.epsilon_milli > rule.epsilon_milli_period:
        day = china_day(spent[0].at) + timedelta(days=DAYS)
        raise LimitError(
            "the privacy budget of an item is spent",
            f"ask again from {day} on, or agree on a larger budget in the catalogue",
            {"rule": PRIVACY_BUDGET},
            retry_after=day_start(day) - now,
        )


def require_keys(node: Node, epoch: int) -> SumKeys:
    """The keys of an epoch that is answered: the active ones, or those of one before in its grace.

    Raises EpochError, ItemNotOfferedError.
    """
    found = node.keys.sums_of(epoch, node.clock())
    if found is None:
        current = node.ring.refresh()  # another process of this province may just have switched
        found = current.sums_of(epoch, node.clock())
        if current.sums is None:
            raise ItemNotOfferedError("this node offers no sums")
        if found is None:
            raise EpochError(
                "this epoch is not current", "fetch the manifest again", {"epoch": str(current.sums.epoch)}
            )
    return found


def require_charged(known: Mapping[str, QueryRow], items: Iterable[str], epoch: int, what: str) -> None:
    """The items were charged in this epoch: rows of one epoch are of no use in another.

    Raises RefusedError; `what` begins its sentence.
    """
    if not all(code in known and known[code].epoch == epoch for code in items):
        raise RefusedError(f"{what} a query that was charged", details={"rule": NO_QUERY})


def require_known(known: bool) -> None:
    """Raises UnknownCallerError for a peer that was removed while it asked."""
    if not known:
        raise UnknownCallerError("this node no longer knows this peer")


def summable_item(node: Node, code: str) -> Item:
    """An item of the catalogue that can be summed. Raises ItemNotOfferedError."""
    item = node.catalogue.find(code)
    if item is None or item.sum is None or not item.is_shared:
        raise ItemNotOfferedError("an item is not one that can be summed here")
    return item


def rule_of(item: Item) -> SumRule:
    """How it is summed. Raises ItemNotOfferedError."""
    if item.sum is None:
        raise ItemNotOfferedError("an item is not one that can be summed here")
    return item.sum


def _replaced() -> PartitionVersionError:
    return PartitionVersionError("the group has a newer version", "fetch the manifest again")
