"""Watch lists: what was asked once is looked at again at home; a change is one alert (docs/watch.md)."""

import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from node.client.platform import Platform
from node.client.watches import Watches
from node.database import peers as peer_rows
from node.database import watches as rows
from node.domain.days import FIRST_DAY, china_day
from node.domain.notices import Level, Notice, NoticeKind
from node.jobs import mandates, watch_alerts, watch_job, watches
from node.jobs.notices import Source, collect
from node.jobs.watch_store import unseal_tokens
from node.mirror.folder import FOLDER
from tests.support.cluster import FakeClock, query_database
from tests.support.effort import examples
from tests.support.examples import mandate_for
from tests.support.mirrors import mirror_files
from tests.support.rotations import rotate
from tests.support.watching import ITEMS, PEOPLE, Watching, diff, make_homes, watching

START = {"C21": {0: 1, 1: 2}, "Z59b": {2: 1}, "C23": {3: 60_000}}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    homes = make_homes(tmp_path_factory.mktemp("watch"))
    with watching(homes, tmp_path_factory.mktemp("run"), FakeClock(datetime.now(UTC))) as found:
        found.hold(START)
        found.set_rules()
        yield found


@pytest.fixture
def run(served: Watching) -> Watching:
    """At each test's beginning 44 holds the same, and 45 has its mirror."""
    served.hold(START)
    served.sync()
    served.calls.clear()
    return served


def kept(run: Watching, watch: str) -> dict[str, set[int]]:
    """Of whom tokens are kept, by class."""
    node = run.requester.node
    with node.store.transaction("read tokens") as tx:
        found = rows.list_tokens(tx, watch)
    return {one.token_class: set(unseal_tokens(node, one).subjects.subject.tolist()) for one in found}


def asked(run: Watching) -> list[tuple[str, str, int]]:
    """Class, purpose and day of every query that 44 was asked, in order."""
    sql = "SELECT token_class, purpose, tokens_until FROM queries ORDER BY opened_at, rowid"
    return query_database(run.responder.home, sql)  # type: ignore[return-value]


def test_it_asks_once_and_then_looks_at_home(run: Watching) -> None:
    before = len(asked(run))
    run.add("once", range(8))
    assert run.look("once") == ("done", "")
    assert run.calls == ["Evaluate", "Evaluate"]  # a query for each class
    today = (china_day(run.requester.node.clock()) - FIRST_DAY).days
    assert asked(run)[before:] == [
        ("ordinary", "monitoring", today + 97),
        ("sensitive", "monitoring", today + 97),
    ]
    run.hold({"C21": {0: 1, 1: 4, 4: 1}, "Z59b": {}, "C23": {3: 60_000, 5: 60_000}})
    run.sync()
    run.calls.clear()
    assert run.look("once") == ("done", "")
    assert run.calls == []
    assert run.alerts("once") == [
        (1, "C21", "count_rises"),
        (4, "C21", "appears"),
        (2, "Z59b", "disappears"),
        (5, "C23", "threshold_passes"),
    ]
    run.look("once")
    assert len(run.alerts("once")) == 4
    first = watch_alerts.list_alerts(run.requester.node, watch="once")[0]
    assert (first.before.value, first.now.value, first.peer, first.thresholds) == (2, 4, "44", "1")
    assert first.now.as_of is not None
    (row,) = [one for one in watches.list_watches(run.requester.node) if one.row.id == "once"]
    assert (row.looks[0].look, row.looks[0].plan, row.open_alerts) == (3, "home", 4)


def test_it_looks_while_the_peer_is_away(run: Watching) -> None:
    run.add("away", range(4))
    run.look("away")
    with run.requester.node.store.transaction("move", write=True) as tx:
        peer = peer_rows.find_peer(tx, "44")
        tx.exec_driver_sql("UPDATE peers SET address = '127.0.0.1:1'")
    assert run.look("away") == ("done", "")
    with run.requester.node.store.transaction("move back", write=True) as tx:
        peer_rows.put_peer(tx, peer, run.requester.node.clock())


register = st.fixed_dictionaries(
    {
        "C21": st.dictionaries(st.integers(0, 11), st.integers(1, 4), max_size=6),
        "Z59b": st.dictionaries(st.integers(0, 11), st.just(1), max_size=4),
        "C23": st.dictionaries(st.integers(0, 11), st.just(60_000), max_size=4),
    }
)


@settings(max_examples=examples(2), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(register, register, st.booleans())
@example({"C21": {0: 1, 2: 1}}, {"C21": {0: 3, 1: 1}, "Z59b": {4: 1}}, False)
def test_alerts_are_the_plain_diff_of_two_versions(served, first, second, between):
    served.looks += 1
    watch = f"diff-{served.looks}"
    first, second = ({item: one.get(item, {}) for item in ITEMS} for one in (first, second))
    served.hold(first)
    served.sync()
    served.add(watch, range(10))
    assert served.look(watch) == ("done", "")
    if between:  # a look in between, which sees nothing new
        served.look(watch)
    served.hold(second)
    served.sync()
    assert served.look(watch) == ("done", "")
    found = served.alerts(watch)
    assert len(found) == len(set(found))
    assert set(found) == diff(first, second, range(10))


def test_a_new_epoch_needs_one_new_query(run: Watching) -> None:
    run.add("epochs", range(6))
    run.look("epochs")
    rotate(run.responder.home, "oprf", run.responder.clock)
    run.hold({**START, "C21": {0: 1, 1: 2, 4: 1}})
    run.sync()
    run.calls.clear()
    assert run.look("epochs") == ("done", "")
    assert run.calls == ["Evaluate", "Evaluate"]
    assert run.alerts("epochs") == [(4, "C21", "appears")]
    run.calls.clear()
    run.look("epochs")
    assert run.calls == []


def test_a_revoked_mandate_ends_its_tokens_at_once(run: Watching) -> None:
    """By the call that revokes, without a look; and who is revoked makes no alert."""
    own = [mandate_for(PEOPLE[place], number=f"R{place}") for place in range(3)]
    run.add("revoked", range(3), mandates=own)
    run.look("revoked")
    assert kept(run, "revoked") == {"ordinary": {0, 1, 2}, "sensitive": {0, 1, 2}}
    with Platform.open(run.requester.home, f"127.0.0.1:{run.requester.platform_port}") as platform:
        assert platform.revoke_mandates(["R1"]) == 1
    assert kept(run, "revoked") == {"ordinary": {0, 2}, "sensitive": {0, 2}}
    run.hold({**START, "C21": {0: 3, 1: 9}})
    run.sync()
    run.calls.clear()
    assert run.look("revoked") == ("done", "")
    assert (run.calls, run.alerts("revoked")) == ([], [(0, "C21", "count_rises")])


def test_a_revocation_while_the_peer_answers_leaves_no_token(run: Watching, monkeypatch) -> None:
    own = [mandate_for(PEOPLE[place], number=f"L{place}") for place in range(2)]
    run.add("late", range(2), mandates=own)
    honest = watch_job.look

    def slow(*arguments):
        found = honest(*arguments)
        mandates.revoke(run.requester.node, ["L0"])
        return found

    monkeypatch.setattr(watch_job, "look", slow)
    assert run.look("late") == ("done", "")
    assert kept(run, "late") == {"ordinary": {1}, "sensitive": {1}}


def test_two_looks_at_once_are_one_alert(run: Watching, monkeypatch) -> None:
    run.add("race", range(6))
    run.look("race")
    run.hold({**START, "C21": {0: 1, 1: 2, 5: 1}})
    run.sync()
    honest, both = watch_job.look, threading.Barrier(2, timeout=30)
    waited = threading.local()

    def together(*arguments):
        found = honest(*arguments)
        if not getattr(waited, "once", False):
            waited.once = True
            both.wait()  # neither has written yet
        return found

    monkeypatch.setattr(watch_job, "look", together)
    jobs = [run.submit("race"), run.submit("race")]
    threads = [threading.Thread(target=run.run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.part(job).state for job in jobs] == ["done", "done"]
    assert run.alerts("race") == [(5, "C21", "appears")]


def test_people_who_leave_during_a_look_are_not_kept(run: Watching, monkeypatch) -> None:
    run.add("leave", range(3))
    honest, left = watch_job.look, []

    def slow(*arguments):
        found = honest(*arguments)
        if not left:
            left.append(watches.remove(run.requester.node, "leave", ["h1/1"]))
        return found

    monkeypatch.setattr(watch_job, "look", slow)
    assert run.look("leave") == ("done", "")
    assert left == [1]
    (found,) = [one for one in watches.list_watches(run.requester.node) if one.row.id == "leave"]
    assert (found.row.people, kept(run, "leave")["ordinary"]) == (2, {0, 1})


def test_a_mirror_that_was_put_back_is_refused(run: Watching, tmp_path) -> None:
    folder = run.requester.home / FOLDER
    run.add("back", range(6))
    run.look("back")
    shutil.copytree(folder, tmp_path / "old")
    run.hold({**START, "C21": {1: 2}})
    run.sync()
    run.look("back")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)
    assert run.look("back") == ("unavailable", "mirror_behind")
    assert run.alerts("back") == []
    run.sync()
    assert run.look("back") == ("done", "")
    assert run.alerts("back") == []


def test_a_damaged_entry_is_no_alert(run: Watching, monkeypatch) -> None:
    """A label that does not open is no answer, and what is compared next is the answer before it."""
    from node.requester import retrieval

    run.add("damaged", range(4))
    run.look("damaged")
    honest = retrieval._open

    def damaged(one, part, lookups, asked_, sealed):
        records, good = honest(one, part, lookups, asked_, sealed)
        if part.item == "C21":
            good = good & (lookups.subject[asked_] != 0)
        return records, good

    monkeypatch.setattr(retrieval, "_open", damaged)
    assert run.look("damaged") == ("done", "")
    monkeypatch.undo()
    assert run.look("damaged") == ("done", "")
    assert run.alerts("damaged") == []
    run.hold({**START, "C21": {0: 3, 1: 2}})
    run.sync()
    run.look("damaged")
    assert run.alerts("damaged") == [(0, "C21", "count_rises")]


def test_a_planted_subject_that_is_missing_is_no_alert_but_a_wrong_answer(run: Watching, monkeypatch) -> None:
    from node.requester import retrieval

    run.add("planted", range(4))
    run.look("planted")
    run.hold({**START, "C21": {0: 9}})
    run.sync()
    monkeypatch.setattr(retrieval._Search, "_check_planted", lambda *_: None)
    state, reason = run.look("planted")
    assert (state, reason) == ("distrusted", "peer_answer_wrong:planted")
    assert run.alerts("planted") == []
    monkeypatch.undo()
    run.look("planted")
    assert run.alerts("planted") == [(0, "C21", "count_rises")]


def test_a_file_of_the_mirror_that_is_damaged_is_fetched_again(run: Watching) -> None:
    run.add("file", range(4))
    run.look("file")
    for path in mirror_files(run.requester.home):
        content = bytearray(path.read_bytes())
        content[-400:] = bytes(400)  # in several buckets of each
        path.write_bytes(content)
    assert run.look("file") == ("done", "")
    assert run.alerts("file") == []


def set_monitoring(run: Watching, allowed: bool) -> None:
    node = run.responder.node
    with node.store.transaction("grant", write=True) as tx:
        peer = peer_rows.find_peer(tx, "45")
        peer_rows.set_grants(tx, "45", peer.grants, allow_monitoring=allowed)


def test_a_grant_without_monitoring_refuses(run: Watching) -> None:
    """With a stable rule, and what is kept of an epoch before is used no longer than it."""
    set_monitoring(run, allowed=False)
    try:
        run.add("refused", range(2))
        assert run.look("refused") == ("refused", "monitoring_not_granted")
        assert kept(run, "refused") == {}
        (found,) = [one for one in watches.list_watches(run.requester.node) if one.row.id == "refused"]
        assert (found.looks[0].look, found.looks[0].reason) == (0, "monitoring_not_granted")
        assert watches.submit_due(run.requester.node, "refused") == []  # not before some hours have passed
    finally:
        set_monitoring(run, allowed=True)


def test_without_a_mirror_it_asks_each_time_and_keeps_nothing(run: Watching, monkeypatch) -> None:
    from node.mirror.folder import MirrorFolder

    run.add("query", range(4))
    monkeypatch.setattr(MirrorFolder, "has_room", lambda *_: False)
    monkeypatch.setattr(MirrorFolder, "is_whole", lambda *_: False)
    monkeypatch.setattr(MirrorFolder, "read", lambda *_: None)
    before = len(asked(run))
    assert run.look("query") == ("done", "")
    run.hold({**START, "C21": {0: 3, 1: 2}})
    run.look("query")
    assert asked(run)[before:] == [("ordinary", "monitoring", 0), ("sensitive", "monitoring", 0)] * 2
    assert (kept(run, "query"), run.alerts("query")) == ({}, [(0, "C21", "count_rises")])


def test_the_schedule_looks_at_new_versions_only(run: Watching) -> None:
    node = run.requester.node
    run.add("plan", range(4))
    (first,) = watches.submit_due(node, "plan")
    assert watches.submit_due(node, "plan") == []  # it has not ended
    assert run.run(first) == ("done", "")
    assert watches.submit_due(node, "plan") == []
    run.sync()
    assert watches.submit_due(node, "plan") == []  # synced, and nothing is new
    run.hold({**START, "Z59b": {}})
    run.sync()
    (second,) = watches.submit_due(node, "plan")
    assert run.run(second) == ("done", "")
    assert run.alerts("plan") == [(2, "Z59b", "disappears")]


def test_a_platform_follows_alerts_from_where_it_was(run: Watching) -> None:
    with Platform.open(run.requester.home, f"127.0.0.1:{run.requester.platform_port}") as platform:
        client = Watches(platform)
        is_new, job = client.add("api", run.request(range(6)))
        assert is_new
        assert [one.state for one in platform.watch(job)][-1] == "done"
        assert client.add("api", run.request(range(6))) == (False, "")
        run.hold({**START, "C21": {0: 3, 1: 4}})
        run.sync()
        client.run("api")
        last = max((one.seq for one in client.alerts()), default=0)
        followed = client.follow(last)
        first = next(followed)
        assert (first.watch, first.ref, first.item, first.when.value) == ("api", "h0/1", "C21", "count_rises")
        assert next(client.follow(first.seq)).ref == "h1/1"
        assert client.acknowledge([first.id], "visited") == 1
        (found,) = client.alerts("api", first.seq - 1, 1)
        assert (found.note, found.acknowledged_by) == ("visited", "node")
        assert [one.row.people for one in client.list("api")] == [6]
        assert client.remove("api", ["h0/1"]) == 1
        assert [one.ref for one in client.alerts("api")] == ["h1/1"]


def test_a_platform_follows_notices_from_where_it_was(run: Watching) -> None:
    node = run.requester.node
    found = Notice(NoticeKind.PARTS_OVERDUE, Level.WARNING, "44", count=2)
    source = Source((NoticeKind.PARTS_OVERDUE,), lambda _node: (found,))
    (seq,) = collect(node, [source])
    with Platform.open(run.requester.home, f"127.0.0.1:{run.requester.platform_port}") as platform:
        client = Watches(platform)
        assert [(one.notice.kind, one.notice.count) for one in client.notices()] == [
            (NoticeKind.PARTS_OVERDUE, 2)
        ]
        followed = client.follow_notices(seq - 1)
        assert next(followed).seq == seq
        found = replace(found, level=Level.URGENT)
        collect(node, [source])
        assert next(followed).notice.level is Level.URGENT
        assert [one.seq for one in client.notices(every=True)] == [seq, seq + 1]


def test_nothing_of_a_watched_person_is_in_the_files(run: Watching) -> None:
    """No number, and no kept token, in the database, the log or the audit chain."""
    node = run.requester.node
    run.add("files", range(4))
    run.look("files")
    with node.store.transaction("read tokens") as tx:
        held = [unseal_tokens(node, one) for one in rows.list_tokens(tx, "files")]
    marks = [one.tobytes() for each in held for one in each.tokens] + [one.encode() for one in PEOPLE[:4]]
    node.store.clear_log()
    for path in run.requester.home.rglob("*"):
        if path.is_file() and FOLDER not in path.parts:
            content = path.read_bytes()
            assert not any(mark in content for mark in marks), path.name
