"""Quality in counts, against plain counting in Python; outliers against the rule, written out."""

from collections import Counter
from datetime import date
from math import floor, log10
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.catalogue import load
from node.registers import quality
from node.registers.check import check_source
from node.registers.quality import BINS, Finding, QualityCounter, count_outliers, judge
from node.registers.source_file import FloorSection
from node.registers.sources import Files, Reading
from tests.support.single_node import number

ITEMS = load()
TODAY = date(2026, 7, 1)


def look(tmp_path, code, lines, allow=False):
    path = tmp_path / "register.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    counter = QualityCounter(ITEMS.item(code), TODAY)
    reading = Reading(ITEMS.item(code), {}, allow)
    checks = check_source(Files([path]), reading, None, TODAY, lambda *_: None, counter.look)
    return counter.result(checks)


def test_every_count(tmp_path):
    rows = [
        "id_no,name,record_no,amount_yuan,as_of,former_id_no",
        f"{number(1)},张三,A,1.5,2026-06-30,",
        f"{number(1)},张三,A,1.5,2026-06-30,",
        f"{number(1)},张三,A,2.5,2026-05-31,",
        f"{number(2)},,B,0,2026-06-30,",
        f"{number(3)},\U001002f1,C,100,2020-01-01,{number(4)}",
        "1,x,D,1,,",
        f"{number(5)},x,E,x,,",
    ]
    found = look(tmp_path, "C23", rows)
    assert (found.rows, found.usable, found.rejected, found.valid) == (7, 5, 2, 6)
    assert found.reasons == {"bad_amount": 1, "wrong_length": 1}
    assert (found.duplicates, found.estimated) == (2, False)
    assert {name: count for name, count in found.missing.items() if count} == {
        "name": 1,
        "as_of": 2,
        "former_id_no": 6,
    }
    assert (found.oldest, found.usual, found.newest) == (
        date(2020, 1, 1),
        date(2026, 6, 30),
        date(2026, 6, 30),
    )
    assert (found.age_days, found.stale, found.amounts, found.private_names) == (1, 1, 4, 1)


def test_the_duplicates_of_a_large_source_are_estimated_from_a_share_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "SAMPLE", 512)
    rows = ["id_no,record_no", *(f"{number(at)},R{at}" for at in range(9000) for _ in range(1 + at % 2))]
    found = look(tmp_path, "C21", rows)
    assert found.estimated
    assert 0.75 * 4500 < found.duplicates < 1.25 * 4500


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_duplicates_are_what_counting_finds(tmp_path_factory, pairs):
    rows = ["id_no,record_no", *(f"{number(person)},R{record}" for person, record in pairs)]
    found = look(tmp_path_factory.mktemp("q"), "C21", rows)
    assert found.duplicates == len(pairs) - len(set(pairs))


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=60))
def test_outliers_are_those_of_the_rule(amounts):
    bins = [floor(log10(amount) * BINS) for amount in amounts]
    middle = sorted(bins)[(len(bins) - 1) // 2]
    away = sorted(abs(one - middle) for one in bins)
    spread = 1.4826 * away[(len(away) - 1) // 2] or 1.2533 * sum(away) / len(away)
    expected = sum(one > max(BINS, 5 * spread) for one in away)
    assert count_outliers(Counter(bins)) == (len(amounts), expected)


def test_a_register_with_some_rows_in_another_unit_has_outliers():
    yuan = [50_000 + 1_000 * at for at in range(95)]
    bins = Counter(floor(log10(one * 100) * BINS) for one in yuan)
    assert count_outliers(bins) == (95, 0)
    bins += Counter(floor(log10(one / 100) * BINS) for one in yuan[:5])
    assert (count_outliers(bins), median(yuan) > 0) == ((100, 5), True)
    assert count_outliers(Counter({5: 100, 500: 1})) == (101, 1)  # most are equal
    assert count_outliers(Counter()) == (0, 0)


RULES = [
    ({"least_rows": 8}, "least_rows"),
    ({"valid_share": 0.9}, "valid_share"),
    ({"rejected_share": 0.2}, "rejected_share"),
    ({"duplicate_share": 0.1}, "duplicate_share"),
    ({"private_share": 0.1}, "private_share"),
    ({"fresh_days": 100}, "fresh_days"),
    ({"missing": {"name": 0.1}}, "missing.name"),
    ({"missing": {"record_no": 0.1}}, "missing.record_no"),
]


@pytest.mark.parametrize(("rule", "said"), RULES, ids=[said for _, said in RULES])
def test_the_floor(tmp_path, rule, said):
    rows = ["id_no,name,as_of", f"{number(1)},\U001002f1,2020-01-01", f"{number(1)},\U001002f1,2020-01-01"]
    rows += [f"{number(2)},张三,2020-01-01", "1,,2026-06-30"]
    found = look(tmp_path, "C21", rows)
    loose = {"valid_share": 0.0, "rejected_share": 1.0}
    assert judge(found, FloorSection(**loose)) == []
    (finding,) = judge(found, FloorSection(**{**loose, **rule}))
    assert isinstance(finding, Finding)
    assert finding.rule == said
    assert judge(found, FloorSection(**{**loose, **rule}), changes=True) == []  # fewer than 100 changed rows
