"""Statistics that the database counts are those that a plain count of the rows gives."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, select

from node.database import Store, open_store
from node.database.job_statistics import count_jobs, count_parts
from node.database.jobs import add_job, add_parts, update_part
from node.database.tables import parts
from node.domain.days import china_time, day_start
from node.domain.job_statistics import COLUMNS, last_months, make_statistics
from node.domain.jobs import JobRow, PartClock
from node.domain.small_counts import HIDDEN, SMALL

TODAY, DAYS = date(2026, 7, 20), 7
UNITS = [f"unit/4501{number:02}000000" for number in range(1, 5)]
STATES = ("done", "done", "done", "refused", "overdue", "unavailable", "waiting")
COUNT = 1_500
Made = list[tuple[JobRow, dict[str, dict[str, object]]]]


def made_jobs() -> Made:
    """Jobs around the ends of months, with parts that ended around whole hours and days."""
    chance, found = random.Random(7), []
    edges = [day_start(first) for first in last_months(TODAY)][-3:]
    for number in range(COUNT):
        at = chance.choice(edges) + timedelta(seconds=chance.choice([-1, 0, 1, 86_400, 900_000]))
        items = tuple(chance.sample(["C21", "C23", "Z59b"], chance.randint(1, 2)))
        state = chance.choice(["done", "done", "failed"])
        job = JobRow(
            f"v-{number:04}", state, b"", chance.randint(1, 40), items, "review", "SA", at, at, None,
            cancel_requested=False, error="", owner=chance.choice(UNITS),
        )  # fmt: skip
        parts = {}
        for peer in chance.sample(["33", "44", "52"], chance.randint(1, 3)):
            kind = chance.choice(STATES)
            late = timedelta(seconds=chance.choice([0, 1, 3_600, 3_601, 7 * 86_400, 7 * 86_400 + 1]))
            parts[peer] = {
                "state": kind, "points": chance.choice([0, 40, 80]),
                "reason": chance.choice(["quota", "grant"]) if kind == "refused" else "",
                "ended_at": None if kind == "waiting" else at + late,
            }  # fmt: skip
        found.append((job, parts))
    return found


MADE = made_jobs()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path_factory.mktemp('statistics')}/heqiao.db"
    else:
        address = request.getfixturevalue("postgres").create_migrated()
    found = open_store(address)
    with found.transaction("jobs", write=True) as tx:
        for job, parts in MADE:
            clock = PartClock(job.created_at, job.due_at, job.due_at)
            add_job(tx, job, b"sealed", list(parts), clock)
            for peer, values in parts.items():
                update_part(tx, job.id, peer, values)
    yield found
    found.dispose()


def counted(store: Store, month: str, owners: list[str] | None):
    with store.transaction("count") as tx:
        return count_jobs(tx, 202508, 202607, owners), count_parts(
            tx, int(month.replace("-", "")), DAYS, owners
        )


def rows_of(month: str, owners: list[str] | None) -> Made:
    return [
        one
        for one in MADE
        if f"{china_time(one[0].created_at):%Y-%m}" == month and (owners is None or one[0].owner in owners)
    ]


@pytest.mark.parametrize("owners", [None, UNITS[:2], UNITS[3:], ["unit/459999000000"]])
@pytest.mark.parametrize("month", ["2026-05", "2026-06", "2026-07"])
def test_counts_are_those_of_the_rows(store: Store, month: str, owners: list[str] | None) -> None:
    jobs, parts = counted(store, month, owners)
    own = rows_of(month, owners)
    by_owner, by_item = Counter[str](), Counter[str]()
    for group in (one for one in jobs if one.month == month):
        by_owner[group.owner] += group.jobs
        for item in group.items:
            by_item[item] += group.jobs
    assert by_owner == Counter(job.owner for job, _ in own)
    assert by_item == Counter(item for job, _ in own for item in job.items)
    assert sum(one.people for one in jobs if one.month == month) == sum(job.subjects for job, _ in own)
    expected = Counter[tuple]()
    for job, made in own:
        for peer, values in made.items():
            hours, early = None, False
            if values["state"] == "done" and values["points"]:
                seconds = (values["ended_at"] - job.created_at).total_seconds()
                hours, early = math.ceil(seconds / 3_600), seconds <= DAYS * 86_400
            expected[peer, values["state"], values["reason"], hours, early] += 1
    assert {(one.peer, one.state, one.reason, one.hours, one.in_time): one.parts for one in parts} == dict(
        expected
    )


def test_tables_show_the_counts_or_why_not(store: Store) -> None:
    month = "2026-06"
    found = make_statistics(month, DAYS, *counted(store, month, None))
    own, hours, people, whole = rows_of(month, None), defaultdict(list), Counter(), Counter()
    for job, made in own:
        for peer, values in made.items():
            whole[peer] += 1
            if values["state"] == "done" and values["points"]:
                seconds = (values["ended_at"] - job.created_at).total_seconds()
                hours[peer].append(math.ceil(seconds / 3_600))
                people[peer] += job.subjects
    row = next(row for row in found.months if row.name == month)
    assert row.cells[:2] == (len(own), sum(job.subjects for job, _ in own))
    told = [dict(zip(COLUMNS["peers"], row.cells, strict=True)) | {"peer": row.name} for row in found.peers]
    assert {one["peer"]: one["parts"] for one in told} == whole
    assert any(one["people"] != HIDDEN for one in told)
    for one in (one for one in told if one["people"] != HIDDEN):
        times = sorted(hours[one["peer"]])
        assert one["people"] == people[one["peer"]]
        assert one["in_time"] + one["later"] == len(times)
        assert one["median_hours"] == times[math.ceil(len(times) / 2) - 1]
        assert one["most_hours"] == times[math.ceil(0.9 * len(times)) - 1]


def test_a_month_with_few_jobs_tells_nothing_but_that(store: Store) -> None:
    jobs, parts = counted(store, "2026-06", None)
    few = [one for one in jobs if one.month == "2026-06"][:1]
    found = make_statistics("2026-06", DAYS, few, parts)
    assert [row.cells for row in found.months] == [(SMALL, HIDDEN, HIDDEN, HIDDEN)]
    assert (found.units, found.items, found.peers, found.refusals) == ((), (), (), ())


def plan_of(store: Store, work: Callable[[Connection], object]) -> list[str]:
    """The plan of the only statement that `work` makes."""
    asked = []

    def keep(_connection, _cursor, statement, parameters, *_more) -> None:
        asked.append((statement, parameters))

    with store.transaction("plan") as tx:
        if tx.dialect.name != "sqlite":
            pytest.skip("the plan of SQLite")
        event.listen(tx, "before_cursor_execute", keep)
        work(tx)
        event.remove(tx, "before_cursor_execute", keep)
        ((statement, parameters),) = asked
        return [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


@pytest.mark.parametrize("owners", [None, UNITS[:2]])
def test_all_is_counted_in_an_index_and_in_its_order(store: Store, owners: list[str] | None) -> None:
    """Beside these columns a row has its list of people; groups that are sorted first take five times as
    long.
    """
    for table, work in (
        ("jobs", lambda tx: count_jobs(tx, 202508, 202607, owners)),
        ("parts", lambda tx: count_parts(tx, 202606, DAYS, owners)),
    ):
        plan = plan_of(store, work)
        assert len(plan) == 1, plan
        assert f"COVERING INDEX ix_{table}_statistics" in plan[0], plan


def hours_of(row: Mapping[str, object]) -> int | None:
    if row["state"] != "done" or not row["points"] or row["ended_at"] is None:
        return None
    return math.ceil((row["ended_at"] - row["asked_at"]).total_seconds() / 3_600)


MOMENTS = st.integers(0, 400_000).map(lambda seconds: day_start(TODAY) + timedelta(seconds=seconds))
CHANGES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "state": st.sampled_from(["pending", "evaluate", "waiting", *STATES]),
            "points": st.sampled_from([0, 80]),
            "ended_at": st.none() | MOMENTS,
            "asked_at": MOMENTS.map(lambda moment: moment - timedelta(days=5)),
            "done": st.integers(0, 9),
        },
    ).filter(bool),
    max_size=8,
)


@given(CHANGES)
def test_hours_are_those_of_the_row_whatever_changed(store: Store, changes: list[dict]) -> None:
    job = MADE[0][0]
    clock = PartClock(job.created_at, job.due_at, job.due_at)
    row: dict[str, object] = {"state": "pending", "points": 0, "ended_at": None, "asked_at": job.created_at}
    with store.transaction("change", write=True) as tx:
        add_parts(tx, job.id, ["99"], clock)
        found = select(parts.c.hours, parts.c.month, parts.c.owner, parts.c.subjects).where(
            parts.c.job == job.id, parts.c.peer == "99"
        )
        try:
            for change in changes:
                row |= change
                update_part(tx, job.id, "99", change)
                kept = (hours_of(row), int(f"{china_time(job.created_at):%Y%m}"), job.owner, job.subjects)
                assert tuple(tx.execute(found).one()) == kept
        finally:
            tx.execute(delete(parts).where(parts.c.peer == "99"))
