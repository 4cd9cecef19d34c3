"""Sums of a peer that breaks the rules, on either side (design.md section 5). Each attack worked before.

S1, S2: rows taken several times. S3: a cohort of few points. S4: a responder that opens sums of few people,
or many of one set. S5: sums that are taken from each other. S6 is in test_sum_races.py.
"""

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from blake3 import blake3

from matcher import oprf
from matcher.suites.suite import CURRENT
from matcher.sums.cohort import interleave
from node.database import audit_log as audit_rows
from node.database import sum_alerts as alert_rows
from node.database import sum_exposures as exposure_rows
from node.database import sum_queries as query_rows
from node.database.sum_alerts import SumAlert
from node.domain.quotas import Measure
from node.errors import InvalidPointsError, InvalidRequestError, LimitError, RefusedError
from node.governance import quota_settings
from node.responder import sum_opening, sums
from node.responder.manifest import SignedManifest, offer_manifest, offer_sums
from node.responder.sums import serve_rows
from node.wire import manifest as manifests
from node.wire import sums as wire
from node.wire.match import manifest_bytes, parse_manifest
from node.wire.sum_messages import RowsRequest
from tests.support import sum_link
from tests.support.single_node import NOW, number
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
    map_people,
    multiply,
    open_one,
    send,
)

PEOPLE = [number(at) for at in range(240)]
WAGES = {person: 100_000 + 7_919 * at for at, person in enumerate(PEOPLE)}
TIMES = count(1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    made = sum_link.make_pair(tmp_path_factory.mktemp("pair"), WAGES)
    keep_peer(made[1].responder, replace(PEER, code="33"))
    yield made
    for node in (made[0], made[1].responder):
        node.store.dispose()


@pytest.fixture
def node(pair):
    """The responder, each time so much later that no earlier sum and no alert counts, nor a suspension."""
    now = NOW + timedelta(days=900 * next(TIMES))
    with pair[1].responder.store.transaction("forget", write=True) as tx:
        tx.exec_driver_sql("DELETE FROM sum_alerts")
        tx.exec_driver_sql("DELETE FROM quota_limits")
    return replace(pair[1].responder, clock=lambda: now)


@pytest.fixture
def link(pair):
    with pair[0].store.transaction("forget", write=True) as tx:
        tx.exec_driver_sql("DELETE FROM sum_exposures")
    with pair[1].responder.store.transaction("forget", write=True) as tx:
        tx.exec_driver_sql("DELETE FROM sum_queries")
    return sum_link.SumLink(pair[1].responder)


def noisy(monkeypatch, node):
    """The item of the catalogue as one with noise."""
    rule = node.catalogue.item("B11").sum
    rule = replace(
        rule, mode="dp", epsilon_milli=2000, epsilon_milli_period=100_000, max_contribution=5_000_000
    )
    for module in (sums, sum_opening):
        monkeypatch.setattr(module, "rule_of", lambda _: rule)


# S1, S2: multiples


@pytest.mark.parametrize("times", [(1, 10), (30,), (1, 100, 10_000), tuple(1 << at for at in range(8))])
@pytest.mark.parametrize("mode", ["exact", "dp"])
def test_s1_rows_taken_several_times_are_not_answered(node, monkeypatch, times, mode):
    """Two people taken once and ten times were read from one total, count and squares."""
    if mode == "dp":
        noisy(monkeypatch, node)
    people = PEOPLE[: len(times)]
    query, _ = ask(node, PEOPLE[:200], times=dict(zip(people, times, strict=True)))
    alone = multiply(node, query, dict(zip(people, times, strict=True)))
    assert open_one(node, query, alone).rule == ("inconsistent" if sum(times) > 200 else "multiplicity")


@pytest.mark.parametrize("mode", ["exact", "dp"])
def test_s2_one_row_as_often_as_the_cohort_is_large_is_not_answered(node, monkeypatch, mode):
    """Noise hid one contribution, and so nothing of a value that was counted 65,536 times."""
    if mode == "dp":
        noisy(monkeypatch, node)
    query = secrets.token_bytes(16)
    # A cohort of 65,536 points takes a second to evaluate; what was charged is all that is looked at.
    start = replace(begin(query), points_announced=1 << 16)
    issue(node)
    sums.charge_query(node, PEER, start, {"B11": node.catalogue.item("B11")}, bytes(64), "node")
    assert open_one(node, query, multiply(node, query, {PEOPLE[0]: 1 << 16})).rule == "multiplicity"


def test_s1_a_multiple_among_others_is_not_answered(node):
    """Thirty people once and one a hundred times."""
    answer = open_one(
        node, *ask(node, PEOPLE[:200], times=dict.fromkeys(PEOPLE[30:200], 0) | {PEOPLE[0]: 100})
    )
    assert (answer.rule, answer.count, answer.total) == ("multiplicity", 0, 0)


def test_s1_is_an_alert_and_the_third_in_a_year_suspends(node):
    for turn in range(3):
        query, _ = ask(node, PEOPLE[:100])
        assert open_one(node, query, multiply(node, query, {PEOPLE[0]: 1, PEOPLE[1]: 10 + turn})).rule
    with node.store.transaction("look") as tx:
        alerts = alert_rows.list_alerts(tx, PEER.code)
        events = [event for event in audit_rows.events(tx) if event.event in ("sum_alert", "quota_suspended")]
    assert [one.rule for one in alerts] == ["multiplicity"] * 3
    assert [one.event for one in events][-4:] == ["sum_alert"] * 3 + ["quota_suspended"]
    assert json.loads(events[-1].details) == {"peer": PEER.code, "measure": "sums", "reason": "multiplicity"}
    assert not any(person in str(event) for event in events for person in PEOPLE[:2])
    later = replace(node, clock=lambda: node.clock() + timedelta(days=400))
    for one in (node, later):  # a year does not end it
        with pytest.raises(LimitError) as refused:
            ask(one, PEOPLE[:100])
        assert (refused.value.details, refused.value.retry_after) == ({"rule": "quota.sums.suspended"}, None)
    quota_settings.lift(node.config, PEER.code, Measure.SUMS)
    assert open_one(later, *ask(later, PEOPLE[:100])).rule == ""


def test_s1_what_was_charged_before_is_not_opened_in_a_suspension(node):
    charged = ask(node, PEOPLE[:100])
    query, _ = ask(node, PEOPLE[:100])
    note_alerts(node, 364, 300)
    attack = multiply(node, query, {PEOPLE[0]: 1, PEOPLE[1]: 10})
    assert open_one(node, query, attack).rule == "multiplicity"
    with pytest.raises(LimitError):
        open_one(node, *charged)
    assert open_one(node, query, attack).rule == "multiplicity"  # answered before


@pytest.mark.parametrize(("ages", "lifted"), [((366, 300), False), ((200, 100, 0), True)])
def test_s1_alerts_of_another_year_and_lifted_ones_do_not_suspend(node, ages, lifted):
    note_alerts(node, *ages)
    if lifted:
        with node.store.transaction("lift", write=True) as tx:
            assert alert_rows.lift_alerts(tx, PEER.code, node.clock()) == len(ages)
    query, _ = ask(node, PEOPLE[:100])
    assert open_one(node, query, multiply(node, query, {PEOPLE[0]: 1, PEOPLE[1]: 10})).rule == "multiplicity"
    ask(node, PEOPLE[:100])


def note_alerts(node, *ages):
    """Alerts about earlier sums, so many days old."""
    with node.store.transaction("alerts", write=True) as tx:
        for age in ages:
            at = node.clock() - timedelta(days=age)
            alert_rows.add_alert(tx, SumAlert(PEER.code, secrets.token_bytes(16), "B11", "multiplicity", at))


def test_honest_sums_are_no_alert(node):
    assert open_one(node, *ask(node, PEOPLE[:200])).rule == ""
    with node.store.transaction("look") as tx:
        assert alert_rows.list_alerts(tx) == []


# S3: small cohorts


def test_s3_a_cohort_of_few_or_equal_points_is_refused(node):
    blinded = blind_cohort(node, PEOPLE[:64])
    with pytest.raises(InvalidPointsError, match="64 points"):
        send(node, begin(points=63), blinded[: 63 * 32])
    with pytest.raises(InvalidPointsError, match="distinct"):
        send(node, begin(), blinded[: 63 * 32] + blinded[:32])
    message = wire.start_message(begin(points=1)).start
    with pytest.raises(InvalidRequestError, match="64 points"):
        wire.parse_start(message)


def test_s3_points_that_differ_by_low_order_only_are_refused(node):
    """B and B + T with T of order two are different points, and one person's under the key."""
    prime, a = 2**255 - 19, 486662
    mapped = b"".join(map_people(node, PEOPLE[:63]))
    blinded = oprf.blind(CURRENT.cohort_blind(secrets.token_bytes(32)), mapped)
    u = int.from_bytes(blinded[:32], "little")
    twin = pow(u, -1, prime).to_bytes(32, "little")  # u of B + (0, 0) is 1/u
    assert (u**3 + a * u * u + u) * u % prime != 0
    with pytest.raises(InvalidPointsError, match="distinct"):
        send(node, begin(), blinded + twin)


@pytest.mark.parametrize(
    "commitment",
    [
        b"",
        bytes(32),  # of low order
        b"\1" + bytes(31),  # the neutral point
        b"\xec" + b"\xff" * 30 + b"\x7f",  # of order two
        b"\xff" * 32,  # not canonical
        b"\2" + bytes(31),  # not on the curve
        bytes(31),
    ],
)
def test_s3_a_blind_is_committed_to_by_a_point_of_prime_order(commitment):
    """It cannot be held against the points yet: docs/threat-model.md says what that leaves."""
    message = wire.start_message(begin()).start
    message.blind_commitment = commitment
    with pytest.raises(InvalidRequestError, match="commitment"):
        wire.parse_start(message)


def test_s3_blind_and_mandates_are_on_record_and_part_of_the_query(pair, link):
    sum_link.ask(pair[0], link, PEOPLE[:100])
    (start,) = link.starts
    assert oprf.is_commitment(start.blind_commitment)
    assert start.mandate_root != bytes(32)
    with link.responder.store.transaction("look") as tx:
        (row,) = tx.exec_driver_sql("SELECT blind_commitment, mandate_root FROM sum_queries").all()
    assert tuple(map(bytes, row)) == (start.blind_commitment, start.mandate_root)
    other = replace(start, blind_commitment=oprf.commit(oprf.clamp(secrets.token_bytes(32))))
    with pytest.raises(RefusedError, match="another query"):
        send(link.responder, replace(other, points_announced=64), blind_cohort(link.responder))


# S4: what a responder opens


@pytest.mark.parametrize("matches", [0, 1, 4, 29])
def test_s4_a_sum_of_few_is_not_returned(pair, link, matches):
    """The responder opens a sum also when it then suppresses it: one to four matches named the people."""
    strangers = [number(9_000 + at) for at in range(60)]
    found = sum_link.ask(pair[0], link, [*PEOPLE[:matches], *strangers])
    assert (found.answer.rule, found.answer.count, link.opened) == ("min_opened", 0, [])
    assert exposures(pair[0]) == 0


def test_s4_never_fewer_than_the_minimum_cohort(pair, link):
    """Whatever node.toml says: below it the answer would be suppressed anyway."""
    strangers = [number(9_000 + at) for at in range(60)]
    assert sum_link.ask(pair[0], link, [*PEOPLE[:9], *strangers], min_opened=3).answer.rule == "min_opened"
    assert link.opened == []


def test_s4_rows_of_known_points_make_no_sum_larger(pair, link, monkeypatch):
    """A responder knows the points of the canaries, and could repeat a row: neither counts as people."""
    whole, strangers = padded(link.responder), [number(9_000 + at) for at in range(60)]
    monkeypatch.setattr(sum_link, "serve_rows", lambda *_: iter([whole]))
    monkeypatch.setattr(sum_link, "offer_manifest", lambda *given, **more: forged(whole, *given, **more))
    found = sum_link.ask(pair[0], link, [*PEOPLE[:28], *strangers])
    assert (found.answer.rule, link.opened) == ("min_opened", [])
    assert sum_link.ask(pair[0], link, [*PEOPLE[:30], *strangers]).answer.rule != "min_opened"


def padded(node):
    """The rows of the one group, with more: one for each canary, and twenty of one person's point."""
    query, _ = ask(node, PEOPLE[:60])
    (group,) = offer_sums(node, PEER).groups
    (part,) = serve_rows(node, PEER, RowsRequest(1, query, "B11", group.prefix, group.version, 0))
    first = part.points[:32]
    points = part.points + KEYS.canaries + first * 20
    more = len(points) // 32 - group.rows
    return replace(part, points=points, ciphertexts=part.ciphertexts + part.ciphertexts[:SIZE] * more)


def forged(part, node, *given, **more):
    """The manifest of a responder that has these rows, signed by it."""
    manifest = parse_manifest(offer_manifest(node, *given, **more).serialised)
    digest = blake3(interleave(part.points, part.ciphertexts, 32, SIZE)).digest()
    group = replace(manifest.sums.groups[0], rows=len(part.points) // 32, digest=digest)
    serialised = manifest_bytes(replace(manifest, sums=replace(manifest.sums, groups=(group,))))
    issue(node, manifests.digest(serialised))
    return SignedManifest(serialised, manifests.sign(serialised, node.keys.signing))


def test_s4_one_set_is_not_opened_without_end(pair, link):
    """A hundred of 240 rows: 43 equations are allowed, nine of the set and seven of each opening."""
    rules = [sum_link.ask(pair[0], link, PEOPLE[:100]).answer.rule for _ in range(6)]
    assert rules == ["", "differencing", "differencing", "differencing", "exposure", "exposure"]
    assert len(link.opened) == exposures(pair[0]) == 4
    # A part of the set is counted with it, another set by itself.
    assert sum_link.ask(pair[0], link, PEOPLE[:60]).answer.rule == "exposure"
    assert sum_link.ask(pair[0], link, PEOPLE[100:180]).answer.rule == ""


def test_s4_all_but_a_few_are_as_telling_as_a_few(pair, link):
    assert sum_link.ask(pair[0], link, PEOPLE[:236]).answer.rule == "exposure"
    assert link.opened == []


def exposures(node):
    with node.store.transaction("look") as tx:
        return len(exposure_rows.exposures_of(tx, "44", 1))


# S5: differences


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {PEOPLE[100]: 1}),
        ({}, {PEOPLE[100]: 5}),
        ({}, {PEOPLE[100]: 5, PEOPLE[101]: 5}),
        ({}, {PEOPLE[0]: 0}),
        ({}, dict.fromkeys(PEOPLE[:60], 2) | {PEOPLE[100]: 1}),
        (dict.fromkeys(PEOPLE[:60], 2), dict.fromkeys(PEOPLE[:60], 3) | {PEOPLE[100]: 1}),
        ({}, {}),
    ],
)
@pytest.mark.parametrize("days", [1, 31, 390])
def test_s5_a_sum_is_not_taken_from_an_earlier_one(node, first, second, days):
    """It was enough to wait for a month, or to take the earlier cohort twice."""
    plain = dict.fromkeys(PEOPLE[:60], 1)
    query, _ = ask(node, PEOPLE[:200])
    assert open_one(node, query, multiply(node, query, plain | first)).rule == ""
    later = replace(node, clock=lambda: node.clock() + timedelta(days=days))
    query, _ = ask(later, PEOPLE[:200])
    assert open_one(later, query, multiply(later, query, plain | second)).rule == "differencing"


def test_s5_nor_from_that_of_another_peer(node):
    other = replace(PEER, code="33")
    assert open_one(node, *ask(node, PEOPLE[:100], peer=other), peer=other).rule == ""
    assert open_one(node, *ask(node, PEOPLE[:101])).rule == "differencing"
    assert open_one(node, *ask(node, PEOPLE[100:])).rule == ""


def test_s5_cohorts_of_other_people_are_answered(node):
    """Also of as many: the responder compared counts only, and refused them."""
    rules = {open_one(node, *ask(node, PEOPLE[at : at + 80])).rule for at in (0, 80, 160)}
    assert rules == {""}


def test_s5_the_same_cohort_is_answered_again_when_the_register_has_changed(node, tmp_path):
    assert open_one(node, *ask(node, PEOPLE[:90])).rule == ""
    assert open_one(node, *ask(node, PEOPLE[:90])).rule == "differencing"
    sum_link.register(node, tmp_path, {person: fen + 5 for person, fen in WAGES.items()})
    again = open_one(node, *ask(node, PEOPLE[:90]))
    assert (again.rule, again.count) == ("", 90)
    assert open_one(node, *ask(node, PEOPLE[:91])).rule == "differencing"


def test_s5_after_the_epoch_the_counts_are_left(node):
    """The guards are erased with the keys; nobody is told less by what is left."""
    query, cipher = ask(node, PEOPLE[:100])
    open_one(node, query, cipher)
    with node.store.transaction("retire", write=True) as tx:
        query_rows.forget_guards(tx, 1)
    assert open_one(node, *ask(node, PEOPLE[:109])).rule == "differencing"
    assert open_one(node, *ask(node, PEOPLE[:140])).rule == ""


def test_what_is_kept_of_an_opening_shows_no_number(node):
    query, cipher = ask(node, PEOPLE[:77])
    open_one(node, query, cipher * PUBLIC.encrypt(0).ciphertext() % PUBLIC.nsquare)
    with node.store.transaction("look") as tx:
        (row,) = tx.exec_driver_sql(
            "SELECT guards_sealed, rows_digest FROM sum_queries WHERE query_id = ?", (query,)
        ).all()
    assert len(row[1]) == 32
    assert b"[" not in row[0][:1]
