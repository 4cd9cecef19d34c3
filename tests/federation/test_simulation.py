"""Lists of operations on a federation that changes, against a join of plain dictionaries.

Found faults stay here as literal lists.
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from matcher.identity import parse
from node.domain.mandate import Mandate
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.jobs import engine
from node.registers.importer import import_item
from tests.support.cluster import (
    FakeClock,
    Province,
    World,
    findings_of,
    know,
    move_peer,
    open_home,
    run_job,
    wait_report,
)
from tests.support.federation import Federation, set_config

NAMES = ("赵一", "钱二", "孙三", "李四")
# Register of an item: person -> fen (C23) or number of vehicles (C21).
Register = dict[int, int]
THRESHOLD = 5_000_000


def number_of(person: int) -> str:
    body = f"4599991990{person % 12 + 1:02d}{person // 12 % 28 + 1:02d}{person // 336:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]


@dataclass
class Model:
    """The provinces as they should be: plain registers, and real nodes beside them."""

    folder: Path
    clock: FakeClock
    provinces: dict[str, Province]
    registers: dict[tuple[str, str], Register] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    jobs: int = 0

    def do_import(self, code: str, item: str, seed: int) -> None:
        """A full export with other people than before."""
        rng = random.Random(seed)
        people = {
            person: rng.randrange(1, 4) if item == "C21" else rng.randrange(1, 2 * THRESHOLD)
            for person in rng.sample(range(60), rng.randrange(1, 50))
        }
        self.registers[code, item] = people
        path = self.folder / f"{code}-{item}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id_no", "name", "record_no", "amount_yuan", "as_of"))
            for person, value in people.items():
                for record in range(value if item == "C21" else 1):
                    writer.writerow(
                        (
                            number_of(person),
                            NAMES[person % 4],
                            f"{person}-{record}",
                            f"{value / 100:.2f}",
                            self.clock().date().isoformat(),
                        )
                    )
        import_item(self.provinces[code].node, item, [path])

    def do_advance(self, hours: float) -> None:
        self.clock.advance(hours=hours)

    def do_stop(self, code: str) -> None:
        self.provinces[code].stop()
        self.down.add(code)

    def do_start(self, code: str) -> None:
        self.provinces[code].start()
        self.down.discard(code)

    def do_restart(self, code: str) -> None:
        self.do_stop(code)
        self.do_start(code)

    def do_verify(self, people: range) -> None:
        self.jobs += 1
        report = run_job(self.provinces["45"], f"job-{self.jobs}", self.verification(people))
        assert findings_of(report) == self.expected(people)
        assert report.state == "done"

    def do_cancel(self, people: range) -> None:
        """Cancelled before it runs, and the job after it is not touched by that."""
        self.jobs += 1
        node = self.provinces["45"].node
        engine.submit(node, f"job-{self.jobs}", self.verification(people))
        engine.cancel(node, f"job-{self.jobs}")
        self.provinces["45"].server.start_job(f"job-{self.jobs}")
        report = wait_report(node, f"job-{self.jobs}")
        assert report.state == "cancelled"
        assert {finding.outcome.value for finding in report.findings} == {"UNAVAILABLE"}

    def verification(self, people: range) -> Verification:
        mandate = Mandate(
            "M", "*", frozenset("*"), frozenset("*"), date(2020, 1, 1), None, None, (), "00" * 32
        )
        subjects = tuple(
            Subject(f"h/{person}", "h", NAMES[person % 4], (parse(number_of(person)),), "M")
            for person in people
        )
        return Verification(("C21", "C23"), ("33", "44"), "review", "", subjects, {"M": mandate})

    def expected(self, people: range) -> dict[tuple[str, str, str], tuple[str, int | None, str]]:
        return {
            (f"h/{person}", item, code): self.answer(person, item, code)
            for person in people
            for item in ("C21", "C23")
            for code in ("33", "44")
        }

    def answer(self, person: int, item: str, code: str) -> tuple[str, int | None, str]:
        if code in self.down:
            return "UNAVAILABLE", None, "unavailable"
        register = self.registers.get((code, item))
        if register is None:
            return "NOT_CONNECTED", None, ""
        value = register.get(person)
        if item == "C21":
            return ("NOT_FOUND", None, "") if value is None else ("FOUND", value, "")
        return ("OVER", 1, "") if (value or 0) > THRESHOLD else ("NOT_OVER", None, "")


@pytest.fixture
def model(world: World, tmp_path: Path) -> Iterator[Model]:
    federation: Federation = world.federation
    clock = FakeClock(datetime.now(UTC))
    homes = {code: federation.make_home(tmp_path / code, code) for code in ("45", "44", "33")}
    provinces = {code: Province(home, clock) for code, home in homes.items()}
    for code in ("44", "33"):
        node = open_home(homes[code])
        know(node, homes["45"], 0, ("45",))
        node.store.dispose()
        provinces[code].start()
        set_config(homes[code], "peer", listen=f"127.0.0.1:{provinces[code].port}")
    requester = open_home(homes["45"])
    for code in ("44", "33"):
        know(requester, homes[code], provinces[code].port)
        move_peer(requester, code, provinces[code].port)
    requester.store.dispose()
    provinces["45"].start()
    model = Model(tmp_path, clock, provinces)
    yield model
    for province in provinces.values():
        province.stop()


ALL, FEW = range(60), range(7, 9)
OPERATIONS = {
    "nothing_imported": [("verify", FEW)],
    "import_then_verify": [
        ("import", "44", "C21", 1),
        ("verify", ALL),
        ("import", "33", "C23", 2),
        ("verify", ALL),
    ],
    "people_who_left_the_register": [
        ("import", "44", "C21", 1),
        ("import", "44", "C23", 3),
        ("verify", ALL),
        ("import", "44", "C21", 4),
        ("import", "44", "C23", 5),
        ("verify", ALL),
        ("verify", FEW),
    ],
    "a_peer_down_and_up_again": [
        ("import", "44", "C21", 1),
        ("import", "33", "C21", 2),
        ("stop", "33"),
        ("verify", FEW),
        ("start", "33"),
        ("verify", ALL),
        ("restart", "44"),
        ("verify", ALL),
    ],
    "requester_restarts": [("import", "44", "C23", 1), ("verify", FEW), ("restart", "45"), ("verify", FEW)],
    "manifests_grow_old": [
        ("import", "44", "C21", 1),
        ("verify", FEW),
        ("advance", 23.9),
        ("verify", FEW),
        ("advance", 30.0),
        ("import", "44", "C21", 2),
        ("verify", ALL),
    ],
    "cancelled_jobs_leave_no_trace": [
        ("import", "44", "C21", 1),
        ("cancel", ALL),
        ("verify", ALL),
        ("cancel", FEW),
        ("restart", "45"),
        ("verify", FEW),
    ],
}


def run(model: Model, operations: list[tuple]) -> None:
    for name, *arguments in operations:
        getattr(model, f"do_{name}")(*arguments)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(model: Model, name: str) -> None:
    run(model, OPERATIONS[name])


def draw(rng: random.Random) -> list[tuple]:
    down: set[str] = set()
    drawn: list[tuple] = []
    for _ in range(14):
        kind = rng.choice(("import", "import", "verify", "verify", "stop", "restart", "advance", "cancel"))
        if kind == "import":
            drawn.append((kind, rng.choice(("44", "33")), rng.choice(("C21", "C23")), rng.randrange(1000)))
        elif kind in ("verify", "cancel"):
            first = rng.randrange(50)
            drawn.append((kind, range(first, first + rng.randrange(1, 10))))
        elif kind == "advance":
            drawn.append((kind, rng.choice((0.1, 5.0, 25.0))))
        elif kind == "restart":
            drawn.append((kind, rng.choice(("45", *({"44", "33"} - down)))))
        elif down:
            drawn.append(("start", down.pop()))
        else:
            down.add(rng.choice(("44", "33")))
            drawn.append((kind, next(iter(down))))
    return [*drawn, ("verify", ALL)]


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))]
)
def test_drawn_operations(model: Model, seed: int) -> None:
    operations = draw(random.Random(seed))
    print(operations)  # to be kept above when it fails
    run(model, operations)
