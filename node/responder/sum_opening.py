"""The responder's last round of a sum: check, decrypt, judge, answer once (design.md section 5)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from blake3 import blake3

from matcher.errors import MatcherError
from matcher.sums import paillier
from matcher.sums.cohort import open_totals
from matcher.sums.disclosure import MULTIPLICITY, Suppressed, judge_noisy, judge_opened
from matcher.sums.guards import Earlier
from matcher.sums.slots import Totals
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import peers as peer_rows
from node.database import sum_alerts as alert_rows
from node.database import sum_queries as query_rows
from node.database import sum_tables as sum_rows
from node.database.sum_alerts import SumAlert
from node.domain import sealed_names as names
from node.domain.audit_chain import Detail
from node.domain.catalogue import Item
from node.domain.packed import add_version, strip_version
from node.domain.peers import PeerRow
from node.domain.quotas import Measure
from node.domain.sum_rules import KEPT_DAYS, MILLI
from node.errors import (
    InvalidRequestError,
    RefusedError,
)
from node.governance.quotas import require_not_suspended, suspend
from node.responder.noise import add_noise
from node.responder.sums import (
    require_charged,
    require_keys,
    require_known,
    rule_of,
    summable_item,
)
from node.telemetry import log
from node.wire.sum_messages import OpenRequest, SumAnswer

ANSWER_VERSION = 1  # of an answer kept, so that the same ciphertext gets it again
GUARDS_VERSION = 1  # of the totals of the guards, kept sealed to compare later sums with
ALERTS: Final = (MULTIPLICITY,)  # nothing but a requester that breaks the rules, and then by design
MOST_ALERTS: Final = 3  # suspend sums; a false alert comes once in 300,000 sums
WITHIN: Final = timedelta(days=365)
_CIPHERTEXT_CONTEXT = "heqiao v1 opened ciphertext"
_ROWS_CONTEXT = "heqiao v1 sum row versions"


def open_sums(node: Node, peer: PeerRow, request: OpenRequest) -> tuple[SumAnswer, ...]:
    """Round 4: check, decrypt, judge and answer one ciphertext per item.

    An item of a query is opened once; the same ciphertext again gets the same answer. Raises EpochError,
    ItemNotOfferedError, LimitError (sums are suspended), RefusedError, InvalidRequestError (no ciphertext of
    this node's key).
    """
    keys = require_keys(node, request.epoch)
    items = [summable_item(node, code) for code in request.items]
    try:
        numbers = paillier.require_ciphertexts(keys.private.public, request.ciphertexts)
    except MatcherError:
        raise InvalidRequestError("a ciphertext is not one of this node's key") from None
    with node.store.transaction("find a sum") as tx:
        known = query_rows.find_query(tx, peer.code, request.query_id)
    require_charged(known, request.items, request.epoch, "sums are opened of")
    openings = [
        _Opening(
            node,
            peer,
            request.query_id,
            item,
            request.epoch,
            known[item.code].points,
            open_totals(keys.private, keys.check, item.code, rule_of(item).layout, number),
            data,
        )
        for item, number, data in zip(items, numbers, request.ciphertexts, strict=True)
    ]
    return tuple(_open(one) for one in openings)


@dataclass(frozen=True, slots=True)
class _Opening:
    """One item's sum of a charged query, decrypted; `points` is the size of the cohort."""

    node: Node
    peer: PeerRow
    query: bytes
    item: Item
    epoch: int
    points: int
    totals: Totals | None = field(repr=False)
    data: bytes = field(repr=False)

    @property
    def place(self) -> tuple[str, bytes, str]:
        """Peer, query and item: where something sealed belongs."""
        return self.peer.code, self.query, self.item.code


def _open(one: _Opening) -> SumAnswer:
    rule = rule_of(one.item)
    # Noise is drawn before any row is locked: it depends on no other sum.
    drawn = judge_with_noise(one.item, one.totals, one.points) if rule.mode == "dp" else None
    answer = one.node.store.retry_write("open a sum", partial(_answer_once, one=one, drawn=drawn))
    if answer.rule in ALERTS:
        log.get_logger().warning("sum_alert", peer=one.peer.code, item=one.item.code, reason=answer.rule)
    return answer


def judge_with_noise(item: Item, totals: Totals | None, points: int) -> SumAnswer:
    """Disclosure control of one sum in mode dp; `points` is the size of the cohort."""
    rule = rule_of(item)
    allowed = judge_noisy(totals, points, rule.min_cohort)
    if isinstance(allowed, Suppressed):
        return SumAnswer(item.code, rule=allowed.rule)
    epsilon = rule.epsilon_milli / MILLI
    noisy = add_noise(allowed, rule.max_contribution, epsilon)
    return SumAnswer(item.code, "", "dp", noisy.count, noisy.total, None, tuple(noisy.bands), epsilon)


def judge_exact(item: Item, totals: Totals | None, points: int, earlier: Iterable[Earlier]) -> SumAnswer:
    """Disclosure control of one exact sum; `earlier` are those that it could be taken from."""
    verdict = judge_opened(totals, points, rule_of(item).rules, earlier)
    if isinstance(verdict, Suppressed):
        return SumAnswer(item.code, rule=verdict.rule)
    return SumAnswer(item.code, "", "exact", verdict.count, verdict.total, verdict.variance, verdict.bands)


def _answer_once(tx: Connection, one: _Opening, drawn: SumAnswer | None) -> SumAnswer:
    """The answer kept, or a new one. Peers are compared with each other, so no two are judged at once."""
    require_known(one.peer.code in peer_rows.lock_peers(tx))
    row = query_rows.find_query(tx, one.peer.code, one.query)[one.item.code]
    digest = blake3(one.data, derive_key_context=_CIPHERTEXT_CONTEXT).digest()
    if row.opened_digest is not None and row.answer_sealed is not None:
        if row.opened_digest != digest:
            raise RefusedError("this sum of the query was opened already", details={"rule": "opened"})
        return _unpack(one.node.keys.vault.unseal(names.of_opened_sum(*one.place), row.answer_sealed))
    require_not_suspended(tx, one.peer.code, Measure.SUMS)
    now, rows = one.node.clock(), _rows_digest(tx, one)
    answer = drawn or judge_exact(one.item, one.totals, one.points, _earlier(tx, one, rows, now))
    _keep(tx, one, digest, rows, answer)
    _audit(tx, one, answer, row.epsilon_milli, now)
    return answer


def _earlier(tx: Connection, one: _Opening, rows: bytes, now: datetime) -> Iterator[Earlier]:
    """Sums of this item that were opened in the time that counts are kept, and may be compared.

    Of this peer all, by their counts alone where the epoch was another; of other peers those of this epoch
    whose counts are close.
    """
    rule, count = rule_of(one.item), 0 if one.totals is None else one.totals.count
    since = now - timedelta(days=max(one.item.freshness_days, KEPT_DAYS))
    for row in query_rows.opened_since(tx, one.item.code, since):
        is_other = row.peer != one.peer.code
        held = row.guards_sealed if row.epoch == one.epoch else None
        if is_other and (held is None or abs(row.contributors - count) >= 2 * rule.min_cohort):
            continue
        guards: tuple[int, ...] = ()
        if held is not None:
            place = names.of_guards(row.peer, row.query_id, one.item.code)
            opened = strip_version(GUARDS_VERSION, one.node.keys.vault.unseal(place, held))
            guards = tuple(json.loads(opened))
        yield Earlier(row.contributors, guards, row.rows_digest != rows, is_other)


def _keep(tx: Connection, one: _Opening, digest: bytes, rows: bytes, answer: SumAnswer) -> None:
    vault, count, guards = one.node.keys.vault, None, None
    if one.totals is not None:
        packed = add_version(GUARDS_VERSION, json.dumps(one.totals.guards).encode())
        count, guards = one.totals.count, vault.seal(names.of_guards(*one.place), packed)
    sealed = vault.seal(names.of_opened_sum(*one.place), _pack(answer))
    kept = query_rows.Opening(digest, count, guards, rows, sealed)
    query_rows.keep_answer(tx, one.peer.code, one.query, one.item.code, kept)


def _audit(tx: Connection, one: _Opening, answer: SumAnswer, epsilon_milli: int, now: datetime) -> None:
    place: dict[str, Detail] = {"peer": one.peer.code, "query": one.query.hex(), "item": one.item.code}
    if answer.rule in ALERTS:
        alert = SumAlert(one.peer.code, one.query, one.item.code, answer.rule, now)
        alert_rows.add_alert(tx, alert)
        audit_rows.append(tx, "sum_alert", {**place, "rule": answer.rule}, now)
    outcome: dict[str, Detail] = {"outcome": answer.rule or "released", "epsilon_milli": epsilon_milli}
    audit_rows.append(tx, "sum_opened", {**place, **outcome}, now)
    if answer.rule in ALERTS and alert_rows.count_alerts(tx, one.peer.code, now - WITHIN) >= MOST_ALERTS:
        suspend(tx, one.peer.code, Measure.SUMS, answer.rule, now)


def _rows_digest(tx: Connection, one: _Opening) -> bytes:
    """Of the versions of the item's groups that the peer may see; a rotation keeps them."""
    origins = one.peer.origins_of(one.item)
    groups = sum_rows.current_groups(tx, one.item.code, one.epoch)
    versions = [[group.prefix, group.version] for group in groups if group.prefix[:2] in origins]
    return blake3(json.dumps(versions).encode(), derive_key_context=_ROWS_CONTEXT).digest()


def _pack(answer: SumAnswer) -> bytes:
    fields = (answer.rule, answer.mode, answer.count, answer.total, answer.variance, answer.epsilon)
    return add_version(ANSWER_VERSION, json.dumps([answer.item, *fields, answer.bands]).encode())


def _unpack(data: bytes) -> SumAnswer:
    item, rule, mode, count, total, variance, epsilon, bands = json.loads(strip_version(ANSWER_VERSION, data))
    return SumAnswer(item, rule, mode, count, total, variance, tuple(bands), epsilon)
