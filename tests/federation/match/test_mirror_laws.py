"""Any imports and rotations, with syncs at any points: equal bytes, and answers like the plain join.

A partition is fetched whole only where no delta leads from the version that the mirror has.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from matcher import identity
from node.clock import utc_now
from node.database import deltas
from node.database import partitions as index_rows
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.jobs.mirrors import mirror_of
from node.registers.importer import import_item
from tests.support.cluster import Province, findings_of, know, open_home, run_job, serve_all
from tests.support.effort import examples
from tests.support.examples import mandate_for
from tests.support.federation import Federation
from tests.support.mirrors import mirrored_bytes, served_bytes, sync, whole_fetches
from tests.support.rotations import rotate
from tests.support.single_node import number

PEOPLE = [number(i, "459999") for i in range(90)] + [number(i) for i in range(30)]
people = st.dictionaries(st.integers(0, len(PEOPLE) - 1), st.integers(1, 9), min_size=1)
few = st.dictionaries(st.integers(0, len(PEOPLE) - 1), st.integers(1, 9), min_size=1, max_size=4)
step = st.one_of(
    st.tuples(st.just("full"), people),
    st.tuples(st.just("upsert"), few),
    st.tuples(st.just("upsert"), few),
    st.tuples(st.just("delete"), few),
    st.tuples(st.just("rotate"), st.just({})),
    st.tuples(st.just("sync"), st.just({})),
    st.tuples(st.just("sync"), st.just({})),
)
SYNC: tuple[str, dict[int, int]] = ("sync", {})
EVERYBODY = {place: 1 + place % 3 for place in range(len(PEOPLE))}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    federation, folder = Federation.create(), tmp_path_factory.mktemp("laws")
    found = {code: federation.make_home(folder / code, code) for code in ("44", "45")}
    nodes = {code: open_home(home) for code, home in found.items()}
    know(nodes["44"], found["45"], 0, ("45", "44"))
    know(nodes["45"], found["44"], 0)
    for node in nodes.values():
        node.store.dispose()
    return found


@dataclass
class Run:
    """A responder that changes, a requester that follows, and what both should hold."""

    provinces: dict[str, Province]
    folder: Path
    register: dict[int, int] = field(default_factory=dict)
    mirrored: dict[int, int] = field(default_factory=dict)
    jobs: int = 0

    def act(self, operation: str, rows: dict[int, int]) -> None:
        if operation == "sync":
            self.sync()
        elif operation == "rotate":
            rotate(self.provinces["44"].home, "oprf", utc_now)
        else:
            path = self.folder / "register.csv"
            lines = [f"{PEOPLE[place]},{value},{place}" for place, value in rows.items()]
            path.write_text("\n".join(["id_no,value,record_no", *lines]) + "\n", encoding="utf-8")
            import_item(self.provinces["44"].node, "C21", [path], mode=operation)
            if operation == "full":
                self.register = {}
            for place in rows:
                self.register.pop(place, None)
            self.register |= rows if operation != "delete" else {}

    def sync(self) -> None:
        requester, responder = self.provinces["45"].node, self.provinces["44"].node
        reached = self.reached()
        with whole_fetches() as whole:
            sync(requester)
        assert not reached & set(whole)
        assert mirrored_bytes(requester) == served_bytes(responder, "45")
        self.mirrored = dict(self.register)
        self.ask()

    def reached(self) -> set[str]:
        """The partitions to which a delta leads from what the mirror has."""
        requester, responder = self.provinces["45"].node, self.provinces["44"].node
        manifests = mirror_of(requester, "44").manifests()
        epoch, found = responder.ring.refresh().epoch, set()
        with responder.store.transaction("look") as tx:
            for part in manifests[0].content.partitions if manifests else ():
                current = index_rows.current_partition(tx, part.item, part.origin, part.epoch)
                if current is None or part.epoch != epoch or current.bits != part.bits:
                    continue
                if deltas.find_chain(tx, current, part.version, part.root) is not None:
                    found.add(f"{part.item}/{part.origin}")
        return found

    def ask(self) -> None:
        """The answers about everybody are those of the register when it was mirrored."""
        self.jobs += 1
        subjects = tuple(
            Subject(str(place), "", "", (identity.parse(value),), "M") for place, value in enumerate(PEOPLE)
        )
        mandates = {"M": mandate_for(*PEOPLE)}
        asked = Verification(("C21",), ("44",), "new_application", "SA-2026-41", subjects, mandates)
        report = run_job(self.provinces["45"], f"job-{self.jobs}", asked)
        found = {int(subject): answer[:2] for (subject, _, _), answer in findings_of(report).items()}
        assert found == {
            place: ("FOUND", self.mirrored[place]) if place in self.mirrored else ("NOT_FOUND", None)
            for place in range(len(PEOPLE))
        }


@settings(max_examples=examples(3), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(people, st.lists(step, max_size=6))
@example(EVERYBODY, [("upsert", {1: 9}), SYNC, ("delete", {2: 1, 95: 1}), ("upsert", {3: 8})])
@example(EVERYBODY, [("rotate", {}), ("upsert", {1: 9}), SYNC, ("delete", {5: 1})])
def test_mirrors_follow(homes, tmp_path_factory, first, steps):
    folder = tmp_path_factory.mktemp("run")
    copies = {code: Path(shutil.copytree(home, folder / code)) for code, home in homes.items()}
    with serve_all(copies) as provinces:
        run = Run(provinces, folder)
        know(provinces["45"].node, copies["44"], provinces["44"].port)
        for operation, rows in [("full", first), ("sync", {}), *steps, ("sync", {})]:
            run.act(operation, rows)
