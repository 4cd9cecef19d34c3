"""Which job runs when: a small one never waits for lists."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from matcher import Identity
from node.config.jobs import JobsSection
from node.database import open_store
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.jobs import runner
from node.jobs.leases import Leases
from node.jobs.runner import SMALL_JOB, Runner

ONE = Subject("h/1", "h", "", (Identity("resident", "449999190001010034"),), "M")
SMALL = Verification(("C21",), ("44",), "review", "SA-2026-41", (ONE,), {})
LIST = replace(SMALL, subjects=(ONE,) * (SMALL_JOB + 1))
WAIT_S = 60.0


@pytest.fixture
def running(monkeypatch, tmp_path):
    """Jobs that run until they are let go: names of those that began, and what they were handed."""
    began: dict[str, Verification | None] = {}
    changed, go = threading.Condition(), threading.Event()

    def run_job(_node, job, _lease, submitted, _turns):
        with changed:
            began[job] = submitted
            changed.notify_all()
        go.wait(WAIT_S)
        return frozenset()

    monkeypatch.setattr(runner, "run_job", run_job)
    # A job that is handed over is not read, so that the store has leases only.
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    made = Runner(None, Leases(store, 30), poll_s=600, jobs_at_once=2)  # type: ignore[arg-type]

    def wait_for(*names: str) -> dict[str, Verification | None]:
        with changed:
            assert changed.wait_for(lambda: set(names) <= set(began), WAIT_S)
            return dict(began)

    yield made, wait_for, go
    go.set()
    made.stop()
    store.dispose()


def test_a_small_job_runs_beside_lists_that_take_all_workers(running):
    made, wait_for, _ = running
    for name in ("list-1", "list-2", "list-3"):
        made.start(name, LIST)
    made.start("one", SMALL)
    assert set(wait_for("list-1", "list-2", "one")) == {"list-1", "list-2", "one"}


def test_a_waiting_list_is_not_held_in_memory_and_runs_when_another_has_ended(running):
    made, wait_for, go = running
    for name in ("list-1", "list-2", "list-3"):
        made.start(name, LIST)
    wait_for("list-1", "list-2")
    go.set()
    assert wait_for("list-1", "list-2", "list-3") == {"list-1": LIST, "list-2": LIST, "list-3": None}


def test_a_job_is_taken_once(running):
    made, wait_for, go = running
    made.start("one", SMALL)
    made.start("one", LIST)
    made.start("two", SMALL)
    assert wait_for("one", "two")["one"] is SMALL
    go.set()


def test_large_jobs_are_given_to_another_process_and_small_ones_are_not(running, tmp_path):
    _, wait_for, go = running
    given: list[str] = []
    store = open_store(f"sqlite:///{tmp_path / 'b.db'}")
    node = SimpleNamespace(config=SimpleNamespace(jobs=JobsSection()))
    made = Runner(node, Leases(store, 30), poll_s=600, elsewhere=given.append)  # type: ignore[arg-type]
    made.start("list", LIST)
    made.start("one", SMALL)
    assert set(wait_for("one")) == {"one"}
    assert given == ["list"]
    go.set()
    made.stop()
    store.dispose()
