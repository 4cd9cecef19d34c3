"""Watch lists in a database: who leaves is erased, who owns is asked, what is over is deleted."""

import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from node.database import audit_log, open_store
from node.database import watches as rows
from node.domain.alerts import Change
from node.domain.findings import Outcome
from node.domain.job_access import NODE_ACCESS, platform_access
from node.domain.thresholds import Said
from node.domain.verification import Verification
from node.domain.watches import LookRow
from node.errors import InvalidRequestError, JobConflictError, NotFoundError, RefusedError
from node.jobs import mandates, watch_alerts, watches
from node.jobs.retention import erase_due, read_due
from node.jobs.watch_store import add_alerts, open_watch, unseal_tokens
from node.jobs.watch_tokens import EndedTokens, erase_ended
from tests.support import watched_request
from tests.support.bound_queries import PEER, know_peer
from tests.support.cluster import FakeClock, know, open_home
from tests.support.examples import mandate_for
from tests.support.federation import Federation
from tests.support.kept_watch import RULE, keep_watch
from tests.support.postgresql import postgres, url  # noqa: F401  fixtures
from tests.support.single_node import NOW, make_node, number

PEOPLE = [number(place, "459999") for place in range(3)]
ITEMS = ("C21",)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory):
    made, folder = Federation.create(), tmp_path_factory.mktemp("federation")
    return {code: made.make_home(folder / code, code) for code in ("45", "44")}


@pytest.fixture
def node(federation, tmp_path):
    home = Path(shutil.copytree(federation["45"], tmp_path / "45"))
    found = open_home(home, FakeClock(NOW))
    know(found, federation["44"], 0)
    yield found
    found.store.dispose()


def request(*more, **changes) -> Verification:
    """Three people under a mandate each."""
    return watched_request.request(PEOPLE, *more, **changes)


def tokens_of(node, watch="w"):
    """The people of whom tokens are kept, by their places in the list, and the tokens."""
    with node.store.transaction("read") as tx:
        found = rows.list_tokens(tx, watch)
    return [
        (sorted(kept.subjects.subject.tolist()), [one.tobytes() for one in kept.tokens])
        for kept in (unseal_tokens(node, one) for one in found)
    ]


def events(node):
    with node.store.transaction("read") as tx:
        return [one.event for one in audit_log.events(tx) if one.event.startswith(("watch", "alerts"))]


def test_who_leaves_is_erased_from_everything(node):
    keep_watch(node, "w", request(), "44")
    ((_, before),) = tokens_of(node)
    assert watches.remove(node, "w", ["h0/1"]) == 1
    ((people, after),) = tokens_of(node)
    assert (people, after) == ([0, 1], before[1:])  # numbered anew; the planted one stays
    assert watch_alerts.list_alerts(node) == []
    opened = open_watch(node, "w", "44")
    assert [one.ref for one in opened.request.subjects] == ["h1/1", "h2/1"]
    assert set(opened.request.mandates) == {"M1", "M2"}
    assert len(opened.base["C21"]) == 2
    assert (opened.row.people, opened.row.revision) == (2, 2)
    assert watches.remove(node, "w", ["h1/1", "h2/1"]) == 2  # the last ones: the list goes, too
    assert watches.list_watches(node) == []
    assert events(node) == ["watch_added", "alerts_acknowledged", "watch_removed", "watch_removed"]


def test_a_list_is_removed_whole(node):
    keep_watch(node, "w", request(), "44")
    assert watches.remove(node, "w") == 3
    assert (tokens_of(node), watch_alerts.list_alerts(node)) == ([], [])
    with pytest.raises(NotFoundError):
        watches.remove(node, "w")


def test_a_stranger_is_not_removed_and_nothing_is_changed(node):
    keep_watch(node, "w", request(), "44")
    with pytest.raises(NotFoundError, match="not on the list"):
        watches.remove(node, "w", ["h0/1", "h9/1"])
    assert tokens_of(node)[0][0] == [0, 1, 2]


def test_revoked_and_ended_mandates_take_their_tokens_with_them(node):
    soon = mandate_for(PEOPLE[2], number="M2", valid_to=(NOW + timedelta(days=3)).date(), event="")
    keep_watch(node, "w", request(soon), "44")
    assert erase_ended(node) == 0
    mandates.revoke(node, ["m1"])
    ended = EndedTokens(node)
    assert (ended.erase(), ended.erase()) == (1, 0)
    assert tokens_of(node)[0][0] == [0, 2]
    node.clock.advance(days=4)
    assert (ended.erase(), ended.erase()) == (1, 0)
    assert tokens_of(node)[0][0] == [0]
    mandates.revoke(node, ["M0"])
    assert ended.erase() == 1
    assert tokens_of(node) == []
    assert events(node)[-3:] == ["watch_tokens_erased"] * 3


def test_erased_tokens_are_in_no_file(node):
    """The sealed bytes, of which the key could open everything."""
    keep_watch(node, "w", request(), "44")
    with node.store.transaction("read") as tx:
        sealed = [one.sealed for one in rows.list_tokens(tx)]
    mark = sealed[0][40:80]

    def holding():
        files = [path for path in node.config.folder.rglob("*") if path.is_file()]
        return [path.name for path in files if mark in path.read_bytes()]

    assert holding()
    mandates.revoke(node, ["M0", "M1", "M2"])
    assert erase_ended(node) == 3
    assert holding() == []


def test_the_same_list_again_is_the_same(node):
    assert watches.add(node, "w", request()) is True
    assert watches.add(node, "w", request()) is False
    with pytest.raises(JobConflictError):
        watches.add(node, "w", request(items=("Z59b",)))
    with pytest.raises(JobConflictError):
        watches.add(node, "w", request(), "platform/other")


WRONG = {
    "no items": {"items": ()},
    "an item twice": {"items": ("C21", "C21")},
    "a sum only": {"items": ("B11",)},
    "nobody": {"subjects": ()},
    "a number as legal basis": {"legal_basis": PEOPLE[0]},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_list_is_refused(node, what):
    with pytest.raises(InvalidRequestError) as refused:
        watches.add(node, "w", request(**WRONG[what]))
    assert PEOPLE[0] not in str(refused.value)
    assert watches.list_watches(node) == []


def test_an_id_that_holds_a_number_is_refused(node):
    with pytest.raises(InvalidRequestError):
        watches.add(node, PEOPLE[0], request())


def test_an_unknown_peer_is_refused(node):
    with pytest.raises(NotFoundError):
        watches.add(node, "w", request(peers=("33",)))


def test_platforms_see_and_change_their_own(node):
    keep_watch(node, "w", request(), "44", "platform/intake")
    keep_watch(node, "x", request(), "44")
    intake, other = platform_access("intake", {}), platform_access("other", {})
    reader = platform_access("reader", {"reader": ["intake"]})
    shown = {
        name: (
            [one.row.id for one in watches.list_watches(node, access)],
            len(watch_alerts.list_alerts(node, access)),
        )
        for name, access in zip(
            ("intake", "other", "reader", "node"), (intake, other, reader, NODE_ACCESS), strict=True
        )
    }
    assert shown == {"intake": (["w"], 2), "other": ([], 0), "reader": (["w"], 2), "node": (["w", "x"], 4)}
    opened = watch_alerts.list_alerts(node, open_only=True, watch="w")[0].id
    for access, error in ((other, NotFoundError), (reader, RefusedError)):
        with pytest.raises(error):
            watch_alerts.acknowledge(node, [opened], "", access)
        with pytest.raises(error):
            watches.remove(node, "w", (), access)
        with pytest.raises(error):
            watches.run(node, "w", (), access)
    assert watch_alerts.acknowledge(node, [opened, opened], "seen", intake) == 1
    (found,) = [one for one in watch_alerts.list_alerts(node) if one.id == opened]
    assert (found.note, found.acknowledged_by) == ("seen", "platform/intake")


def test_alerts_are_erased_when_their_time_is_over(node):
    keep_watch(node, "w", request(), "44")
    settings = node.config.retention
    node.clock.advance(days=settings.fetched_days, hours=1)
    assert read_due(node).alerts == 1  # the one that was acknowledged
    assert erase_due(node)[0].alerts == 1
    node.clock.advance(days=settings.kept_days - settings.fetched_days)
    assert erase_due(node)[0].alerts == 1
    assert watch_alerts.list_alerts(node) == []


def test_alerts_of_two_writers_have_numbers_without_gaps(url, tmp_path):
    """A reader who has seen a number has seen all before it: on either database."""
    made = make_node(tmp_path / "44")
    made.store.dispose()
    node = replace(made, store=open_store(url))
    know_peer(node, replace(PEER, code="33"))
    for watch in ("a", "b"):
        watches.add(node, watch, request(peers=("33",)))
    both = threading.Barrier(2, timeout=30)

    def write(watch):
        row = watches.require_watch(node, watch)
        change = Change("h0/1", "C21", Said(Outcome.NOT_FOUND), Said(Outcome.FOUND, 1, 20_000), RULE)
        both.wait()
        for look in range(1, 6):
            add = partial(add_alerts, node, row=row, look=LookRow(watch, "33", look), version="1")
            node.store.retry_write("add", lambda tx, add=add: add(tx, changes=[change, change]))

    threads = [threading.Thread(target=write, args=(watch,)) for watch in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.seq for one in watch_alerts.list_alerts(node)] == list(range(1, 21))
    node.store.dispose()
