"""Rows as arrays, compared with the exact combination of single rows (node/domain/records.py)."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import batch, identity
from matcher.types import Identity
from node.domain import catalogue
from node.domain.records import SourceRow, combine, disclose
from node.index import people as people_module
from node.registers import row_tables
from node.registers.row_tables import dump_linked, load_linked
from tests.support.effort import examples

SALT = bytes(32)
DAY = date(2026, 6, 30)
PEOPLE = [
    identity.parse(body + identity.check_digit(body))
    for body in (f"44999919900101{i:03d}" for i in range(1, 6))
]
COMBINES = [
    ("any", "instant"),
    ("count", "instant"),
    ("sum", "instant"),
    ("sum", "period"),
    ("latest", "instant"),
]


def item_of(combine_by: str, time: str):
    base = catalogue.load().items[0]
    return replace(base, combine=combine_by, time=time)


def settle(source, monthly):
    dated = [replace(row, as_of=row.as_of or DAY) for row in source]
    return [
        replace(row, key=row_tables.make_key(row.key, row.as_of.toordinal(), monthly=monthly))
        for row in dated
    ]


source_rows = st.lists(
    st.builds(
        lambda who, name, key, amount, ago: SourceRow(
            0, (PEOPLE[who],), name, key, amount, None if ago is None else DAY - timedelta(ago)
        ),
        st.integers(0, 4),
        st.sampled_from(["", "", "甲", "乙" * 40]),
        st.sampled_from(["a", "b", bytes(16), b"\1" * 16]),
        st.integers(0, 3),
        st.sampled_from([None, 0, 1, 2]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=examples(400))
@given(source_rows, st.sampled_from(COMBINES), st.booleans(), st.integers(0, 40))
def test_records_and_counts_are_those_of_combine(source, rule, joined, cut):
    item = item_of(*rule)
    source = [replace(row, line=number) for number, row in enumerate(source)]
    expected, tally = combine(iter(source), item, DAY)
    monthly = item.time == "period"
    parts = [part for part in (source[:cut], source[cut:]) if part]
    packed = [row_tables.pack(SALT, settle(part, monthly)) for part in parts]
    if joined:
        packed = [row_tables.collapse(part) for part in packed]
    loaded = row_tables.Rows.from_bytes(part.to_bytes() for part in packed)
    people, counts = row_tables.combine_rows(loaded, item)
    names = people.names or [b""] * len(people.totals)
    found = {
        (batch.unpack_identity(int(t), v.tobytes()).value, int(total), int(day), name.decode())
        for t, v, total, day, name in zip(
            people.types, people.values, people.totals, people.days, names, strict=True
        )
    }
    assert found == {(r.identities[0].value, r.total, r.as_of.toordinal(), r.name) for r in expected}
    assert {
        key: counts[key] for key in ("accepted", "duplicates", "contradictions", "name_conflicts", "records")
    } == {
        "accepted": tally.accepted,
        "duplicates": tally.duplicates,
        "contradictions": tally.contradictions,
        "name_conflicts": tally.name_conflicts,
        "records": tally.records,
    }


@given(source_rows)
def test_rows_come_back(source):
    source = [replace(row, line=number, key=bytes(16)) for number, row in enumerate(source)]
    packed = row_tables.pack(SALT, settle(source, False))
    expected = [replace(row, as_of=row.as_of or DAY) for row in source]
    assert list(row_tables.unpack(row_tables.Rows.from_bytes([packed.to_bytes()]))) == expected
    again = sum(1 for _ in row_tables.unpack(row_tables.collapse(packed)))
    assert again == len(source)


def test_copies_of_one_row_become_one():
    row = SourceRow(0, (PEOPLE[0],), "甲", bytes(16), 1, DAY)
    packed = row_tables.collapse(row_tables.pack(SALT, [replace(row, line=i) for i in range(1000)]))
    assert (len(packed), int(packed.table["copies"][0]), int(packed.table["sequence"][0])) == (1, 1000, 999)


@pytest.mark.parametrize("item", catalogue.load().items, ids=lambda item: item.code)
def test_disclosure_is_that_of_the_catalogue(item):
    totals = sorted(
        {
            0,
            1,
            2,
            17,
            *item.bands,
            *(b + 1 for b in item.bands),
            item.threshold or 3,
            (item.threshold or 3) + 1,
        }
    )
    values, shown = people_module.disclose_all(item, np.array(totals))
    assert [int(v) if s else None for v, s in zip(values, shown, strict=True)] == [
        disclose(item, t) for t in totals
    ]


def test_nothing_is_disclosed_of_an_aggregate():
    from matcher.types import Level

    item = SimpleNamespace(level=Level.AGGREGATE, bands=(), threshold=None)
    assert not people_module.disclose_all(item, np.array([0, 5]))[1].any()


@given(
    st.lists(
        st.builds(
            SourceRow,
            st.integers(0, 2**62),
            st.lists(
                st.builds(Identity, st.sampled_from(batch.ID_TYPES), st.text(max_size=18)),
                min_size=1,
                max_size=3,
            ).map(tuple),
            st.text(st.characters(exclude_categories=()), max_size=5),
            st.binary(min_size=16, max_size=16),
            st.integers(0, 10**13),
            st.none() | st.dates(),
        ),
        max_size=4,
    )
)
def test_linked_rows_come_back_from_a_temporary_file(linked):
    assert load_linked(dump_linked(linked)) == linked
