"""What this node asked is erased when its time is over; nothing that waits or runs is."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, update

from node.context import Node
from node.database import answered_people, audit_log, deadlines, open_store, retention
from node.database import jobs as job_rows
from node.database.deadline_tables import attempts
from node.database.tables import DEADLINE_TABLES, answers, jobs, parts, sum_products, tokens
from node.domain.audit_chain import first_broken
from node.domain.jobs import JobRow
from node.domain.retention import Erased
from node.jobs.leases import Leases
from node.jobs.retention import AT_ONCE, count_due, erase_due, read_due
from node.jobs.scheduler import LEASE, Scheduler
from node.services.periodic import periodic_tasks
from tests.support.single_node import NOW, make_node

DAY = timedelta(days=1)
PEER = "44"


@pytest.fixture
def node(url: str, tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path / "45")
    made.store.dispose()
    found = replace(made, store=open_store(url))
    yield found
    found.store.dispose()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path / "45")
    yield made
    made.store.dispose()


def ago(days: float | None) -> datetime | None:
    return None if days is None else NOW - timedelta(days=days)


def add(
    node: Node,
    job: str,
    state: str,
    finished: float | None,
    fetched: float | None = None,
    *,
    sealed: bytes = b"sealed",
    secret: bytes = b"",
) -> None:
    """A job with an answer, and with secrets that a fault left, if `secret` is given."""
    row = JobRow(job, state, bytes(32), 1, ("C21",), "review", "", NOW - 400 * DAY, NOW, None, False, "")
    with node.store.transaction("add", write=True) as tx:
        job_rows.add_job(tx, row, sealed, (PEER,))
        values = {"state": state, "finished_at": ago(finished), "fetched_at": ago(fetched)}
        tx.execute(update(jobs).where(jobs.c.id == job).values(**values))
        left = {"refusals_sealed": sealed, "session_sealed": secret or None}
        tx.execute(update(parts).where(parts.c.job == job).values(state="done", **left))
        job_rows.add_answers(tx, job, PEER, "C21", sealed)
        answered_people.add_people(tx, job, bytes(16))
        deadlines.add_left_out(tx, job, {"51": "not_offered"})
        ended = {"asked_at": NOW, "ended_at": NOW, "state": "overdue", "reason": "", "points": 0}
        tx.execute(insert(attempts).values(job=job, peer=PEER, number=1, **ended))
        if secret:
            job_rows.add_tokens(tx, job, PEER, 0, secret)
            tx.execute(insert(sum_products).values(job=job, peer=PEER, item="B11", sealed=secret))


def held(node: Node) -> set[str]:
    with node.store.transaction("look") as tx:
        return set(tx.scalars(select(jobs.c.id)))


CASES: dict[str, tuple[str, float | None, float | None, bool]] = {
    "fetched 91 days ago": ("done", 100, 91, True),
    "fetched 89 days ago": ("done", 170, 89, False),
    "never fetched, ended 181 days ago": ("done", 181, None, True),
    "never fetched, ended 179 days ago": ("done", 179, None, False),
    "ended 181 days ago, fetched yesterday": ("done", 181, 1, True),
    "failed long ago": ("failed", 181, None, True),
    "cancelled long ago": ("cancelled", 181, None, True),
    "cancelled yesterday": ("cancelled", 1, None, False),
    "waits since a year": ("queued", None, None, False),
    "runs since a year": ("running", None, None, False),
    "runs, whatever its other columns say": ("running", 300, 300, False),
}


def test_periods(node: Node) -> None:
    for name, (state, finished, fetched, _) in CASES.items():
        add(node, name, state, finished, fetched)
    due = {name for name, case in CASES.items() if case[3]}
    expected = Erased(jobs=len(due), answers=len(due))
    assert read_due(node) == expected
    assert held(node) == set(CASES)
    assert erase_due(node) == (expected, True)
    assert held(node) == set(CASES) - due
    assert read_due(node) == Erased()
    with node.store.transaction("look") as tx:
        for table in (parts, answers, *DEADLINE_TABLES):
            assert set(tx.scalars(select(table.c.job))) == set(CASES) - due


def test_secrets_of_ended_jobs_are_erased_at_once_and_those_of_others_stay(node: Node) -> None:
    add(node, "ended", "failed", 1, secret=b"seed")
    add(node, "runs", "running", None, secret=b"seed")
    assert read_due(node) == Erased(secrets=3)
    assert erase_due(node)[0] == Erased(secrets=3)
    with node.store.transaction("look") as tx:
        kept = [tx.scalars(select(table.c.job)).all() for table in (tokens, sum_products)]
        seeds = tx.scalars(select(parts.c.job).where(parts.c.session_sealed.is_not(None))).all()
    assert [*kept, seeds] == [["runs"]] * 3


def events(node: Node) -> list[tuple[str, dict[str, int]]]:
    with node.store.transaction("look") as tx:
        found = list(audit_log.events(tx))
    assert first_broken(found) is None
    return [(one.event, json.loads(one.details)) for one in found]


def test_erasing_is_audited_with_counts_only(node: Node) -> None:
    erase_due(node)
    assert events(node) == []
    add(node, "old", "done", 200)
    add(node, "ended", "failed", 1, secret=b"seed")
    erase_due(node)
    assert events(node) == [
        ("retention_erased", asdict(Erased(secrets=3))),
        ("retention_erased", asdict(Erased(jobs=1, answers=1))),
    ]


def test_a_run_that_is_stopped_goes_on(node: Node) -> None:
    count = AT_ONCE + 3
    for at in range(count):
        add(node, f"old-{at}", "done", 200 + at)
    shown: list[tuple[int, int]] = []
    erased, _ = erase_due(node, show=lambda *step: shown.append(step), stopping=lambda: len(shown) == 1)
    assert (erased.jobs, len(held(node))) == (AT_ONCE, 3)
    assert shown == [(0, count), (count, count)]
    assert erase_due(node)[0].jobs == 3
    assert sum(details["jobs"] for _, details in events(node)) == count


def test_a_job_that_is_no_longer_due_is_left(node: Node) -> None:
    """Judged again in the transaction that erases."""
    add(node, "again", "running", None)
    with node.store.transaction("erase", write=True) as tx:
        assert retention.erase(tx, ["again"], NOW, NOW) == Erased()
    assert held(node) == {"again"}


def files(node: Node) -> bytes:
    """The file of the database and its log, whole."""
    file = node.config.folder / "heqiao.db"
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob("heqiao.db*")))


def test_erased_bytes_are_in_no_file(lite: Node) -> None:
    marks = [secrets.token_bytes(3_000) for _ in range(3)]
    kept = secrets.token_bytes(3_000)
    for at, mark in enumerate(marks):
        add(lite, f"old-{at}", "done", 200, sealed=mark, secret=mark[::-1])
    add(lite, "new", "done", 1, sealed=kept)
    pieces = [
        mark[at : at + 32] for mark in (*marks, *(one[::-1] for one in marks)) for at in (0, 500, 2_900)
    ]
    before = files(lite)
    assert all(piece in before for piece in pieces[:9])
    erased, is_cleared = erase_due(lite)
    assert (erased, is_cleared) == (Erased(3, 3, 9), True)
    after = files(lite)
    assert [piece in after for piece in pieces] == [False] * len(pieces)
    assert kept[:32] in after


def test_a_reader_that_keeps_the_log_is_told(lite: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    add(lite, "old", "done", 200)
    monkeypatch.setattr("node.database.engine._BUSY_TIMEOUT_MS", 50)
    lite.store.dispose()
    with lite.store.transaction("read on") as tx:
        tx.execute(select(jobs.c.id)).all()
        erased, is_cleared = erase_due(lite)
    assert (erased.jobs, is_cleared) == (1, False)
    assert lite.store.clear_log()


@pytest.mark.parametrize("state", ["done", "running"])
def test_the_first_fetch_of_an_ended_job_counts(node: Node, state: str) -> None:
    add(node, "j", state, 1)
    for days in (3, 2):
        with node.store.transaction("fetch", write=True) as tx:
            retention.note_fetched(tx, "j", NOW - days * DAY)
    with node.store.transaction("look") as tx:
        row = job_rows.find_job(tx, "j")
    assert row is not None
    assert row.fetched_at == (NOW - 3 * DAY if state == "done" else None)


def test_a_serving_node_erases_once_a_day(node: Node) -> None:
    """The scheduled task, under its lease."""
    add(node, "old", "done", 200)
    leases = Leases(node.store, 30)
    (task,) = (one for one in periodic_tasks(node) if one.name == "retention")
    scheduler = Scheduler(node, leases, (task,), 600)
    with leases.hold(LEASE) as lease:
        assert lease is not None
        assert scheduler.run_due(lease) == ["retention"]
        assert held(node) == set()
        assert scheduler.run_due(lease) == []


def test_what_is_due_is_counted_without_looking_at_all_jobs(node: Node) -> None:
    """As the page of health does: the same counts as `read_due`, each from a small index."""
    add(node, "old", "done", 1)
    due = read_due(node)
    assert count_due(node) == (due.jobs, due.secrets)
    if node.store.dialect != "sqlite":
        pytest.skip("the plan of SQLite")
    asked = []
    with node.store.transaction("plan") as tx:
        event.listen(tx, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
        retention.count_due(tx, NOW, NOW)
        retention.leftover_secrets(tx)
        for statement, parameters in tuple(asked):
            for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                assert "SCAN jobs" not in row[3], row[3]
                assert "SCAN parts" not in row[3] or "ix_parts_session" in row[3], row[3]
