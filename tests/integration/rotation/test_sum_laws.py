"""Any sequence of imports and rotations of sums: phe adds up what a plain join of the registers adds up."""

import secrets
from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from keys.store.kinds import generate_secret
from matcher import identity, oprf
from matcher.suites import tokens
from matcher.sums import slots
from node.credentials.sum_keys import SumKeys
from node.database import sum_tables
from node.index.sum_blocks import read_rows
from node.rotation import driver, sums
from node.rotation.kinds import SUMS
from tests.support.cached import paillier_key
from tests.support.effort import examples
from tests.support.single_node import make_node, number, with_key_store
from tests.support.sum_fixtures import bring, held, phe_key
from tests.support.sum_rotation import LIMITS_4, POLICY

# Two areas; nobody at all in the register is asked for too.
PEOPLE = [*(number(at) for at in range(9)), *(number(at, "459999") for at in range(5))]
MOST = slots.Layout.of((), 3072).max_value
amounts = st.one_of(st.integers(0, 20_000_000), st.sampled_from([0, 1, MOST]))
# Rows of one file: an amount, and one or two numbers that no other row of the file has.
registers = st.lists(
    st.tuples(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True), amounts),
    min_size=1,
    max_size=8,
).map(lambda rows: [row for at, row in enumerate(rows) if not numbers_of(rows[:at]) & set(row[0])])
operations = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["full", "upsert", "upsert", "delete"]), registers),
        st.tuples(st.sampled_from(["rotate", "rotate", "retire"]), st.none()),
        st.tuples(st.just("break off"), st.integers(1, 4)),
    ),
    max_size=6,
)


def numbers_of(rows):
    return {person for people, _ in rows for person in people}


@dataclass
class Register:
    """Plainly: records, each of one person with one or two numbers."""

    records: list[tuple[list[str], int]] = field(default_factory=list)

    def change(self, mode, rows):
        named = numbers_of(rows)
        kept = [] if mode == "full" else [record for record in self.records if not named & set(record[0])]
        self.records = kept + ([] if mode == "delete" else list(rows))

    def total(self, cohort):
        found = [fen for people, fen in self.records if cohort & set(people)]
        return len(found), sum(found), sum(fen * fen for fen in found)


class StoppedError(Exception):
    """In place of a kill."""


def stop_at(calls):
    left = [calls]

    def progress(_stage, _done, _total):
        left[0] -= 1
        if not left[0]:
            raise StoppedError

    return progress


class Home:
    """A node, its key store, and Paillier keys to draw from: the one that is not in use."""

    def __init__(self, folder):
        self.folder = folder
        self.primes = [paillier_key(name) for name in ("44", "drawn")]
        keys = SumKeys(1, secrets.token_bytes(32), self.primes[0], secrets.token_bytes(32))
        self.node, self.store = with_key_store(make_node(folder / "44", LIMITS_4, keys))

    def draw(self, purpose, *rest):
        if purpose == "paillier":
            return self.primes[self.node.keys.sums.primes == self.primes[0]]
        return generate_secret(purpose, *rest)

    def run(self, operation, argument, register):
        if operation == "rotate":
            driver.rotate(SUMS, self.node, self.store, POLICY, workers=0)
        elif operation == "retire":
            driver.retire(SUMS, self.node, self.store, early=True)
        elif operation == "break off":
            try:
                driver.rotate(SUMS, self.node, self.store, POLICY, workers=0, progress=stop_at(argument))
            except StoppedError:
                self.node.ring.refresh()
        else:
            register.change(operation, argument)
            self.bring(operation, argument)

    def bring(self, mode, rows):
        if mode == "delete":
            bring(self.node, self.folder, [person for people, _ in rows for person in people], mode, "id_no")
        else:
            lines = [f"{people[0]},{(*people, '')[1]},{fen}" for people, fen in rows]
            bring(self.node, self.folder, lines, mode)

    def point(self, person):
        mapped = tokens.map_to_curve(self.node.keys.salt, identity.parse(person))
        return oprf.evaluate_own(self.node.keys.sums.sum_key, mapped)

    def add_up(self, cohort):
        """As a requester: the product of the ciphertexts of rows whose point is one of the cohort's."""
        keys = self.node.keys.sums
        private, points, product = phe_key(keys), {self.point(person) for person in cohort}, 1
        with self.node.store.transaction("look") as tx:
            groups = sum_tables.current_groups(tx, "B11", keys.epoch)
        for row in (row for group in groups for rows in read_rows(self.node, group) for row in rows):
            if row["point"].tobytes() in points:
                product = product * int.from_bytes(row["ciphertext"].tobytes(), "big")
        plain = private.raw_decrypt(product % private.public_key.nsquare)
        return tuple(plain >> 128 * at & (1 << 128) - 1 for at in range(3))


def require_equal(home, register):
    """Every row, what is sealed beside it, and the totals of cohorts: all people, and of each area."""
    found = held(home.node)  # phe decrypts each row to the value sealed beside it
    whose = {home.point(person): person for person in PEOPLE}
    rows = [(whose[point], total) for point, (_, total, _) in found.items()]
    assert len(rows) == len(register.records)
    for people, fen in register.records:
        assert [total for person, total in rows if person in people] == [fen]
    for cohort in (set(PEOPLE), set(PEOPLE[:9]), set(PEOPLE[9:])):
        whole = {person for people, _ in register.records if cohort & set(people) for person in people}
        assert home.add_up(cohort | whole) == register.total(cohort)


# Without shrinking: an example takes seconds, and a failing one is printed whole.
@settings(max_examples=examples(4), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(registers, operations)
def test_imports_and_rotations_in_any_order(tmp_path_factory, first, later):
    home, register = Home(tmp_path_factory.mktemp("laws")), Register()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "generate_secret", home.draw)
        for operation, argument in [("full", first), *later, ("rotate", None)]:
            home.run(operation, argument, register)
            require_equal(home, register)
    home.node.store.dispose()
