"""A responder 44 whose registers change, a requester 45 that watches people, and a plain diff of registers.

The diff is written anew here, from the words of docs/watch.md: it knows nothing of looks, answers or tokens.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from matcher import identity
from node.clock import Clock, utc_now
from node.database import jobs as job_rows
from node.domain.days import china_day
from node.domain.jobs import JobRow, PartRow
from node.domain.mandate import Mandate
from node.domain.subjects import Subject
from node.domain.thresholds import parse_thresholds
from node.domain.verification import Verification
from node.governance.thresholds import set_thresholds
from node.jobs import watches
from node.jobs.lookup import require_job
from node.jobs.watch_alerts import list_alerts
from node.registers.importer import import_item
from node.services.peer import PeerServicer
from tests.support.cluster import Province, know, open_home, serve_all, wait_for
from tests.support.examples import mandate_for
from tests.support.federation import NO_POLLING, Federation, set_config
from tests.support.mirrors import sync
from tests.support.single_node import number

PEOPLE = [number(place, "459999") for place in range(24)]
ITEMS = ("C21", "Z59b", "C23")
COLUMNS = {
    "C21": "id_no,value,record_no",
    "Z59b": "id_no,value,record_no",
    "C23": "id_no,amount_yuan,record_no",
}
FETCHES = ("GetManifest", "FetchPartition", "FetchDelta", "FetchBuckets", "Evaluate")
OVER = 60_000  # yuan: C23 is a threshold
RULES = """
version = "{version}"
set_by = "监测专家组"
valid_from = {day}
[[rule]]
item = "C21"
when = "count_rises"
by = 2
zh = "车辆增加两辆以上"
en = "two or more vehicles more"
[[rule]]
item = "C21"
when = "appears"
zh = "名下出现车辆"
en = "vehicles where there were none"
[[rule]]
item = "Z59b"
when = "disappears"
zh = "不再由财政供养"
en = "no longer on the public payroll"
[[rule]]
item = "C23"
when = "threshold_passes"
zh = "存款超限"
en = "deposits over the limit"
"""
Register = Mapping[str, Mapping[int, int]]  # by item: amount of each person


def diff(before: Register, after: Register, people: Sequence[int]) -> set[tuple[int, str, str]]:
    """(person, item, kind) of every change that the rules above name."""
    found = set()
    for person in people:
        cars = [register.get("C21", {}).get(person, 0) for register in (before, after)]
        if cars[0] == 0 < cars[1]:
            found.add((person, "C21", "appears"))
        elif cars[0] and cars[1] - cars[0] >= 2:
            found.add((person, "C21", "count_rises"))
        if person in before.get("Z59b", {}) and person not in after.get("Z59b", {}):
            found.add((person, "Z59b", "disappears"))
        if person in after.get("C23", {}) and person not in before.get("C23", {}):
            found.add((person, "C23", "threshold_passes"))
    return found


def make_homes(folder: Path) -> dict[str, Path]:
    """Two homes that know each other, with empty registers."""
    federation = Federation.create()
    found = {code: federation.make_home(folder / code, code) for code in ("44", "45")}
    for home in found.values():
        set_config(home, "jobs", **NO_POLLING)  # looks are made when the test says so
    nodes = {code: open_home(home) for code, home in found.items()}
    know(nodes["44"], found["45"], 0, ("45", "C23:45"))
    know(nodes["45"], found["44"], 0)
    for node in nodes.values():
        node.store.dispose()
    return found


@dataclass
class Watching:
    """Both nodes, served; `register` is what 44 holds now."""

    provinces: dict[str, Province]
    folder: Path
    register: dict[str, dict[int, int]] = field(default_factory=lambda: {item: {} for item in ITEMS})
    looks: int = 0
    calls: list[str] = field(default_factory=list)  # what the nodes were asked, in order

    @property
    def requester(self) -> Province:
        return self.provinces["45"]

    @property
    def responder(self) -> Province:
        return self.provinces["44"]

    def hold(self, register: Register) -> None:
        """44 imports these registers whole."""
        for item in ITEMS:
            rows = register.get(item, {})
            if self.register[item] == rows and self.looks:
                continue
            path = self.folder / f"{item}.csv"
            lines = [f"{PEOPLE[person]},{amount},{person}" for person, amount in rows.items()]
            # Somebody else's, so that no register is ever empty.
            lines.append(f"{number(99, '449999')},{OVER if item == 'C23' else 1},x")
            path.write_text("\n".join([COLUMNS[item], *lines]) + "\n", encoding="utf-8")
            import_item(self.responder.node, item, [path])
            self.register[item] = dict(rows)

    def set_rules(self, version: str = "1") -> None:
        """45 sets the thresholds."""
        node = self.requester.node
        text = RULES.format(version=version, day=china_day(node.clock()))
        set_thresholds(node.config, parse_thresholds(text.encode(), node.catalogue), node.clock())

    def request(
        self, people: Sequence[int], items: Sequence[str] = ITEMS, mandates: Sequence[Mandate] = ()
    ) -> Verification:
        """People by their places; all under one mandate, or each under one of their own."""
        known = {one.number: one for one in mandates or [mandate_for(*PEOPLE)]}
        numbers = [one.number for one in mandates] or ["M"] * len(people)
        subjects = tuple(
            Subject(f"h{person}/1", f"h{person}", "", (identity.parse(PEOPLE[person]),), mandate)
            for person, mandate in zip(people, numbers, strict=True)
        )
        return Verification(tuple(items), ("44",), "monitoring", "SA-2026-46", subjects, known)

    def add(self, watch: str, people: Sequence[int], **more: object) -> None:
        """Add a list; it is not looked at yet."""
        watches.add(self.requester.node, watch, self.request(people, **more))  # type: ignore[arg-type]

    def look(self, watch: str) -> tuple[str, str]:
        """Look now; state and reason of the part."""
        job = self.submit(watch)
        return self.run(job)

    def submit(self, watch: str) -> str:
        self.looks += 1
        return watches.run(self.requester.node, watch, job=f"look-{watch}-{self.looks}")

    def run(self, job: str) -> tuple[str, str]:
        assert self.requester.server is not None
        self.requester.server.start_job(job)
        wait_for(lambda: self.job(job).state not in ("queued", "running"), 60, "the look does not end")
        part = self.part(job)
        return part.state, part.reason

    def job(self, job: str) -> JobRow:
        return require_job(self.requester.node, job)

    def part(self, job: str) -> PartRow:
        with self.requester.node.store.transaction("read parts") as tx:
            (part,) = job_rows.list_parts(tx, job)
        return part

    def sync(self) -> None:
        sync(self.requester.node)

    def alerts(self, watch: str) -> list[tuple[int, str, str]]:
        """(person, item, kind) of every alert of a list, in order."""
        found = list_alerts(self.requester.node, watch=watch)
        return [(int(one.ref[1:].split("/")[0]), one.item, one.when.value) for one in found]


@contextmanager
def watching(homes: Mapping[str, Path], folder: Path, clock: Clock = utc_now) -> Iterator[Watching]:
    """Both nodes served from copies of homes."""
    copies = {code: Path(shutil.copytree(home, folder / code)) for code, home in homes.items()}
    with pytest.MonkeyPatch.context() as patch:
        calls = note_calls(patch)
        with serve_all(copies, clock) as provinces:
            know(provinces["45"].node, copies["44"], provinces["44"].port)
            yield Watching(provinces, folder, calls=calls)


def note_calls(patch: pytest.MonkeyPatch) -> list[str]:
    """Names of the calls that any node of this process serves from now on, in order."""
    seen: list[str] = []
    for name in FETCHES:
        honest = getattr(PeerServicer, name)

        def noted(self, request, call, name=name, honest=honest):  # type: ignore[no-untyped-def]
            seen.append(name)
            return honest(self, request, call)

        patch.setattr(PeerServicer, name, noted)
    return seen
