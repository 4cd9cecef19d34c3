"""Any sequence of full imports, upserts and deletes answers as a full import of what it leads to."""

from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from matcher import buckets, identity, label
from matcher.bucket_changes import apply, merge
from node.database import deltas
from node.domain import catalogue
from node.domain.days import FIRST_DAY
from node.domain.records import SourceRow, combine, disclose
from node.errors import PreconditionError
from node.index import layout
from node.registers import importer, row_parser
from tests.support.effort import examples
from tests.support.single_node import NOW, Held, make_node, number

TODAY = NOW.date()
ITEM = catalogue.load().item("C21")
# Two origins that are provinces, one that is none, and a document without origin.
NUMBERS = [
    *(number(i) for i in range(14)),
    *(number(i, "459999") for i in range(5)),
    number(3, "179999"),
]
NUMBERS.append("ABC999985022801")
HEADER = "id_no,former_id_no,name,value,as_of,record_no"


@dataclass
class Model:
    """The rows that stand, grouped by the subject they belong to."""

    rows: list[SourceRow] = field(default_factory=list)
    day: date = TODAY

    def full(self, rows):
        self.rows = list(rows)
        days = [row.as_of or TODAY for row in rows]
        self.day = max(days, key=lambda day: (days.count(day), day))

    def upsert(self, rows):
        self.delete(rows)
        self.rows += rows

    def delete(self, rows):
        named = {found for row in rows for found in row.identities}
        # A record goes wholly, with all numbers of its person.
        while True:
            more = {f for row in self.rows if named & set(row.identities) for f in row.identities} - named
            groups = [set(record.identities) for record in combine(iter(self.rows), ITEM, TODAY)[0]]
            more |= {f for group in groups if group & named for f in group} - named
            if not more:
                break
            named |= more
        self.rows = [row for row in self.rows if not named & set(row.identities)]


line = st.tuples(
    st.sampled_from(NUMBERS),
    st.sampled_from(["", "", "", "", *NUMBERS]),
    st.sampled_from(["", "陈三", "王五"]),
    st.sampled_from(["0", "1", "2", "3"]),
    st.sampled_from(["", "2026-06-30", "2026-05-01"]),
    st.sampled_from(["a", "b"]),
)
operations = st.lists(
    st.tuples(
        st.sampled_from(["upsert", "delete", "upsert", "delete", "full"]),
        st.lists(line, min_size=1, max_size=12),
    ),
    max_size=4,
)


def write(path, lines):
    path.write_text("\n".join([HEADER, *map(",".join, lines)]) + "\n", encoding="utf-8")
    return path


def check(node, model):
    held = Held(node, "C21")
    expected = {}
    for record in combine(iter(model.rows), ITEM, TODAY)[0]:
        value = disclose(ITEM, record.total)
        if value is not None:
            expected.update(dict.fromkeys(record.identities, (record, value)))
    planted = node.config.limits.planted_per_partition * len(held.partitions)
    assert sum(len(held.people(origin)) for origin in held.partitions) == len(expected) + planted
    numbers: dict[bytes, set] = {}
    for found in map(identity.parse, NUMBERS):
        opened = held.open(found)
        if found not in expected:
            assert opened is None
            continue
        record, value = expected[found]
        answer, _ = opened
        assert (answer.value, answer.as_of) == (value, (record.as_of - FIRST_DAY).days)
        assert answer.has_name is bool(record.name)
        assert not record.name or answer.name_check == label.name_check(answer.record, record.name)
        numbers.setdefault(answer.record, set()).add(record.identities[0])
    assert all(len(subjects) == 1 for subjects in numbers.values())
    for origin, row in held.partitions.items():
        people = [expected[f][0].as_of for f in expected if identity.origin(f) == origin]
        assert row.date == (model.day - FIRST_DAY).days
        assert row.as_of == (min([*people, model.day]) - FIRST_DAY).days  # planted ones have that date
        assert held.open(identity.planted("C21", origin, "hit-0"))[0].planted
    return held


def check_delta(node, before, after):
    """Where a delta leads from the version before, it leads to the same bytes."""
    size = buckets.entry_size(ITEM.width)
    for origin, new in after.partitions.items():
        old = before.partitions.get(origin)
        if old is None or old.bits != new.bits:
            continue
        with node.store.transaction("look") as tx:
            found = deltas.find_chain(tx, new, old.version, old.root)
            if found is None:
                continue
            changes = {one[0].bucket: one for one in deltas.read_changes(tx, found, 0, 1 << new.bits)}
        for at in range(1 << new.bits):
            made = before.served[origin, at]
            if at in changes:
                made = apply(made, merge(changes[at], size), size)
            assert made == after.served[origin, at]


# Without shrinking: an example takes a second, and a failing one is printed whole.
@settings(
    max_examples=examples(6),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(line, min_size=1, max_size=30), operations, st.sampled_from([0, 3]))
def test_the_order_of_imports_does_not_matter(tmp_path_factory, first, later, bits):
    folder = tmp_path_factory.mktemp("import")
    node = make_node(folder / "44")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importer, "_ROW_BYTES", 1)
        patch.setattr(layout, "PART_ROWS", 1 << (10 - bits))
        model, start = Model(), None
        for operation, lines in [("full", first), *later]:
            path = write(folder / "register.csv", lines)
            rows = list(row_parser.read(path, ITEM, None, TODAY))
            done = importer.import_item(node, "C21", [path], mode=operation)
            assert done.tally.read == len(rows)
            getattr(model, operation)(rows)
            held = check(node, model)
            if start is not None:
                check_delta(node, start, held)
            start = held
    node.store.dispose()


def test_nothing_to_change_before_a_full_import(tmp_path):
    node = make_node(tmp_path / "44")
    path = write(tmp_path / "register.csv", [(NUMBERS[0], "", "", "1", "", "a")])
    with pytest.raises(PreconditionError):
        importer.import_item(node, "C21", [path], mode="upsert")
