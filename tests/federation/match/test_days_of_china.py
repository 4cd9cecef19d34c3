"""A verification that is accepted around midnight in China: mandates, freshness, due day, report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matcher import identity
from node.client.peer import Peer
from node.domain import catalogue
from node.domain.findings import Report
from node.domain.mandate import Mandate
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.domain.working_days import WorkingDays
from node.registers.importer import import_item
from node.reports import kinds
from tests.support.cluster import FakeClock, Province, World, know, open_home, run_job, serve_all
from tests.support.examples import MANDATE
from tests.support.single_node import number
from tests.support.zones import SECOND, SHANGHAI, machine_zone, next_midnight

DAY = timedelta(days=1)
NIGHT = next_midnight(datetime.now(UTC) + DAY)
TODAY = NIGHT.astimezone(SHANGHAI).date()  # the day that begins at NIGHT
CATALOGUE = catalogue.load()
PEOPLE = {"no mandate": number(1, "459999"), "older": number(2, "459999"), "newer": number(3, "459999")}
FRESH = timedelta(days=CATALOGUE.item("C21").freshness_days)
DATES = {"no mandate": TODAY, "older": TODAY - FRESH - DAY, "newer": TODAY - FRESH}

MANDATES = {
    "ended yesterday": {"valid_to": TODAY - DAY},
    "ends today": {"valid_to": TODAY},
    "revoked today": {"revoked_at": TODAY},
    "revoked tomorrow": {"revoked_at": TODAY + DAY},
    "from today": {"valid_from": TODAY},
    "from tomorrow": {"valid_from": TODAY + DAY},
    "older": {},
    "newer": {},
}
BEFORE = {
    "ended yesterday": "FOUND",  # its last day
    "ends today": "FOUND",
    "revoked today": "FOUND",
    "revoked tomorrow": "FOUND",
    "from today": "not_yet_valid",
    "from tomorrow": "not_yet_valid",
    "older": "FOUND",
    "newer": "FOUND",
}
AFTER = {
    "ended yesterday": "expired",
    "ends today": "FOUND",
    "revoked today": "revoked",
    "revoked tomorrow": "FOUND",
    "from today": "FOUND",
    "from tomorrow": "not_yet_valid",
    "older": "STALE",
    "newer": "FOUND",
}
MOMENTS = [
    (NIGHT - SECOND, BEFORE),
    (NIGHT, AFTER),
    (NIGHT + timedelta(hours=7, minutes=52), AFTER),
    (NIGHT + DAY - SECOND, AFTER),
]


def mandate(name: str) -> Mandate:
    lasting = {"valid_from": TODAY - 30 * DAY, "valid_to": TODAY + 30 * DAY}
    named = frozenset(PEOPLE.values())
    return replace(MANDATE, number=name, people=named, **{**lasting, **MANDATES[name]})


ASKED = Verification(
    items=("C21",),
    peers=("44",),
    purpose=MANDATE.programme,
    legal_basis="SA-2026-41",
    subjects=tuple(
        Subject(name, "h", "", (identity.parse(PEOPLE.get(name, PEOPLE["no mandate"])),), name)
        for name in MANDATES
    ),
    mandates={name: mandate(name) for name in MANDATES},
)


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock(NIGHT)


@pytest.fixture(scope="module")
def provinces(world: World, clock: FakeClock, tmp_path_factory) -> Iterator[dict[str, Province]]:
    folder = tmp_path_factory.mktemp("days")
    register = folder / "cars.csv"
    rows = [f"{PEOPLE[name]},{DATES[name]}" for name in PEOPLE]
    register.write_text("\n".join(["id_no,as_of", *rows]) + "\n", encoding="utf-8")
    with serve_all(world.copy(folder, "45", "44"), clock) as served:
        import_item(served["44"].node, "C21", [register], workers=0)
        yield served


def said(outcomes: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {
        name: reason if outcome == "NOT_MANDATED" else outcome for name, (outcome, reason) in outcomes.items()
    }


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize(("moment", "expected"), MOMENTS, ids=["before", "midnight", "07:52", "last"])
def test_a_job_around_midnight(provinces, clock, zone: str, moment: datetime, expected: dict) -> None:
    clock.now = moment
    with machine_zone(zone):
        report = run_job(provinces["45"], f"{zone[:2]}-{MOMENTS.index((moment, expected))}", ASKED)
        assert said({f.subject: (f.outcome.value, f.reason) for f in report.findings}) == expected
        check_times(report, moment)


def check_times(report: Report, moment: datetime) -> None:
    """The report's head has days and times of China, and it is due on a working day."""
    due = report.due_at.astimezone(SHANGHAI)
    assert WorkingDays().is_working(due.date())
    assert due.time() == moment.astimezone(SHANGHAI).time()
    head = {fact.name: fact.value for fact in kinds.document(report, CATALOGUE, "en").facts}
    assert head["accepted"] == f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}+08:00"
    assert head["due"].startswith(f"{due:%Y-%m-%d %H:%M}+08:00")


@pytest.mark.parametrize(("moment", "expected"), MOMENTS[:3], ids=["before", "midnight", "07:52"])
def test_a_platform_that_asks_a_peer_itself(
    world: World, provinces, clock, tmp_path: Path, moment: datetime, expected: dict
) -> None:
    clock.now = moment
    home = world.federation.make_home(tmp_path / "platform", "45", "platform")
    served = provinces["44"]
    know(served.node, world.folder / "45", 0, ("45",), allow_platforms=True)
    platform = open_home(home, clock)
    know(platform, world.folder / "44", served.port)
    platform.store.dispose()
    with Peer.open(home, "44", clock) as peer:
        answers = peer.verify(ASKED)["C21"]
    names = [subject.ref for subject in ASKED.subjects]
    assert (
        said({name: (one.outcome.value, one.reason) for name, one in zip(names, answers, strict=True)})
        == expected
    )
