"""Periodic work: each task in its time, in one process of several."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest

from node.database import Store
from node.errors import LeaseLostError
from node.jobs.leases import Leases
from node.jobs.scheduler import LEASE, Scheduler, Task
from tests.support.cluster import wait_for
from tests.support.leases import expire, take

DAY = timedelta(days=1)


def scheduler(store: Store, leases: Leases, *tasks: Task, poll_s: float = 0.02) -> Scheduler:
    return Scheduler(SimpleNamespace(store=store), leases, tasks, poll_s)  # type: ignore[arg-type]


@pytest.fixture
def leases(store: Store) -> Iterator[Leases]:
    made = Leases(store, 30)
    yield made
    made.close()


def ran_long_ago(store: Store, task: str) -> None:
    with store.transaction("long ago", write=True) as tx:
        tx.exec_driver_sql(f"UPDATE task_runs SET ended_at = ended_at - 86401 WHERE task = '{task}'")


def test_each_task_runs_when_it_is_due(store: Store, leases: Leases) -> None:
    ran: list[str] = []
    daily = Task("daily", DAY, lambda _lease: ran.append("daily"))
    always = Task("always", timedelta(0), lambda _lease: ran.append("always"))
    made = scheduler(store, leases, daily, always)
    with leases.hold(LEASE) as lease:
        assert made.run_due(lease) == ["daily", "always"]
        assert made.run_due(lease) == ["always"]
        ran_long_ago(store, "daily")
        assert made.run_due(lease) == ["daily", "always"]
    assert ran == ["daily", "always", "always", "daily", "always"]


def test_a_task_that_fails_waits_for_its_turn_and_delays_no_other(store: Store, leases: Leases) -> None:
    def fail(_lease: object) -> None:
        raise ZeroDivisionError

    ran: list[str] = []
    made = scheduler(store, leases, Task("bad", DAY, fail), Task("good", DAY, lambda _l: ran.append("good")))
    with leases.hold(LEASE) as lease:
        made.run_due(lease)
        assert made.run_due(lease) == []
    assert ran == ["good"]


def test_a_task_whose_process_lost_the_lease_is_done_again_by_another(store: Store, leases: Leases) -> None:
    def taken_over(_lease: object) -> None:
        expire(store, LEASE)
        assert take(store, LEASE) == 2

    made = scheduler(store, leases, Task("task", DAY, taken_over))
    with leases.hold(LEASE) as lease:
        with pytest.raises(LeaseLostError):
            made.run_due(lease)
        assert made.run_due(lease) == []  # nothing more in this process
    again = scheduler(store, leases, Task("task", DAY, lambda _lease: None))
    expire(store, LEASE)
    with leases.hold(LEASE) as lease:
        assert again.run_due(lease) == ["task"]


def test_one_process_of_two_runs_the_tasks_and_the_other_follows(store: Store) -> None:
    ran: list[int] = []
    together = threading.Lock()

    def work(who: int) -> None:
        assert together.acquire(blocking=False)
        ran.append(who)
        together.release()

    both = [Leases(store, 30) for _ in range(2)]
    made = [
        scheduler(store, own, Task("task", timedelta(0), lambda _lease, who=who: work(who)))
        for who, own in enumerate(both)
    ]
    for own, one in zip(both, made, strict=True):
        own.start()
        one.start()
    wait_for(lambda: len(ran) > 5, 120, "nothing ran")
    first = ran[0]
    assert set(ran) == {first}
    both[first].interrupt()
    made[first].stop()
    both[first].close()
    wait_for(lambda: ran[-1] != first, 120, "the other one does not follow")
    both[1 - first].interrupt()
    made[1 - first].stop()
    both[1 - first].close()
    assert ran == sorted(ran, key=lambda who: who != first)
