"""A query id stands for one query: manifest, fields and points are on record before an answer."""

import json
import threading
from dataclasses import replace

import pytest

from matcher.types import TokenClass
from node.database import audit_log, open_store, sum_alerts
from node.database import queries as rows
from node.database.sum_alerts import SumAlert
from node.domain.audit_chain import first_broken
from node.domain.quotas import Measure
from node.errors import (
    EpochError,
    InvalidPointsError,
    LimitError,
    ManifestUnknownError,
    QueryUnknownError,
    RefusedError,
)
from node.governance.quotas import require_not_suspended, suspend
from node.jobs.leases import Leases
from node.responder import match, queries
from tests.support.bound_queries import PEER, POINTS, ask, issued, know_peer, root_of, start_of
from tests.support.cluster import FakeClock
from tests.support.postgresql import postgres, url  # noqa: F401  fixtures
from tests.support.single_node import NOW, make_node

LIST = POINTS * 7 + POINTS[:96]  # seven granules and a short one
OTHER = POINTS[32:] + POINTS[:32]


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def node(tmp_path, clock):
    found = replace(make_node(tmp_path / "44"), clock=clock)
    know_peer(found)
    yield found
    found.store.dispose()


@pytest.fixture
def shared(url, tmp_path):
    """A node on either database."""
    found = make_node(tmp_path / "44")
    found.store.dispose()
    found = replace(found, store=open_store(url))
    know_peer(found)
    yield found
    found.store.dispose()


def events(node, event="query_answered"):
    with node.store.transaction("look") as tx:
        found = list(audit_log.events(tx))
    assert first_broken(found) is None
    return [json.loads(one.details) for one in found if one.event == event]


def row_of(node, start):
    with node.store.transaction("look") as tx:
        return rows.find_query(tx, PEER.code, start.query_id), rows.read_granules(
            tx, PEER.code, start.query_id
        )


def refused(call):
    with pytest.raises(RefusedError) as caught:
        call()
    return caught.value.details


@pytest.mark.parametrize("token_class", TokenClass)
def test_a_query_is_on_record_with_all_that_binds_it(node, token_class):
    start = start_of(node, 115, token_class, legal_basis="law-7", mandate_root=b"m" * 32)
    _, done = ask(node, start, LIST, chunk=32)
    row, digests = row_of(node, start)
    assert row.fields == queries.fields_of(start)
    assert (row.charged, row.granules, row.state) == (115, 8, "done")
    assert row.points_root == done.points_root == root_of(LIST)
    assert len(digests) == 8 * 32
    (audited,) = events(node)
    assert (audited["points"], audited["charged"], audited["class"]) == (115, 115, token_class.value)


def test_what_is_answered_is_on_record_before(node):
    """The rows of a chunk are committed when its answer leaves."""
    start = start_of(node, 115)
    stream = match.Evaluation(node, PEER, start, "node")
    for sequence, at in enumerate(range(0, 115, 32)):
        stream.answer(sequence, LIST[32 * at : 32 * (at + 32)])
        row, digests = row_of(node, start)
        assert row.granules == len(digests) // 32 == min(at + 32 + 15, 115 + 13) // 16
        assert (row.state == "done") == (at + 32 >= 115)
    stream.close()


def test_the_same_query_again_is_free_and_answered_equally(node):
    start = start_of(node, 115)
    first, done = ask(node, start, LIST, chunk=32)
    for chunk in (16, 48, 112, 0):
        again, end = ask(node, start, LIST, chunk)
        assert (again, end.points_root) == (first, done.points_root)
    resumed, end = ask(node, replace(start, first_point=64), LIST, 16)
    assert (resumed, end.points_root) == (first[32 * 64 :], done.points_root)
    assert [one["charged"] for one in events(node)] == [115, 0, 0, 0, 0, 0]
    assert len(row_of(node, start)[1]) == 8 * 32


def test_a_broken_stream_goes_on_where_it_stopped(node):
    start = start_of(node, 115)
    stream = match.Evaluation(node, PEER, start, "node")
    stream.answer(0, LIST[: 32 * 48])
    stream.close()
    assert row_of(node, start)[0].state == "open"
    _, done = ask(node, replace(start, first_point=32), LIST, 16)  # one chunk was answered and did not arrive
    assert done.points_root == root_of(LIST)
    assert row_of(node, start)[0].state == "done"
    assert [one["charged"] for one in events(node)] == [115, 0]


CHANGED = {
    "points": {"points_announced": 131},
    "fewer_points": {"points_announced": 112},
    "items": {"items": ("C21", "Z59b")},
    "purpose": {"purpose": "monitoring"},
    "legal_basis": {"legal_basis": "law-8"},
    "mandate_root": {"mandate_root": b"x" * 32},
    "manifest": {"manifest_digest": b"y" * 32},
    "class": {"token_class": TokenClass.SENSITIVE, "items": ("C23",)},
}


@pytest.mark.parametrize("name", CHANGED)
def test_another_query_under_a_known_id_is_refused(node, name):
    start = start_of(node, 115)
    ask(node, start, LIST)
    changed = replace(start, **CHANGED[name])
    assert refused(lambda: ask(node, changed, (LIST + POINTS)[: 32 * changed.points_announced])) == {
        "rule": "query_id"
    }
    assert len(events(node)) == 1


@pytest.mark.parametrize("place", [0, 3, 7])
@pytest.mark.parametrize("done", [True, False])
def test_other_points_under_a_known_id_are_refused(node, place, done):
    """E1: one id, and then people who were never announced."""
    start = start_of(node, 115)
    if done:
        ask(node, start, LIST)
    else:
        stream = match.Evaluation(node, PEER, start, "node")
        stream.answer(0, LIST)
        stream.close()
    invented = (
        LIST[: 512 * place] + OTHER[: len(LIST[512 * place : 512 * (place + 1)])] + LIST[512 * (place + 1) :]
    )
    stream = match.Evaluation(node, PEER, start, "node")
    for sequence in range(place):
        stream.answer(sequence, invented[512 * sequence : 512 * (sequence + 1)])
    at = 512 * place
    assert refused(lambda: stream.answer(place, invented[at : at + 512])) == {"rule": "query_id"}
    stream.close()


def test_points_beyond_those_on_record_are_refused(node):
    start = start_of(node, 115)
    stream = match.Evaluation(node, PEER, start, "node")
    stream.answer(0, LIST[:512])
    stream.close()
    with pytest.raises(QueryUnknownError):
        ask(node, replace(start, first_point=48), LIST)
    with pytest.raises(QueryUnknownError):
        ask(node, start_of(node, 115, first_point=16), LIST)


def test_only_the_last_chunk_may_end_inside_a_granule(node):
    start = start_of(node, 115)
    stream = match.Evaluation(node, PEER, start, "node")
    with pytest.raises(InvalidPointsError, match="multiple of 16"):
        stream.answer(0, LIST[: 32 * 17])
    assert row_of(node, start) == (None, b"")
    assert events(node) == []


# ---- manifests


def test_a_manifest_that_was_not_issued_to_the_peer_opens_nothing(node):
    stranger = replace(PEER, code="33")
    know_peer(node, stranger)
    for digest in (bytes(32), issued(node, stranger)):
        start = start_of(node, manifest_digest=digest)
        with pytest.raises(ManifestUnknownError):
            ask(node, start, POINTS)
        assert row_of(node, start) == (None, b"")


def test_a_manifest_is_good_for_25_hours_and_a_query_longer(node, clock):
    digest = issued(node)
    start = start_of(node, manifest_digest=digest)
    clock.advance(hours=25)
    answers, _ = ask(node, start, POINTS)
    clock.advance(seconds=1)
    with pytest.raises(ManifestUnknownError):
        ask(node, start_of(node, manifest_digest=digest), POINTS)
    assert ask(node, start, POINTS)[0] == answers


def test_a_manifest_is_issued_again_for_five_minutes(node, clock):
    first = issued(node)
    clock.advance(seconds=299)
    assert issued(node) == first
    other = replace(PEER, code="33")
    assert issued(node, other) != first
    clock.advance(seconds=1)
    second = issued(node)
    assert second != first
    know_peer(node, other)
    for digest in (first, second):
        ask(node, start_of(node, manifest_digest=digest), POINTS)


def test_a_clock_that_goes_back_gives_no_manifest_of_the_future(node, clock):
    first = issued(node)
    clock.advance(minutes=-1)
    assert issued(node) != first


# ---- fetches belong to a query


def test_a_fetch_names_a_query_of_its_epoch_and_item(node):
    start = start_of(node)
    ask(node, start, POINTS)
    queries.require_query(node, PEER, start.query_id, 1, "C21")
    with pytest.raises(QueryUnknownError):
        queries.require_query(node, PEER, bytes(16), 1, "C21")
    with pytest.raises(QueryUnknownError):
        queries.require_query(node, replace(PEER, code="33"), start.query_id, 1, "C21")
    for epoch, item in ((2, "C21"), (1, "C23")):
        rule = refused(lambda e=epoch, i=item: queries.require_query(node, PEER, start.query_id, e, i))
        assert rule == {"rule": "query_id"}


# ---- several streams and processes at once, and the end of an epoch


def together(count, work):
    failed = []

    def run(number):
        try:
            work(number)
        except Exception as error:  # noqa: BLE001  looked at by the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


def test_one_query_opened_by_many_streams_at_once_is_charged_once(shared):
    start, answers = start_of(shared, 115), []
    barrier = threading.Barrier(4)

    def work(number):
        barrier.wait(30)
        answers.append(ask(shared, start, LIST, chunk=(16, 32, 48, 0)[number]))

    assert together(4, work) == []
    assert len({(points, done.points_root) for points, done in answers}) == 1
    assert sorted(one["charged"] for one in events(shared)) == [0, 0, 0, 115]
    row, digests = row_of(shared, start)
    assert (row.granules, len(digests), row.state) == (8, 8 * 32, "done")


def test_of_two_batches_under_one_id_at_once_only_one_is_answered(shared):
    """E1 as a race: whichever comes second finds the points of the first."""
    for _ in range(5):
        start, barrier = start_of(shared, 16), threading.Barrier(2)

        def work(number, start=start, barrier=barrier):
            barrier.wait(30)
            ask(shared, start, (POINTS, OTHER)[number])

        (error,) = together(2, work)
        assert isinstance(error, RefusedError)
        assert error.details == {"rule": "query_id"}


def test_queries_go_with_their_epoch_and_manifests_with_their_day(node, clock):
    start = start_of(node)
    ask(node, start, POINTS)
    leases = Leases(node.store, 30)
    with leases.hold("test") as lease:
        queries.remove_old(node, lease)
        assert row_of(node, start)[0] is not None
        clock.advance(hours=26)
        fresh = start_of(node)
        queries.remove_old(node, lease)
        ask(node, fresh, POINTS)
        with node.store.transaction("look") as tx:
            assert rows.issued_at(tx, PEER.code, start.manifest_digest) is None
        later = replace(node, ring=type(node.ring).fixed(replace(node.keys, epoch=2)))
        with pytest.raises(EpochError):
            ask(later, start, POINTS)
        queries.remove_old(later, lease)
    assert row_of(node, start) == (None, b"")
    assert events(node, "queries_removed") == [{"before_epoch": 2, "queries": 2}]


def test_alerts_about_sums_go_after_400_days(node, clock):
    """They were never erased. A lifted one goes like any other; the suspension that they led to stays."""
    one = SumAlert(PEER.code, b"q" * 16, "B11", "multiplicity", node.clock(), node.clock())
    leases = Leases(node.store, 30)
    with node.store.transaction("add", write=True) as tx:
        sum_alerts.add_alert(tx, one)
        suspend(tx, PEER.code, Measure.SUMS, "multiplicity", node.clock())
    clock.advance(days=399)
    for left in ([one], []):
        with leases.hold("test") as lease:
            queries.remove_old(node, lease)
        with node.store.transaction("look") as tx:
            assert sum_alerts.list_alerts(tx) == left
            with pytest.raises(LimitError):
                require_not_suspended(tx, PEER.code, Measure.SUMS)
        clock.advance(days=2)
