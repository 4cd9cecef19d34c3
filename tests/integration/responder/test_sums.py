"""The responder of a sum, driven by a requester made of phe and plain X25519: right sums, and refusals."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import phe
import pytest

from matcher import oprf
from node.config.quotas import QuotasSection
from node.database import audit_log as audit_rows
from node.database import quotas as quota_rows
from node.database import sum_queries as query_rows
from node.domain.peers import read_grants
from node.domain.quotas import Measure, Moment
from node.errors import (
    EpochError,
    InvalidPointsError,
    InvalidRequestError,
    ItemNotOfferedError,
    LimitError,
    ManifestUnknownError,
    PartitionVersionError,
    RefusedError,
)
from node.registers import importer
from node.responder import sum_opening as last_round
from node.responder import sums
from node.responder.manifest import offer_sums
from node.responder.sum_opening import open_sums
from node.responder.sums import serve_rows
from node.wire.sum_messages import OpenRequest, RowsRequest
from tests.support.single_node import LIMITS, NOW, make_node, number
from tests.support.sum_peer import (
    KEYS,
    PEER,
    PUBLIC,
    SIZE,
    ask,
    begin,
    blind_cohort,
    issue,
    keep_peer,
    open_one,
    send,
)
from tests.support.zones import machine_zone

WAGES = {number(at): 100_000 * (1 + at % 37) for at in range(60)}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("44")
    made = make_node(folder, {**LIMITS, "k_anonymity": 8}, KEYS)
    path = folder / "wages.csv"
    path.write_text("id_no,amount_fen\n" + "\n".join(f"{k},{v}" for k, v in WAGES.items()), encoding="utf-8")
    importer.import_item(made, "B11", [path], workers=0)
    for peer in (PEER, replace(PEER, code="33")):
        keep_peer(made, peer)
    yield made
    made.store.dispose()


MONTHS = count(1)


@pytest.fixture
def node(home):
    """Each test so much later that quotas are unused, and no earlier sum counts."""
    now = NOW + timedelta(days=500 * next(MONTHS))
    return replace(home, clock=lambda: now)


def sum_by(monkeypatch, rule):
    """Another rule than the catalogue's, in all rounds."""
    for module in (sums, last_round):
        monkeypatch.setattr(module, "rule_of", lambda _: rule)


def test_the_sum_is_the_plain_sum(node):
    people = [*list(WAGES)[:40], *(number(at) for at in range(900, 920))]
    answer = open_one(node, *ask(node, people))
    wages = [WAGES[person] for person in people if person in WAGES]
    mean = sum(wages) / len(wages)
    assert (answer.rule, answer.mode, answer.count, answer.total) == ("", "exact", 40, sum(wages))
    assert answer.variance == pytest.approx(sum((x - mean) ** 2 for x in wages) / len(wages), abs=1)
    assert sum(cell or 0 for cell in answer.bands) <= 40


def test_points_come_back_in_another_order(node):
    start, blinded = begin(), blind_cohort(node, list(WAGES))
    first, again = send(node, start, blinded), send(node, start, blinded)
    plain = oprf.evaluate_own(KEYS.sum_key, blinded)
    points = [{data[at : at + 32] for at in range(0, len(data), 32)} for data in (first, again, plain)]
    assert points[0] == points[1] == points[2]
    assert len({first, again, plain}) == 3


def test_too_small_a_cohort_is_suppressed(node):
    assert open_one(node, *ask(node, list(WAGES)[:9])).rule == "min_cohort"


def test_a_cohort_that_differs_by_a_few_is_suppressed(node):
    assert open_one(node, *ask(node, list(WAGES)[:30])).rule == ""
    assert open_one(node, *ask(node, list(WAGES)[:29])).rule == "differencing"


def test_the_same_ciphertext_gets_the_same_answer_and_another_none(node):
    query, cipher = ask(node, list(WAGES)[:30])
    answer = open_one(node, query, cipher)
    assert open_one(node, query, cipher) == answer
    with pytest.raises(RefusedError, match="opened already"):
        open_one(node, query, cipher * PUBLIC.encrypt(0).ciphertext() % PUBLIC.nsquare)


@pytest.mark.parametrize("slot", range(9))
def test_added_numbers_are_caught(node, slot):
    """Count, value, square, each band: one more in any slot alone."""
    query, cipher = ask(node, list(WAGES)[:30])
    forged = cipher * PUBLIC.encrypt(1 << 128 * slot).ciphertext() % PUBLIC.nsquare
    assert open_one(node, query, forged).rule == "inconsistent"


def test_hostile_ciphertexts_are_refused(node):
    query, _ = ask(node, list(WAGES)[:30])
    n = PUBLIC.n
    for hostile in (0, n, n * n, n * n + 1, KEYS.private.p, KEYS.private.p * 5):
        with pytest.raises(InvalidRequestError, match="not one of this node's key"):
            open_one(node, query, hostile)
    with pytest.raises(InvalidRequestError):
        open_sums(node, PEER, OpenRequest(1, query, ("B11",), (bytes(SIZE - 1),)))
    other = phe.generate_paillier_keypair(n_length=3072)[0].encrypt(5).ciphertext()
    assert open_one(node, query, other % PUBLIC.nsquare or 1).rule == "inconsistent"


def with_quotas(node, **limits):
    """The node with quotas of its own."""
    return replace(node, config=node.config.model_copy(update={"quotas": QuotasSection(**limits)}))


def test_a_query_names_a_manifest_that_was_issued_to_its_peer(node):
    """The digest in a start was not looked at: a sum could be asked under an invented manifest."""
    other, start, blinded = replace(PEER, code="33"), begin(), blind_cohort(node)
    invented = replace(start, manifest_digest=b"m" * 32)

    def refuse(asking, peer=PEER, start=invented):
        cohort = sums.Cohort(asking, peer, start, "node")
        cohort.add(0, blinded)
        with pytest.raises(ManifestUnknownError):
            next(cohort.evaluate())
        with asking.store.transaction("look") as tx:
            assert query_rows.find_query(tx, peer.code, start.query_id) == {}
            assert not quota_rows.read_uses(tx, peer.code, list(Measure), None, Moment(asking.clock()).day)

    refuse(node)
    issue(node, invented.manifest_digest, other)
    refuse(node)
    issue(node, start.manifest_digest)
    late = replace(node, clock=lambda: node.clock() + timedelta(hours=25, seconds=1))
    refuse(late, start=start)
    assert send(node, start, blinded)
    assert sum_again(late, start, blinded), "what was charged is answered again, however old its manifest"


def sum_again(node, start, blinded):
    """Without a manifest that is issued anew."""
    cohort = sums.Cohort(node, PEER, start, "node")
    cohort.add(0, blinded)
    return b"".join(cohort.evaluate())


def test_a_quota_ends_and_a_retry_is_free(node):
    node = with_quotas(node, sums_30_days=2)
    query, _ = ask(node, list(WAGES)[:30])
    ask(node, list(WAGES)[:12])
    start, blinded = begin(), blind_cohort(node, [number(1)])
    with pytest.raises(LimitError) as refused:
        send(node, start, blinded)
    assert refused.value.details["rule"] == "quota.sums.30_days"
    assert timedelta(days=29) < refused.value.retry_after <= timedelta(days=30)
    kept = replace(start, query_id=query)
    with pytest.raises(RefusedError, match="another query"):
        send(node, kept, blinded)
    later = replace(node, clock=lambda: node.clock() + timedelta(days=31))
    first, again = (send(later, replace(start, query_id=b"l" * 16), blinded) for _ in range(2))
    assert len(first) == len(again) == 64 * 32


def test_a_refused_sum_leaves_its_alert_and_nothing_else(node):
    """The points of two queries would be 128; the second one's items are charged, or none is."""
    node = with_quotas(node, sum_points_30_days=100)
    ask(node, list(WAGES)[:12])
    start = begin(items=("D35", "B11"))
    with pytest.raises(LimitError) as refused:
        send(node, start, blind_cohort(node))
    assert refused.value.details["rule"] == "quota.sum_points.30_days"
    with node.store.transaction("look") as tx:
        assert query_rows.find_query(tx, PEER.code, start.query_id) == {}
        event = list(audit_rows.events(tx))[-1]
    alert = {"peer": "45", "quota": "sum_points.30_days", "percent": 100, "item": "B11"}
    assert (event.event, json.loads(event.details)) == ("quota_alert", alert)
    assert send(node, begin(items=("D35",)), blind_cohort(node))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("asked_at", ["00:00:00", "07:52:00", "23:59:59"])
def test_a_privacy_budget_begins_again_at_midnight_in_china(home, monkeypatch, zone, asked_at):
    """Thirty days: that of the query and the 29 after it, however late in the day it was asked."""
    once = {"epsilon_milli": 500, "epsilon_milli_period": 900, "max_contribution": 5_000_000}
    sum_by(monkeypatch, replace(home.catalogue.item("B11").sum, mode="dp", **once))
    peer = replace(PEER, code="33")
    people = list(WAGES)[:12]

    def at(text):
        moment = datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)
        return replace(home, clock=lambda: moment)

    # A month that no other test asks in, and a new one for each case.
    month = next(MONTHS)
    first, last, free = f"{2300 + month}-12-31", f"{2301 + month}-01-29", f"{2301 + month}-01-30"
    with machine_zone(zone):
        ask(at(f"{first}T{asked_at}"), people, peer=peer)
        with pytest.raises(LimitError) as refused:
            ask(at(f"{last}T23:59:59"), people, peer=peer)
        assert f"ask again from {free} on" in refused.value.hint
        assert refused.value.retry_after == timedelta(seconds=1)
        ask(at(f"{free}T00:00:00"), people, peer=peer)


def test_noise_is_spent_from_a_privacy_budget(node, monkeypatch):
    rule = replace(
        node.catalogue.item("B11").sum,
        mode="dp",
        epsilon_milli=2000,
        epsilon_milli_period=4000,
        max_contribution=5_000_000,
    )
    sum_by(monkeypatch, rule)
    answers = [open_one(node, *ask(node, list(WAGES)[:40])) for _ in range(2)]
    assert all((one.mode, one.variance, one.epsilon) == ("dp", None, 2.0) for one in answers)
    assert all(abs(one.count - 40) < 60 for one in answers)
    assert len({one.total for one in answers}) == 2
    with pytest.raises(LimitError) as refused:
        ask(node, list(WAGES)[:40])
    assert refused.value.details["rule"] == "privacy_budget"
    with node.store.transaction("look") as tx:
        uses = quota_rows.read_uses(tx, PEER.code, [Measure.SUMS], ["B11"], Moment(node.clock()).day)
    assert [use.amount for use in uses[Measure.SUMS, "B11"]] == [2]  # what is refused is charged nowhere


def test_only_rows_of_a_charged_query_and_of_granted_areas(node):
    (group,) = offer_sums(node, PEER).groups
    with pytest.raises(RefusedError) as refused:
        list(serve_rows(node, PEER, RowsRequest(1, bytes(16), "B11", group.prefix, group.version, 0)))
    assert refused.value.details["rule"] == "no_query"
    stranger = replace(PEER, grants=read_grants(["45"]))
    assert offer_sums(node, stranger).groups == ()
    with pytest.raises(RefusedError) as refused:
        list(serve_rows(node, stranger, RowsRequest(1, bytes(16), "B11", group.prefix, group.version, 0)))
    assert refused.value.details["rule"] == "origin_not_granted"
    query, _ = ask(node, list(WAGES)[:12])
    with pytest.raises(PartitionVersionError):
        list(serve_rows(node, PEER, RowsRequest(1, query, "B11", group.prefix, 99, 0)))
    with pytest.raises(InvalidRequestError):
        list(serve_rows(node, PEER, RowsRequest(1, query, "B11", group.prefix, group.version, 60)))
    (part,) = serve_rows(node, PEER, RowsRequest(1, query, "B11", group.prefix, group.version, 50))
    assert (part.first_row, len(part.points)) == (50, 320)
    with pytest.raises(RefusedError):
        open_one(node, bytes(16), PUBLIC.encrypt(0).ciphertext())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"epoch": 2}, EpochError),
        ({"items": ("C21",)}, ItemNotOfferedError),
        ({"items": ("X99",)}, ItemNotOfferedError),
        ({"purpose": "review"}, InvalidRequestError),
        ({"legal_basis": ""}, InvalidRequestError),
        ({"legal_basis": "449999190001010034"}, InvalidRequestError),
        ({"points_announced": 65}, InvalidPointsError),
        ({"points_announced": 63}, InvalidPointsError),
        ({"points_announced": 1 << 40}, InvalidPointsError),
    ],
)
def test_an_opening_that_is_not_right_is_refused(node, changes, error):
    with pytest.raises(error):
        ask(node, list(WAGES)[:12], **changes)


def test_the_audit_names_query_and_outcome_and_nothing_else(node):
    query, cipher = ask(node, list(WAGES)[:30])
    open_one(node, query, cipher)
    with node.store.transaction("look") as tx:
        rows = [row for row in audit_rows.events(tx) if query.hex() in str(row)]
    assert [row.event for row in rows] == ["sum_asked", "sum_opened"]
    assert "30" not in str(rows[1].details).replace(query.hex(), "")
