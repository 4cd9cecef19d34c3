"""County codes: the table, what a code was, and codes beside years of birth (domain.md sections 5, 6)."""

import hashlib
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.identity import PROVINCES
from node.domain import counties
from node.domain.counties import County, Place
from node.errors import InputError
from node.registers.address_codes import count_places
from tests.vectors import county_codes as generator

DIGEST = "1ad0e6f291aeb89c12d6cc81bebafc84c77606608a1675f0bafbdc7aa3ca53a7"


def names(code, year):
    return [one.name for one in counties.on(code, date(year, 7, 1))]


def in_force(year):
    """Codes at the end of a year."""
    rows = [
        row.split(",") for row in counties.TABLE.read_text(encoding="utf-8").split("\n") if row[:1].isdigit()
    ]
    return {
        code
        for code, _, first, last in rows
        if (not first or int(first) <= year) and (not last or int(last) > year)
    }


def test_the_table_is_the_one_that_the_generator_wrote():
    assert hashlib.sha256(counties.TABLE.read_bytes()).hexdigest() == DIGEST
    text = counties.TABLE.read_text(encoding="utf-8")
    assert text.startswith(generator.HEAD)
    assert "CC BY 4.0" in generator.HEAD


@pytest.mark.parametrize(
    ("year", "all_codes", "county_codes", "tolerance"),
    [
        (
            2019,
            3219,
            2851,
            3,
        ),  # the list of April 2019 (domain.md section 6); six codes changed later that year
        (2026, 3214, 2847, 0),  # the list of September 2026
    ],
)
def test_counts_of_lists_that_others_counted(year, all_codes, county_codes, tolerance):
    codes = in_force(year)
    assert abs(len(codes) - all_codes) <= tolerance
    assert abs(sum(not code.endswith("00") for code in codes) - county_codes) <= tolerance


def test_the_prefixes_are_the_34_of_the_standard():
    provinces = {code[:2] for code in counties.all_codes() if code.endswith("0000")}
    assert provinces == PROVINCES
    assert [counties.province(code) for code in ("450000", "830000", "990000")] == ["广西壮族自治区", "", ""]


@pytest.mark.parametrize(
    ("code", "year", "found"),
    [
        ("510212", 1996, ["沙坪坝区"]),  # of Chongqing, in Sichuan until 1997
        ("510212", 1997, ["沙坪坝区"]),
        ("510212", 1998, []),
        ("500106", 1998, ["沙坪坝区"]),
        ("442101", 1985, ["海口市"]),  # in Guangdong until Hainan became a province
        ("442101", 1988, []),
        ("441900", 2026, ["东莞市"]),  # cities without counties
        ("442000", 2026, ["中山市"]),
        ("620200", 2026, ["嘉峪关市"]),
        ("460400", 2014, []),
        ("460400", 2015, ["儋州市"]),
        ("469003", 2014, ["儋州市"]),
        ("469003", 2016, []),
        ("429004", 2026, ["仙桃市"]),  # counties that a province leads itself
        ("469001", 2026, ["五指山市"]),
        ("659001", 2026, ["石河子市"]),  # 兵团
        ("440301", 1995, ["深圳市市辖区"]),  # the districts of a city together, in numbers only
        ("440106", 1988, ["芳村区", "天河区"]),  # both in the year of the change
        ("449999", 2000, []),
        ("990000", 2000, []),
    ],
)
def test_what_a_code_was(code, year, found):
    assert names(code, year) == found


@pytest.mark.parametrize(
    ("code", "born", "place"),
    [
        ("110101", 1950, Place.LISTED),
        ("510212", 1950, Place.LISTED),
        ("510212", 1997, Place.LISTED),
        ("510212", 1998, Place.NOT_THEN),
        ("500106", 1960, Place.LISTED),  # a code of 1997: the number was given before numbers were for life
        ("460400", 1950, Place.NOT_THEN),  # a code of 2015
        ("460400", 2014, Place.NOT_THEN),
        ("460400", 2015, Place.LISTED),
        ("460400", 2060, Place.LISTED),
        ("440301", 1988, Place.LISTED),
        ("449999", 1990, Place.UNKNOWN),
        ("830000", 1990, Place.UNKNOWN),
    ],
)
def test_a_code_beside_a_year_of_birth(code, born, place):
    assert counties.judge(code, born) is place
    one = np.ones(1, dtype=np.int64)
    many = count_places(one * int(code), one * born, one * 3)
    assert many == {**dict.fromkeys(Place, 0), place: 3}


CODES = st.sampled_from(["110101", "510212", "460400", "449999", "440301", "512201", "000000"])


@given(st.lists(st.tuples(CODES, st.integers(1850, 2200), st.integers(1, 5)), max_size=20))
def test_many_are_judged_as_one_is(rows):
    expected = dict.fromkeys(Place, 0)
    for code, born, weight in rows:
        expected[counties.judge(code, born)] += weight
    columns = np.array([(int(code), born, weight) for code, born, weight in rows], dtype=np.int64).reshape(
        -1, 3
    )
    assert count_places(*columns.T) == expected


def test_periods_of_a_code_follow_one_another():
    for code in counties.all_codes():
        periods = counties.history(code)
        assert periods, code
        for before, after in pairwise(periods):
            assert before.last is not None, code
            assert after.first is not None, code
            assert before.last <= after.first, code
        assert all((one.first or 0) <= (one.last or 9999) and one.name for one in periods), code


@pytest.mark.parametrize("text", ["", "4", "450", "45010", "4501011", "45010x", "４５", "abcdef"])
def test_what_is_no_code(text):
    with pytest.raises(InputError, match="six digits"):
        counties.check_code(text)


def test_short_codes():
    assert [counties.check_code(text) for text in ("45", "4501", " 450102 ")] == [
        "450000",
        "450100",
        "450102",
    ]


def test_mandates_are_numbered_by_a_county_of_their_day():
    good = "4501022026070101000019"
    assert counties.count_stray_mandates([good, "45-7", "", "4499992026070101000019"]) == 0
    strays = ["5102122026070101000019", "4501022026023001000019", "9901022026070101000019"]
    assert counties.count_stray_mandates([good, *strays]) == len(strays)


# ---- the generator


def event(year, kind, old, new, *, curated=False):
    old_code, old_name = old or (None, None)
    new_code, new_name = new or (None, None)
    return {
        "year": year, "type": kind, "curated": curated,
        "old": {"code": old_code and old_code + "000000", "name": old_name},
        "new": {"code": new_code and new_code + "000000", "name": new_name},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("events", "present", "periods"),
    [
        ([], {"459901": "甲县"}, [("459901", "甲县", None, None)]),
        (
            [event(1990, "撤县设市", ("459921", "甲县"), ("459981", "甲市"))],
            {"459981": "甲市"},
            [("459921", "甲县", None, 1990), ("459981", "甲市", 1990, None)],
        ),
        (  # another county under the same code
            [event(1990, "码位改派", ("459921", "甲县"), ("459921", "乙县"))],
            {"459921": "乙县"},
            [("459921", "甲县", None, 1990), ("459921", "乙县", 1990, None)],
        ),
        (  # taken in by a county that was there before
            [event(1995, "撤销", ("459921", "甲县"), ("459922", "乙县"))],
            {"459922": "乙县"},
            [("459921", "甲县", None, 1995), ("459922", "乙县", None, None)],
        ),
        (  # dissolved, and made again
            [event(1985, "撤销", ("459921", "甲县"), None), event(1992, "新设", None, ("459921", "甲县"))],
            {"459921": "甲县"},
            [("459921", "甲县", None, 1985), ("459921", "甲县", 1992, None)],
        ),
        (  # an entry by hand repeats a change of the lists
            [
                event(2015, "新设", None, ("459902", "丙区")),
                event(2016, "撤县设区", ("459921", "甲县"), ("459902", "丙区"), curated=True),
            ],
            {"459902": "丙区"},
            [("459902", "丙区", 2015, None), ("459921", "甲县", None, 2016)],
        ),
        (  # gone after the last list, without an event
            [event(1995, "新设", None, ("459921", "甲县"))],
            {},
            [("459921", "甲县", 1995, 2021)],
        ),
    ],
)  # fmt: skip
def test_changes_are_replayed(events, present, periods):
    assert [tuple(one) for one in generator.replay(events, present)] == periods


def test_changes_that_contradict_one_another_end_the_generator():
    twice = [event(year, "新设", None, ("459921", "甲县")) for year in (1990, 1991)]
    with pytest.raises(SystemExit, match="459921 comes in 1991"):
        generator.replay(twice, {})
    gone = [event(year, "撤销", ("459921", "甲县"), None) for year in (1990, 1991)]
    with pytest.raises(SystemExit, match="459921 goes in 1991"):
        generator.replay(gone, {})


def test_another_version_of_the_data_is_refused(tmp_path):
    for name in generator.SHA256:
        (tmp_path / name).write_text("{}")
    with pytest.raises(SystemExit, match="another version"):
        generator.main(tmp_path)


def test_periods_count_by_year():
    one = County("459921", "甲县", 1990, 1995)
    spans = {(1980, 1989): False, (1980, 1990): True, (1995, 1999): True, (1996, 1999): False}
    assert {span: one.counts_in(*span) for span in spans} == spans
