"""Operations on a federation that changes, against plain dictionaries.

Lists that once found a fault, or that say what must hold, run first; then Hypothesis draws others and makes
one that fails as short as it can. To keep it, copy the operations it prints into OPERATIONS.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.effort import examples
from tests.support.federation import Federation
from tests.support.once import made_once
from tests.support.operations import (
    ANSWERING,
    CODES,
    COUNTED,
    ITEMS,
    MIN_COHORT,
    OVER,
    PEOPLE,
    WAGES,
    Advance,
    Cancel,
    Delete,
    DropRequest,
    DropResponse,
    Import,
    Kill,
    Operation,
    Restart,
    Rotate,
    Rows,
    Start,
    Stop,
    Sum,
    Upsert,
    Verify,
)
from tests.support.simulation import Simulation, make_homes, simulated

ALL, FEW = tuple(range(PEOPLE)), (7, 8)
HALF, THIRD = (
    tuple((at, at % 9 + 1) for at in range(0, PEOPLE, 2)),
    tuple((at, 6) for at in range(0, PEOPLE, 3)),
)
EVERYBODY = tuple((at, at % 9 + 1) for at in range(PEOPLE))
OPERATIONS: dict[str, list[Operation]] = {
    "nothing is imported": [Verify(FEW), Sum(ALL)],
    "imported, then verified": [
        Import("44", COUNTED, HALF),
        Verify(ALL),
        Import("33", OVER, THIRD),
        Verify(ALL),
    ],
    "people who left the register": [
        Import("44", COUNTED, HALF),
        Import("44", OVER, EVERYBODY),
        Verify(ALL),
        Import("44", COUNTED, THIRD),
        Delete("44", OVER, tuple(range(10, 30))),
        Verify(ALL),
        Upsert("44", OVER, THIRD),
        Verify(FEW),
    ],
    "a peer down and up again": [
        Import("44", COUNTED, HALF),
        Import("33", COUNTED, THIRD),
        Stop("33"),
        Verify(FEW),
        Start("33"),
        Verify(ALL),
        Restart("44"),
        Verify(ALL),
    ],
    "the requester restarts": [Import("44", OVER, HALF), Verify(FEW), Restart("45"), Verify(FEW)],
    "manifests grow old": [
        Import("44", COUNTED, HALF),
        Verify(FEW),
        Advance(23.9),
        Verify(FEW),
        Advance(30),
        Import("44", COUNTED, THIRD),
        Verify(ALL),
    ],
    "cancelled jobs leave no trace": [
        Import("44", COUNTED, HALF),
        Cancel(ALL),
        Verify(ALL),
        Cancel(FEW),
        Restart("45"),
        Verify(FEW),
    ],
    "sums are held back when they are near to another": [
        Import("44", WAGES, EVERYBODY),
        Import("33", WAGES, THIRD),
        Sum(ALL),
        Sum(ALL[:38]),
        Sum(ALL[:12]),
        Sum(ALL[:25]),
        Advance(24 * 31),
        Sum(ALL),
    ],
    "every kind of key rotates": [
        Import("44", COUNTED, HALF),
        Import("44", WAGES, EVERYBODY),
        Verify(FEW),
        Rotate("44", "oprf"),
        Rotate("44", "signing"),
        Verify(ALL),
        Rotate("44", "sums"),
        Sum(ALL),
        Rotate("44", "tls"),
        Rotate("45", "tls"),
        Verify(FEW),
        Rotate("44", "salt"),
        Verify(ALL),
        Rotate("45", "salt"),
        Rotate("33", "salt"),
        Verify(ALL),
    ],
    "what is lost is asked again": [
        Import("44", COUNTED, EVERYBODY),
        DropRequest("44", 0),
        Verify(ALL),
        DropResponse("44", 6),
        Verify(ALL),
        Import("33", WAGES, EVERYBODY),
        DropResponse("33", 9),
        Sum(ALL),
    ],
    "found: one of two items was answered when the requester was killed": [
        Import("44", COUNTED, HALF),
        Import("33", OVER, THIRD),
        *(step for after in range(8, 14) for step in (Kill("45", after), Verify((29, 20)))),
    ],
    "nodes are killed while they work": [
        Import("44", COUNTED, EVERYBODY),
        Import("44", WAGES, EVERYBODY),
        Kill("45", 5),
        Verify(ALL),
        Kill("44", 5),
        Verify(ALL),
        Kill("45", 8),
        Sum(ALL),
        Verify(FEW),
        Rotate("44", "salt"),
        Verify(FEW),
    ],
}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Federation]:
    folder = made_once(tmp_path_factory, "simulation", make_homes)
    return folder, Federation.load(folder)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(homes: tuple[Path, Federation], tmp_path: Path, name: str) -> None:
    with simulated(*homes, tmp_path) as simulation:
        for operation in OPERATIONS[name]:
            simulation.apply(operation)


PERSON = st.integers(0, PEOPLE - 1)
ROWS = st.dictionaries(PERSON, st.integers(1, 9), min_size=1, max_size=PEOPLE).map(
    lambda register: tuple(register.items())
)
SOME = st.lists(PERSON, min_size=1, max_size=PEOPLE, unique=True).map(tuple)
COHORT = st.lists(PERSON, min_size=MIN_COHORT, max_size=PEOPLE, unique=True).map(tuple)
PIECES = st.integers(0, 12)


def up(machine: "Federations") -> bool:
    return len(machine.simulation.model.down) < len(ANSWERING)


def imported(machine: "Federations") -> bool:
    return bool(machine.simulation.model.registers)


class Federations(RuleBasedStateMachine):
    """Draws what may happen next; the operation itself is the simulation's."""

    make: Callable[[], Simulation]

    def __init__(self) -> None:
        super().__init__()
        self.simulation = type(self).make()

    def apply(self, operation: Operation) -> None:
        self.simulation.apply(operation)

    def teardown(self) -> None:
        self.simulation.close()

    @initialize(counted=ROWS, money=ROWS, wages=ROWS)
    def begin(self, counted: Rows, money: Rows, wages: Rows) -> None:
        self.apply(Import("44", COUNTED, counted))
        self.apply(Import("33", OVER, money))
        self.apply(Import("44", WAGES, wages))

    @rule(code=st.sampled_from(ANSWERING), item=st.sampled_from(ITEMS), rows=ROWS)
    def replace(self, code: str, item: str, rows: Rows) -> None:
        self.apply(Import(code, item, rows))

    @precondition(imported)
    @rule(data=st.data(), rows=ROWS)
    def upsert(self, data: st.DataObject, rows: Rows) -> None:
        code, item = data.draw(st.sampled_from(sorted(self.simulation.model.registers)))
        self.apply(Upsert(code, item, rows))

    @precondition(imported)
    @rule(data=st.data(), people=SOME)
    def delete(self, data: st.DataObject, people: tuple[int, ...]) -> None:
        code, item = data.draw(st.sampled_from(sorted(self.simulation.model.registers)))
        self.apply(Delete(code, item, people))

    @rule(people=SOME)
    def verify(self, people: tuple[int, ...]) -> None:
        self.apply(Verify(people))

    @rule(people=COHORT)
    def sum(self, people: tuple[int, ...]) -> None:
        self.apply(Sum(people))

    @rule(people=SOME)
    def cancel(self, people: tuple[int, ...]) -> None:
        self.apply(Cancel(people))

    @rule(code=st.sampled_from(CODES), kind=st.sampled_from(("oprf", "sums", "signing", "tls")))
    def rotate(self, code: str, kind: str) -> None:
        self.apply(Rotate(code, kind))

    @precondition(lambda self: min(self.simulation.salt_of.values()) == 1)
    @rule(data=st.data())
    def rotate_salt(self, data: st.DataObject) -> None:
        behind = [code for code, version in self.simulation.salt_of.items() if version == 1]
        self.apply(Rotate(data.draw(st.sampled_from(behind)), "salt"))

    @rule(hours=st.sampled_from((0.1, 5, 25, 200)))
    def advance(self, hours: float) -> None:
        self.apply(Advance(hours))

    @rule(code=st.sampled_from(ANSWERING), after=PIECES)
    def drop_request(self, code: str, after: int) -> None:
        self.apply(DropRequest(code, after))

    @rule(code=st.sampled_from(ANSWERING), after=PIECES)
    def drop_response(self, code: str, after: int) -> None:
        self.apply(DropResponse(code, after))

    @precondition(up)
    @rule(data=st.data(), after=PIECES, question=SOME.map(Verify) | COHORT.map(Sum))
    def kill(self, data: st.DataObject, after: int, question: Operation) -> None:
        alive = [code for code in CODES if code not in self.simulation.model.down]
        self.apply(Kill(data.draw(st.sampled_from(alive)), after))
        self.apply(question)

    @precondition(up)
    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        alive = [code for code in CODES if code not in self.simulation.model.down]
        self.apply(Restart(data.draw(st.sampled_from(alive))))

    @precondition(up)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        alive = [code for code in ANSWERING if code not in self.simulation.model.down]
        self.apply(Stop(data.draw(st.sampled_from(alive))))

    @precondition(lambda self: self.simulation.model.down)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.apply(Start(data.draw(st.sampled_from(sorted(self.simulation.model.down)))))


@pytest.mark.timeout(3600)  # a failing list is made shorter, and each try takes seconds
def test_drawn_operations(homes: tuple[Path, Federation], tmp_path: Path) -> None:
    class Machine(Federations):
        @staticmethod
        def make() -> Simulation:
            return Simulation(*homes, Path(mkdtemp(dir=tmp_path)))

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples(4),
            stateful_step_count=15,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
