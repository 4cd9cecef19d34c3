"""An import reads dates, and dates what has none, by the day in China."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from matcher import identity
from node.domain.days import FIRST_DAY
from node.errors import InputError
from node.registers import importer
from node.tabular.typed_values import Role, cell_text
from tests.support.single_node import Held, make_node, number
from tests.support.zones import SHANGHAI, machine_zone

DAY = timedelta(days=1)
TODAY = date(2026, 7, 1)
NIGHT = datetime(2026, 6, 30, 16, tzinfo=UTC)  # 2026-07-01 00:00 in China
MOMENTS = {
    "the last second of the day before": (NIGHT - timedelta(seconds=1), TODAY - DAY),
    "midnight": (NIGHT, TODAY),
    "00:30": (NIGHT + timedelta(minutes=30), TODAY),
    "07:52": (NIGHT + timedelta(hours=7, minutes=52), TODAY),
    "the last second": (NIGHT + DAY - timedelta(seconds=1), TODAY),
}
YESTERDAY, NOW, TOMORROW, UNDATED = (number(at) for at in range(4))


@pytest.fixture(params=["America/New_York", "Asia/Shanghai"], autouse=True)
def zone(request):
    with machine_zone(request.param):
        yield


@pytest.fixture(params=MOMENTS)
def moment(request):
    return MOMENTS[request.param]


@pytest.fixture
def node(tmp_path, moment):
    made = make_node(tmp_path / "44")
    yield replace(made, clock=lambda: moment[0])
    made.store.dispose()


def write(path, *rows):
    path.write_text("\n".join(["id_no,as_of", *(f"{person},{day}" for person, day in rows)]) + "\n")
    return path


def as_of(held, person):
    found = held.open(identity.parse(person))
    return None if found is None else FIRST_DAY + timedelta(days=found[0].as_of)


def test_today_is_taken_and_tomorrow_is_not(node, moment, tmp_path):
    today = moment[1]
    path = write(
        tmp_path / "r.csv", (YESTERDAY, today - DAY), (NOW, today), (TOMORROW, today + DAY), (UNDATED, "")
    )
    done = importer.import_item(node, "C21", [path], rejects_file=tmp_path / "rejects.csv", workers=0)
    assert (done.tally.read, done.tally.rejected) == (4, 1)
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig") as rejects:
        assert [(row["line"], row["reason"]) for row in csv.DictReader(rejects)] == [("4", "future_as_of")]
    held = Held(node, "C21")
    days = [as_of(held, person) for person in (YESTERDAY, NOW, TOMORROW, UNDATED)]
    assert days == [today - DAY, today, None, today]
    # Partitions of nobody but test subjects have the day of the import.
    empty = {row.as_of for origin, row in held.partitions.items() if origin != "44"}
    assert empty == {(today - FIRST_DAY).days}


def test_a_default_date_may_be_today_and_not_tomorrow(node, moment, tmp_path):
    today, path = moment[1], write(tmp_path / "r.csv", (UNDATED, ""))
    with pytest.raises(InputError, match=f"to today, {today} in China"):
        importer.import_item(node, "C21", [path], default_as_of=today + DAY, workers=0)
    importer.import_item(node, "C21", [path], default_as_of=today, workers=0)
    assert as_of(Held(node, "C21"), UNDATED) == today


def test_an_import_over_midnight_has_one_day(node, tmp_path):
    """What is read after midnight is judged as what was read before."""
    ticks = iter([NIGHT - timedelta(seconds=1)])
    later = replace(node, clock=lambda: next(ticks, NIGHT))
    path = write(tmp_path / "r.csv", (NOW, TODAY - DAY), (TOMORROW, TODAY), (UNDATED, ""))
    done = importer.import_item(later, "C21", [path], workers=0)
    assert done.tally.rejected == 1
    held = Held(later, "C21")
    assert {as_of(held, person) for person in (NOW, UNDATED)} == {TODAY - DAY}


STAMPS = [
    (datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC), "2026-06-30"),
    (datetime(2026, 6, 30, 16, tzinfo=UTC), "2026-07-01"),
    (datetime(2026, 6, 30, 23, 52, tzinfo=UTC), "2026-07-01"),
    (datetime(2026, 7, 1, tzinfo=SHANGHAI), "2026-07-01"),
    (datetime(2026, 6, 30, 0, 0), "2026-06-30"),  # noqa: DTZ001
    (datetime(2026, 6, 30, 23, 59, 59), "2026-06-30"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("stamp", "day"), STAMPS)
def test_a_stamp_of_a_typed_source_has_its_day_in_china(stamp, day):
    assert cell_text("as_of", Role.DAY, stamp) == day


def test_stamps_of_a_parquet_file(tmp_path):
    """With a zone an instant, without one the day that is written."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    node = replace(make_node(tmp_path / "44"), clock=lambda: NIGHT + DAY)
    instant = datetime(2026, 6, 30, 23, 52, tzinfo=UTC)
    for zone, day in (("UTC", TODAY), ("Asia/Shanghai", TODAY), (None, TODAY - DAY)):
        stamps = arrow.array([instant.replace(tzinfo=None)], arrow.timestamp("us", zone))
        parquet.write_table(arrow.table({"id_no": [NOW], "as_of": stamps}), tmp_path / "r.parquet")
        importer.import_item(node, "C21", [tmp_path / "r.parquet"], workers=0)
        assert as_of(Held(node, "C21"), NOW) == day, zone
    node.store.dispose()
