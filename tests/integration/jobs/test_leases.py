"""Leases on both databases: who may write when, whatever two processes do and in whichever order."""

import threading
import time
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from node.database import Store, open_store
from node.database import leases as lease_rows
from node.database.leases import DatabaseTime, Lease
from node.errors import ConflictError, LeaseLostError, UnavailableError
from node.jobs.leases import Leases
from tests.support.cluster import wait_for
from tests.support.leases import expire, take

NAMES = count()


def may_write(store: Store, name: str, number: int) -> bool:
    try:
        Lease(store, name, number).write("try", lambda _tx: None)
    except LeaseLostError:
        return False
    return True


def renew(store: Store, name: str, number: int, seconds: float = 30) -> bool:
    with store.transaction("renew", write=True) as tx:
        return lease_rows.renew(tx, name, number, seconds)


def release(store: Store, name: str, number: int) -> None:
    with store.transaction("release", write=True) as tx:
        lease_rows.release(tx, name, number)


# ---- the rules, one by one


def test_a_lease_that_is_held_is_not_given(store: Store) -> None:
    assert take(store, "a") == 1
    assert take(store, "a") is None
    assert take(store, "b") == 1
    assert may_write(store, "a", 1)


def test_a_lease_that_expired_is_taken_over_and_the_old_number_is_refused(store: Store) -> None:
    assert take(store, "a") == 1
    expire(store, "a")
    assert may_write(store, "a", 1)  # nobody has taken it yet
    assert take(store, "a") == 2
    assert not may_write(store, "a", 1)
    assert not renew(store, "a", 1)
    release(store, "a", 1)  # changes nothing
    assert take(store, "a") is None
    assert may_write(store, "a", 2)


def test_a_released_lease_is_taken_at_once_and_its_number_is_used_up(store: Store) -> None:
    number = take(store, "a")
    assert number is not None
    release(store, "a", number)
    assert not may_write(store, "a", number)
    assert not renew(store, "a", number)
    following = take(store, "a")
    assert following is not None
    assert following > number


def test_a_renewed_lease_lasts_from_now_on(store: Store) -> None:
    assert take(store, "a", 0.3) == 1
    assert renew(store, "a", 1, 30)
    time.sleep(0.4)
    assert take(store, "a") is None
    expire(store, "a")
    assert renew(store, "a", 1)  # late, and before anybody else
    assert take(store, "a") is None


def test_the_database_tells_the_time(store: Store) -> None:
    """Real seconds pass; no clock of this process is asked."""
    with store.transaction("time") as tx:
        assert abs(tx.scalar(select(DatabaseTime())) - time.time()) < 60
    began = time.monotonic()
    assert take(store, "a", 0.5) == 1
    while take(store, "a") is None:
        assert time.monotonic() - began < 20
        time.sleep(0.01)
    assert time.monotonic() - began >= 0.45


def test_a_lease_that_never_was_and_a_number_that_never_was_are_refused(store: Store) -> None:
    assert not may_write(store, "a", 1)
    take(store, "a")
    assert not may_write(store, "a", 0)
    assert not may_write(store, "a", 2)


def test_a_refused_write_leaves_nothing_and_tells_the_work_to_stop(store: Store) -> None:
    take(store, "a")
    lease = Lease(store, "a", 1)
    lease.write("note", lambda tx: lease_rows.note_run(tx, "first"))
    assert not lease.stopping.is_set()
    expire(store, "a")
    take(store, "a")
    with pytest.raises(LeaseLostError):
        lease.write("note", lambda tx: lease_rows.note_run(tx, "second"))
    assert lease.stopping.is_set()
    with store.transaction("look") as tx:
        assert not lease_rows.is_due(tx, "first", 3600)
        assert lease_rows.is_due(tx, "second", 3600)


def test_a_conflict_within_a_write_is_tried_again_under_the_same_rule(store: Store) -> None:
    take(store, "a")
    tries = []

    def work(_tx: object) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise ConflictError("another writer was first")
        return len(tries)

    assert Lease(store, "a", 1).write("try", work) == 3


# ---- two at once


@pytest.mark.parametrize("expired", [False, True])
def test_of_many_that_acquire_at_once_one_succeeds(store: Store, expired: bool) -> None:
    if expired:
        take(store, "a")
        expire(store, "a")
    numbers: list[int | None] = []
    threads = [threading.Thread(target=lambda: numbers.append(take(store, "a"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number is not None for number in numbers) == [False] * 5 + [True]


def test_a_takeover_waits_for_a_write_that_has_begun(store: Store) -> None:
    """The write was allowed when it began: it is committed before the other process begins."""
    take(store, "a")
    expire(store, "a")
    began, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def work(tx: object) -> None:
        began.set()
        go_on.wait(120)
        order.append("written")

    def take_over() -> None:
        assert take(store, "a") == 2
        order.append("taken over")

    writing = threading.Thread(target=lambda: Lease(store, "a", 1).write("slow", work))
    taking = threading.Thread(target=take_over)
    writing.start()
    assert began.wait(120)
    taking.start()
    time.sleep(0.3)
    assert order == []
    go_on.set()
    writing.join()
    taking.join()
    assert order == ["written", "taken over"]


def test_parts_of_one_job_write_side_by_side(postgres) -> None:
    store = open_store(postgres.create_migrated())
    take(store, "a")
    meeting = threading.Barrier(3)
    threads = [
        threading.Thread(target=lambda: Lease(store, "a", 1).write("part", lambda _tx: meeting.wait(120)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.dispose()
    assert not meeting.broken


def test_a_process_that_stands_still_within_a_write_is_cut_off(postgres, monkeypatch) -> None:
    """On PostgreSQL: the server ends its transaction, and another process takes over."""
    monkeypatch.setattr(lease_rows, "IDLE_WRITE_MS", 500)
    store = open_store(postgres.create_migrated())
    take(store, "a")
    expire(store, "a")
    writing, go_on = threading.Event(), threading.Event()
    failed: list[Exception] = []

    def stand_still(tx: Connection) -> None:
        lease_rows.note_run(tx, "late")
        writing.set()
        go_on.wait(120)

    def write() -> None:
        try:
            Lease(store, "a", 1).write("stand still", stand_still)
        except UnavailableError as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(120)
    assert take(store, "a") == 2  # waits until the server has ended the other transaction
    go_on.set()
    thread.join()
    with store.transaction("look") as tx:
        assert lease_rows.is_due(tx, "late", 3600)
    store.dispose()
    assert failed


# ---- every order of what two processes may do

STEPS = st.lists(
    st.tuples(st.sampled_from(("acquire", "write", "renew", "release", "expire")), st.integers(0, 1)),
    max_size=24,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_every_order(store: Store, steps: list[tuple[str, int]]) -> None:
    """A model of one lease: `current` is the number that may write, None while nobody may."""
    name, held = f"order {next(NAMES)}", [0, 0]
    current, highest, expired = 0, 0, True
    for step, who in steps:
        if step == "acquire":
            number = take(store, name)
            assert (number is not None) == expired
            if number is not None:
                assert number > highest
                held[who] = current = highest = number
                expired = False
        elif step == "write":
            assert may_write(store, name, held[who]) == (held[who] == current != 0)
        elif step == "renew":
            good = renew(store, name, held[who])
            assert good == (held[who] == current != 0)
            expired = expired and not good
        elif step == "release":
            release(store, name, held[who])
            if held[who] == current != 0:
                current, expired = 0, True
        elif step == "expire":
            expire(store, name)
            expired = True


# ---- the leases of a process


def test_leases_are_renewed_while_their_work_runs(store: Store) -> None:
    ours, theirs = Leases(store, 1), Leases(store, 1)
    ours.start()
    with ours.hold("a") as lease:
        assert lease is not None
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            with theirs.hold("a") as other:
                assert other is None
            time.sleep(0.1)
        assert not lease.stopping.is_set()
    with theirs.hold("a") as other:
        assert other is not None
        assert other.number > lease.number
    ours.close()


def test_a_lease_is_given_back_when_its_work_fails(store: Store) -> None:
    leases = Leases(store, 30)
    with pytest.raises(ZeroDivisionError), leases.hold("a"):
        raise ZeroDivisionError
    with leases.hold("a") as lease:
        assert lease is not None


def test_the_work_of_a_lost_lease_is_told_to_stop(store: Store) -> None:
    leases = Leases(store, 1)
    leases.start()
    with leases.hold("a") as lost, leases.hold("b") as kept:
        expire(store, "a")
        while take(store, "a") is None:  # unless it was renewed in between
            expire(store, "a")
        wait_for(lost.stopping.is_set, 120, "the work is not stopped")
        assert not kept.stopping.is_set()
        assert may_write(store, "b", kept.number)
    assert take(store, "a") is None  # what is lost is not given back: another process holds it
    leases.close()


def test_a_lease_that_cannot_be_renewed_for_as_long_as_it_lasts_is_lost(store: Store) -> None:
    """While the database is away: another process may reach it and have taken the lease."""
    now = [0.0]
    leases = Leases(store, 30, ticks=lambda: now[0])
    with leases.hold("a") as lease:
        rename(store, "leases", "away")
        now[0] = 29.0
        leases.renew()
        assert not lease.stopping.is_set()
        rename(store, "away", "leases")
        leases.renew()
        rename(store, "leases", "away")
        now[0] = 58.0
        leases.renew()
        assert not lease.stopping.is_set()
        now[0] = 59.5
        leases.renew()
        assert lease.stopping.is_set()
        rename(store, "away", "leases")
        assert take(store, "a") is None


def rename(store: Store, old: str, new: str) -> None:
    with store.transaction("rename", write=True) as tx:
        tx.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def test_a_stopping_process_tells_its_work_and_takes_no_more(store: Store) -> None:
    leases = Leases(store, 30)
    with leases.hold("a") as lease:
        leases.interrupt()
        assert lease.stopping.is_set()
        assert may_write(store, "a", lease.number)  # to keep what it has
        with leases.hold("b") as more:
            assert more is None
    assert take(store, "a") is not None
    leases.close()
