"""The responder's last round of a sum: check, decrypt, judge, answer once (design.md section 5)."""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from blake3 import blake3

from matcher.errors import MatcherError
from matcher.sums import paillier
from matcher.sums.cohort import open_totals
from matcher.sums.disclosure import Suppressed, judge_noisy, judge_opened
from matcher.sums.slots import Totals
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import sum_tables as sum_rows
from node.domain import sealed_names as names
from node.domain.audit_chain import Detail
from node.domain.catalogue import Item
from node.domain.packed import add_version, strip_version
from node.domain.peers import PeerRow
from node.domain.sum_rules import MILLI
from node.errors import (
    InvalidRequestError,
    RefusedError,
)
from node.responder.noise import add_noise
from node.responder.sums import require_charged, require_keys, rule_of, summable_item
from node.wire.sum_messages import OpenRequest, SumAnswer

ANSWER_VERSION = 1  # of an answer kept, so that the same ciphertext gets it again
_CIPHERTEXT_CONTEXT = "heqiao v1 opened ciphertext"


def open_sums(node: Node, peer: PeerRow, request: OpenRequest) -> tuple[SumAnswer, ...]:
    """Round 4: check, decrypt, judge and answer one ciphertext per item.

    An item of a query is opened once; the same ciphertext again gets the same answer. Raises EpochError,
    ItemNotOfferedError, RefusedError, InvalidRequestError (no ciphertext of this node's key).
    """
    keys = require_keys(node, request.epoch)
    items = [summable_item(node, code) for code in request.items]
    try:
        numbers = paillier.require_ciphertexts(keys.private.public, request.ciphertexts)
    except MatcherError:
        raise InvalidRequestError("a ciphertext is not one of this node's key") from None
    with node.store.transaction("find a sum") as tx:
        known = sum_rows.find_query(tx, peer.code, request.query_id)
    require_charged(known, request.items, request.epoch, "sums are opened of")
    opened = [
        open_totals(keys.private, keys.check, item.code, rule_of(item).layout, number)
        for item, number in zip(items, numbers, strict=True)
    ]
    return tuple(
        node.store.retry_write(
            "open a sum",
            partial(
                _answer_once,
                node=node,
                peer=peer,
                query=request.query_id,
                item=item,
                totals=totals,
                data=data,
            ),
        )
        for item, totals, data in zip(items, opened, request.ciphertexts, strict=True)
    )


def judge_totals(item: Item, totals: Totals | None, points: int, earlier: Sequence[int]) -> SumAnswer:
    """Disclosure control of one sum; `points` is the size of the cohort, `earlier` the counts before."""
    rule = rule_of(item)
    if rule.mode == "dp":
        allowed = judge_noisy(totals, points, rule.min_cohort)
        if isinstance(allowed, Suppressed):
            return SumAnswer(item.code, rule=allowed.rule)
        epsilon = rule.epsilon_milli / MILLI
        noisy = add_noise(allowed, rule.max_contribution, epsilon)
        return SumAnswer(item.code, "", "dp", noisy.count, noisy.total, None, tuple(noisy.bands), epsilon)
    verdict = judge_opened(totals, points, rule.rules, earlier)
    if isinstance(verdict, Suppressed):
        return SumAnswer(item.code, rule=verdict.rule)
    return SumAnswer(item.code, "", "exact", verdict.count, verdict.total, verdict.variance, verdict.bands)


def _answer_once(
    tx: Connection, node: Node, peer: PeerRow, query: bytes, item: Item, totals: Totals | None, data: bytes
) -> SumAnswer:
    row = sum_rows.find_query(tx, peer.code, query)[item.code]
    digest = blake3(data, derive_key_context=_CIPHERTEXT_CONTEXT).digest()
    place = names.of_opened_sum(peer.code, query, item.code)
    if row.opened_digest is not None and row.answer_sealed is not None:
        if row.opened_digest != digest:
            raise RefusedError("this sum of the query was opened already", details={"rule": "opened"})
        return _unpack(node.keys.vault.unseal(place, row.answer_sealed))
    now = node.clock()
    since = now - timedelta(days=rule_of(item).period_days)
    earlier = [
        other.contributors
        for other in sum_rows.queries_since(tx, peer.code, item.code, since)
        if other.contributors is not None
    ]
    answer = judge_totals(item, totals, row.points, earlier)
    contributors = totals.count if totals is not None else None
    sealed = node.keys.vault.seal(place, _pack(answer))
    sum_rows.keep_answer(tx, peer.code, query, item.code, digest, contributors, sealed)
    details: dict[str, Detail] = {
        "peer": peer.code,
        "query": query.hex(),
        "item": item.code,
        "outcome": answer.rule or "released",
        "epsilon_milli": row.epsilon_milli,
    }
    audit_rows.append(tx, "sum_opened", details, now)
    return answer


def _pack(answer: SumAnswer) -> bytes:
    fields = (answer.rule, answer.mode, answer.count, answer.total, answer.variance, answer.epsilon)
    return add_version(ANSWER_VERSION, json.dumps([answer.item, *fields, answer.bands]).encode())


def _unpack(data: bytes) -> SumAnswer:
    item, rule, mode, count, total, variance, epsilon, bands = json.loads(strip_version(ANSWER_VERSION, data))
    return SumAnswer(item, rule, mode, count, total, variance, tuple(bands), epsilon)
