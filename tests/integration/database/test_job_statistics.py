"""Statistics that the database counts are those that a plain count of the rows gives."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    event,
    insert,
    select,
)

from node.database import Store, open_store
from node.database.case_tables import objections
from node.database.column_types import UtcDateTime
from node.database.job_statistics import count_entrusted, count_jobs, count_objections, count_parts
from node.database.jobs import add_job, add_parts, set_job_state, update_part
from node.database.query_tables import queries
from node.database.retention import count_files
from node.database.tables import parts, sum_queries
from node.domain.days import FIRST_DAY, china_time, day_start
from node.domain.job_statistics import (
    COLUMNS,
    Entrusted,
    JobGroup,
    ObjectionGroup,
    last_months,
    make_statistics,
)
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
        state = chance.choice(["done", "done", "done", "failed", "cancelled", "running"])
        job = JobRow(
            f"v-{number:04}", state, b"", chance.randint(1, 40), items, "review", "SA", at, at, None,
            cancel_requested=False, error="", owner=chance.choice(UNITS), mandates=chance.randint(0, 9),
            files_issued=chance.choice([0, 0, 1, 3]),
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


def in_tables(table: Table, rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Rows with something in each column that may not be empty."""
    plain = (
        (Integer, 0),
        (String, ""),
        (LargeBinary, b""),
        (Boolean, False),
        (UtcDateTime, day_start(TODAY)),
    )
    others = {
        column.name: next(value for kind, value in plain if isinstance(column.type, kind))
        for column in table.c
        if not column.nullable
    }
    return [{**others, **row} for row in rows]


def made_others() -> tuple[list[dict[str, object]], ...]:
    """Objections, queries and queries for sums around the ends of months."""
    chance = random.Random(8)
    firsts = last_months(TODAY)[-3:]
    raised = [
        {
            "id": f"o-{number}", "owner": chance.choice(UNITS),
            "raised_day": (chance.choice(firsts) - FIRST_DAY).days + chance.choice([-1, 0, 1, 40]),
            "recheck_job": chance.choice(["", "v-0001"]),
        }
        for number in range(300)
    ]  # fmt: skip
    asked = [
        {
            "peer": chance.choice(["33", "44"]), "query_id": number.to_bytes(16),
            "points": chance.choice([64, 1_024]),
            "at": day_start(chance.choice(firsts)) + timedelta(seconds=chance.choice([-1, 0, 1, 900_000])),
        }
        for number in range(200)
    ]  # fmt: skip
    points = [{"opened_at": one["at"], **{k: v for k, v in one.items() if k != "at"}} for one in asked]
    sums = [{**one, "item": item} for one in asked[:90] for item in chance.choice([["C21"], ["C21", "C23"]])]
    return in_tables(objections, raised), in_tables(queries, points), in_tables(sum_queries, sums)


OBJECTIONS, QUERIES, SUMS = made_others()


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
            set_job_state(tx, job.id, job.state, None if job.state == "running" else job.created_at)
            if job.files_issued:
                count_files(tx, job.id, job.files_issued)
        tx.execute(insert(objections), OBJECTIONS)
        tx.execute(insert(queries), QUERIES)
        tx.execute(insert(sum_queries), SUMS)
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


def end_of(job: JobRow, made: Mapping[str, Mapping[str, object]]) -> str:
    if job.state in ("running", "cancelled"):
        return {"running": "open", "cancelled": "terminated"}[job.state]
    answered = any(values["state"] == "done" for values in made.values())
    return "done" if job.state == "done" and answered else "suspended"


@pytest.mark.parametrize("owners", [None, UNITS[:2]])
def test_what_the_ministry_counts(store: Store, owners: list[str] | None) -> None:
    """Ends apart, mandates, item queries, reports, objections: as plain loops over the rows count them."""
    month, months = "2026-06", last_months(TODAY)
    with store.transaction("count") as tx:
        cases = count_objections(tx, months[0], months[-1], owners)
    found = make_statistics(month, DAYS, *counted(store, month, owners), cases)
    own = rows_of(month, owners)
    told = {
        name: dict(
            zip(COLUMNS[name], next(r.cells for r in getattr(found, name) if r.name == month), strict=True)
        )
        for name in ("months", "records")
    }
    ends = Counter(end_of(job, made) for job, made in own)
    assert min(ends.values()) >= 10
    assert {name: told["months"][name] for name in ("done", "terminated", "suspended", "open")} == ends
    raised = [
        row
        for row in OBJECTIONS
        if f"{FIRST_DAY + timedelta(days=row['raised_day']):%Y-%m}" == month
        and (owners is None or row["owner"] in owners)
    ]
    assert told["records"] == {
        "mandates": sum(job.mandates for job, _ in own),
        "item_queries": sum(job.subjects * len(job.items) for job, _ in own),
        "reports": sum(job.files_issued > 0 for job, _ in own),
        "report_files": sum(job.files_issued for job, _ in own),
        "objections": len(raised),
        "rechecks": sum(row["recheck_job"] != "" for row in raised),
    }


def test_what_peers_entrusted(store: Store) -> None:
    """A query for two sums is one query about its people."""
    months = last_months(TODAY)
    with store.transaction("count") as tx:
        found = count_entrusted(tx, months)
    for one in found:
        points = [row for row in QUERIES if f"{china_time(row['opened_at']):%Y-%m}" == one.month]
        sums = {row["query_id"]: row for row in SUMS if f"{china_time(row['at']):%Y-%m}" == one.month}
        expected = (sum(row["points"] for row in points), sum(row["points"] for row in sums.values()))
        assert one == Entrusted(one.month, len(points), expected[0], len(sums), expected[1])
    assert sum(one.queries for one in found) == len(QUERIES)


def group(state: str, jobs: int, *, answered: bool = True, reports: int = 0, mandates: int = 0) -> JobGroup:
    return JobGroup(
        "2026-06", UNITS[0], state, answered, ("C21",), jobs, jobs, mandates, 2 * reports, reports
    )


@pytest.mark.parametrize(
    ("jobs", "cases", "ends", "records"),
    [
        # Three suspended jobs: how many are done would tell them.
        ([group("done", 60), group("failed", 3)], (), ("-", 0, "<10", 0), (0, 63, 0, 0, 0, 0)),
        ([group("done", 60), group("done", 20, answered=False)], (), (60, 0, 20, 0), (0, 80, 0, 0, 0, 0)),
        # Reports of a few jobs, and of all but a few.
        ([group("done", 60, reports=4)], (), (60, 0, 0, 0), (0, 60, "-", "-", 0, 0)),
        ([group("done", 60, reports=55)], (), (60, 0, 0, 0), (0, 60, "-", "-", 0, 0)),
        ([group("done", 60, reports=30, mandates=9)], (), (60, 0, 0, 0), ("<10", 60, 30, 60, 0, 0)),
        # Few objections, and few that were not looked at again.
        ([group("done", 60)], (5, 5), (60, 0, 0, 0), (0, 60, 0, 0, "<10", "-")),
        ([group("done", 60)], (30, 25), (60, 0, 0, 0), (0, 60, 0, 0, 30, "-")),
        ([group("done", 60)], (30, 15), (60, 0, 0, 0), (0, 60, 0, 0, 30, 15)),
        ([group("done", 9, reports=9)], (30, 15), ("-",) * 4, ("-",) * 6),
    ],
)
def test_small_counts_are_hidden(
    jobs: list[JobGroup], cases: tuple[int, ...], ends: tuple[object, ...], records: tuple[object, ...]
) -> None:
    objections = [ObjectionGroup("2026-06", *cases)] if cases else []
    found = make_statistics("2026-06", DAYS, jobs, [], objections)
    assert found.months[0].cells[2:] == ends
    assert found.records[0].cells == records


def test_few_queries_of_peers_do_not_tell_their_points() -> None:
    months = [Entrusted("2026-05", 0, 0, 0, 0), Entrusted("2026-06", 9, 576, 10, 640)]
    found = make_statistics("2026-06", DAYS, [], [], (), months)
    assert [(row.name, row.cells) for row in found.entrusted] == [("2026-06", (SMALL, HIDDEN, 10, 640))]


def test_a_month_with_few_jobs_tells_nothing_but_that(store: Store) -> None:
    jobs, parts = counted(store, "2026-06", None)
    few = [one for one in jobs if one.month == "2026-06"][:1]
    found = make_statistics("2026-06", DAYS, few, parts)
    assert [row.cells for row in found.months] == [(SMALL, *[HIDDEN] * 5)]
    assert (found.units, found.items, found.peers, found.refusals) == ((), (), (), ())


def plan_of(store: Store, work: Callable[[Connection], object], table: str = "") -> list[str]:
    """The plan of the only statement about a table that `work` makes."""
    asked = []

    def keep(_connection, _cursor, statement, parameters, *_more) -> None:
        if f"FROM {table}" in statement:
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


def test_objections_and_queries_are_counted_in_an_index(store: Store) -> None:
    def entrusted(tx: Connection) -> None:
        count_entrusted(tx, last_months(TODAY)[-1:])

    for table, work in (
        ("objections", lambda tx: count_objections(tx, TODAY, TODAY, None)),
        ("queries", entrusted),
        ("sum_queries", entrusted),
    ):
        plan = " ".join(plan_of(store, work, table))
        assert f"COVERING INDEX ix_{table}_statistics" in plan, plan


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
