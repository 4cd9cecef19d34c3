"""Pages of the list of jobs: each job once, also where times are the same, and never by loading the list."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text, update

from node.database import Store, jobs, open_store
from node.database.tables import jobs as job_table
from testbed.many_jobs import add_many

NOW = datetime(2026, 7, 1, tzinfo=UTC)
UNITS = [f"unit/4501{number:02}000000" for number in range(1, 8)]
COUNT = 300


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path_factory.mktemp('pages')}/heqiao.db")
    add_many(found, COUNT, UNITS, ("33", "44"), NOW)
    with found.transaction("same time", write=True) as tx:  # a third of all, as a platform submits them
        same = update(job_table).where(job_table.c.id.between("many-0000100", "many-0000199"))
        tx.execute(same.values(created_at=NOW, state="running"))
    yield found
    found.dispose()


def pages(store: Store, limit: int, *choice: object) -> list[str]:
    found: list[str] = []
    after = None
    with store.transaction("pages") as tx:
        while rows := jobs.list_jobs(tx, limit, *choice, after=after):
            found += [row.id for row in rows]
            after = (rows[-1].created_at, rows[-1].id)
    return found


@pytest.mark.parametrize("limit", [7, 50, COUNT])
def test_every_job_is_on_one_page(store: Store, limit: int) -> None:
    found = pages(store, limit)
    assert len(found) == COUNT
    assert set(found) == {f"many-{number:07}" for number in range(COUNT)}
    assert found[-1] == "many-0000299"


def test_pages_of_some_owners_and_states(store: Store) -> None:
    of_two = pages(store, 10, UNITS[:2])
    assert sorted(of_two) == [f"many-{number:07}" for number in range(COUNT) if number % 7 in (0, 1)]
    running = pages(store, 9, None, ("queued", "running"))
    assert sorted(running) == [f"many-{number:07}" for number in range(100, 200)]
    assert len(pages(store, 9, UNITS[:1], ("running",))) == len({*of_two} & {*running}) - sum(
        number % 7 == 1 for number in range(100, 200)
    )
    assert pages(store, 9, ["unit/459999000000"]) == []


def test_parts_of_a_page_come_in_one_call(store: Store) -> None:
    with store.transaction("parts") as tx:
        found = jobs.parts_of(tx, ["many-0000001", "many-0000002"])
        assert {job: [part.peer for part in parts] for job, parts in found.items()} == {
            "many-0000001": ["33", "44"],
            "many-0000002": ["33", "44"],
        }
        assert found["many-0000001"] == jobs.list_parts(tx, "many-0000001")


@pytest.mark.parametrize("states", [(), ("done",)])
@pytest.mark.parametrize("owners", [None, UNITS[:3]])
@pytest.mark.parametrize("after", [None, (NOW, "many-0000005")])
def test_a_page_is_chosen_in_an_index(store: Store, states: tuple, owners: object, after: object) -> None:
    """Otherwise a list of 100,000 would be read and sorted for each page."""
    asked: list[tuple[str, object]] = []
    with store.transaction("plan") as tx:

        def keep(_connection, _cursor, statement, parameters, *_more) -> None:
            asked.append((statement, parameters))

        event.listen(tx, "before_cursor_execute", keep)
        jobs.list_jobs(tx, 50, owners, states, after)
        event.remove(tx, "before_cursor_execute", keep)
        statement, parameters = asked[0]
        plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        assert any("COVERING INDEX ix_jobs_" in line for line in plan), plan
        assert sum("TEMP B-TREE" in line for line in plan) <= 1, plan  # that of the page itself
        assert tx.scalar(text("SELECT 1")) == 1
