"""Charges to quotas on both databases: one at a time, before the work, and whole or not at all."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from node.config.quotas import QuotasSection
from node.database import audit_log, open_store
from node.database import peers as peer_rows
from node.database import quotas as rows
from node.domain.audit_chain import first_broken
from node.domain.quotas import Alert, Measure, Window
from node.errors import LimitError
from node.governance.quotas import audit, charge, settle
from tests.support.bound_queries import PEER, POINTS, ask, know_peer, start_of
from tests.support.cluster import FakeClock
from tests.support.postgresql import postgres, url  # noqa: F401  fixtures
from tests.support.single_node import NOW, make_node

SMALL = QuotasSection(points_hour=100, points_day=1_000, points_30_days=1_000, sums_30_days=2)


@pytest.fixture
def node(url, tmp_path):
    found = make_node(tmp_path / "44")
    found.store.dispose()
    found = replace(found, store=open_store(url), config=found.config.model_copy(update={"quotas": SMALL}))
    know_peer(found)
    yield found
    found.store.dispose()


def used(node):
    with node.store.transaction("look") as tx:
        return {
            of: sum(use.amount for use in uses)
            for of, uses in rows.read_uses(tx, PEER.code, list(Measure), None, 0).items()
        }


def try_charge(node, amounts, *items):
    """What became of a charge, in a transaction of its own."""
    now = node.clock()

    def write(tx):
        assert peer_rows.lock_peer(tx, PEER.code)
        found = charge(tx, SMALL, PEER.code, amounts, now, items or ("",))
        audit(tx, found, now)
        return found

    return node.store.retry_write("charge", write)


def together(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_charges_at_once_never_exceed_the_quota(node):
    refused, barrier = [], threading.Barrier(6)

    def work():
        barrier.wait(30)
        refused.extend(try_charge(node, {Measure.POINTS: 7}).refusal for _ in range(4))

    together(6, work)
    assert refused.count(None) == 14
    assert used(node) == {(Measure.POINTS, ""): 98}
    with node.store.transaction("look") as tx:
        events = list(audit_log.events(tx))
        levels = [one.alert.level for one in rows.list_alerts(tx, None, 10)]
    assert first_broken(events) is None
    assert levels == [100]
    assert len(events) == 3  # 50, 80 and 100 percent, once each


def test_queries_opened_at_once_are_charged_one_by_one(node):
    failed, barrier = [], threading.Barrier(4)

    def work():
        barrier.wait(30)
        for _ in range(3):
            try:
                ask(node, start_of(node), POINTS)
            except LimitError as error:
                failed.append(error.details)

    together(4, work)
    assert failed == [{"rule": "quota.points.hour"}] * 6
    assert used(node) == {(Measure.POINTS, ""): 96}


def test_a_charge_that_is_refused_for_one_item_charges_none(node):
    one_sum = {Measure.SUMS: 1, Measure.SUM_POINTS: 64}
    for items in (("B11", "D35"), ("B11",)):
        assert try_charge(node, one_sum, *items).refusal is None
    before = used(node)
    refused = try_charge(node, one_sum, "B11", "D35")
    assert refused.refusal.details == {"rule": "quota.sums.30_days"}
    assert refused.alerts == ()  # the second sum of B11 has raised it
    assert used(node) == before
    with pytest.raises(LimitError):
        settle(refused)


def test_alerts_come_once_in_a_window(node):
    clock = FakeClock(NOW)
    node = replace(node, clock=clock)
    hour = [Alert(Measure.POINTS, Window.HOUR, level) for level in (50, 80, 100)]

    def raised(amount):
        return [one for one in try_charge(node, {Measure.POINTS: amount}).alerts if one.window is Window.HOUR]

    assert [raised(amount) for amount in (49, 1, 1, 29, 20, 1, 1)] == [
        [],
        [hour[0]],
        [],
        [hour[1]],
        [hour[2]],
        [],
        [],
    ]
    clock.advance(hours=1)
    assert [raised(amount) for amount in (95, 6)] == [[hour[1]], [hour[2]]]


def test_an_alert_of_thirty_days_comes_again_after_thirty_days(node):
    clock = FakeClock(NOW)
    node, found = replace(node, clock=clock), {}
    for day in (0, 15, 31, 46):
        clock.now = NOW + timedelta(days=day)
        done = try_charge(node, {Measure.SUMS: 1, Measure.SUM_POINTS: 1}, "B11")
        assert done.refusal is None
        found[day] = [alert.level for alert in done.alerts]
    assert found == {0: [50], 15: [100], 31: [], 46: [100]}
