"""Definitions of items: what makes them equal, what is shown of a difference, and what a peer may send."""

import json
from dataclasses import fields, replace

import pytest
from blake3 import blake3
from hypothesis import assume, given
from hypothesis import strategies as st

from node.domain.catalogue import load
from node.domain.catalogue_differences import (
    MAX_DEFINITION,
    DifferenceKind,
    compare_catalogues,
    compare_definitions,
    parse_definition,
)
from node.domain.catalogue_items import Item, canonical, describe, described, digest_of
from node.domain.sum_rules import SumRule

CATALOGUE = load()
ITEMS = st.sampled_from(CATALOGUE.items)
# What an answer means, by attribute of an item, with another value; all others may differ.
MEANING = {
    "name_zh": "甲", "name_en": "a", "format_zh": "乙", "format_en": "b", "measure_zh": "丙",
    "measure_en": "c", "unit_zh": "丁", "unit_en": "d", "definition_zh": "戊", "definition_en": "e",
    "time": "other", "period_months": 7, "sensitivity": "Q", "value_kind": "other", "combine": "other",
    "freshness_days": 3_000, "table": "T-OTHER", "bands": (3, 9), "threshold": 77,
}  # fmt: skip
FREE = {
    "holder_zh": "甲",
    "holder_en": "a",
    "frequency": "other",
    "share": "other",
    "example": 99,
    "named_only": True,
}


def fields_in_another_order(plain, draw):
    if isinstance(plain, dict):
        keys = draw(st.permutations(sorted(plain)))
        return {key: fields_in_another_order(plain[key], draw) for key in keys}
    return plain


@given(ITEMS, st.data())
def test_a_digest_is_stable_under_the_order_of_keys(item, data):
    facts = fields_in_another_order(describe(item), data.draw)
    assert canonical(facts) == described(item)
    # Oracle: the digest by its own words.
    written = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert item.definition == blake3(b"heqiao v1 catalogue definition\0" + written).digest()


@given(ITEMS, st.sampled_from(sorted(MEANING)))
def test_whatever_an_answer_means_changes_the_digest(item, name):
    assume(name != "bands" or item.threshold is None)  # an item has one or the other
    assert replace(item, **{name: MEANING[name]}).definition != item.definition


@given(ITEMS, st.sampled_from(sorted(FREE)))
def test_who_holds_it_and_how_it_is_shared_does_not(item, name):
    assert replace(item, **{name: FREE[name]}).definition == item.definition


def test_every_attribute_is_in_one_of_the_two_lists():
    assert {*MEANING, *FREE, "code", "level", "codes", "sum"} == {one.name for one in fields(Item)}


def test_every_number_of_a_rule_of_sums_counts():
    wages = CATALOGUE.item("B11")
    for one in fields(SumRule):
        other = {"mode": "dp", "table": "B-X", "bands": (4,)}.get(one.name, 987)
        changed = replace(wages, sum=replace(wages.sum, **{one.name: other}))
        assert changed.definition != wages.definition, one.name


@given(ITEMS)
def test_a_definition_is_read_back_and_holds_no_text(item):
    sent = described(item)
    assert parse_definition(sent, item.code, item.definition) == describe(item)
    assert sent.isascii()
    assert len(sent) < MAX_DEFINITION
    for name in ("name", "definition", "measure"):
        assert item.text(name, "en").encode() not in sent


def lie(item, **changes):
    """A definition with other facts, and the digest that fits them."""
    sent = canonical({**describe(item), **changes})
    return sent, digest_of(sent)


STATUS = CATALOGUE.item("Z63")
LIES = {
    "a text for a terminal": lie(STATUS, level="\x1b[2J"),
    "a text as a digest": lie(STATUS, name_zh="请转账"),
    "a long word": lie(STATUS, combine="a" * 17),
    "a number that is a text": lie(STATUS, freshness_days="185"),
    "a number that is a float": lie(STATUS, freshness_days=1.5),
    "a number that is true": lie(STATUS, period_months=True),
    "a huge number": lie(STATUS, sum_min_cohort=10**400),
    "a negative number": lie(STATUS, sum_rounding=-1),
    "a huge list of bounds": lie(STATUS, bounds=list(range(33))),
    "a huge list of codes": lie(STATUS, codes=["1"] * 256),
    "a code that is a text": lie(STATUS, codes=["1", "二"]),
    "a list in a list": lie(STATUS, codes=[["1"]]),
    "an unknown key": lie(STATUS, colour="red"),
    "of another item": lie(STATUS, code="C21"),
    "not JSON": (b"{", digest_of(b"{")),
    "no object": (b"[]", digest_of(b"[]")),
    "nested deeply": (b"[" * 9_000, digest_of(b"[" * 9_000)),
    "larger than any": (b" " * (MAX_DEFINITION + 1), digest_of(b" " * (MAX_DEFINITION + 1))),
    "with blanks": (described(STATUS) + b" ", digest_of(described(STATUS) + b" ")),
    "of another digest": (described(STATUS), bytes(32)),
    "empty": (b"", digest_of(b"")),
}


@pytest.mark.parametrize("case", LIES)
def test_what_is_no_definition_is_refused(case):
    sent, digest = LIES[case]
    with pytest.raises(ValueError, match=r"."):
        parse_definition(sent, "Z63", digest)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(sent):
    with pytest.raises(ValueError, match=r"."):
        parse_definition(sent, "Z63", digest_of(sent))


def test_a_key_twice_is_refused():
    sent = described(STATUS).replace(b'"level":', b'"level":"code","level":', 1)
    with pytest.raises(ValueError, match="not a definition"):
        parse_definition(sent, "Z63", digest_of(sent))


def test_side_by_side():
    """Of a peer codes and numbers only; of two files the texts of both."""
    item = CATALOGUE.item("C23")
    other = replace(
        item, threshold=8_000_000, definition_zh="另一种口径", sensitivity="SP", freshness_days=30
    )
    theirs = {**CATALOGUE.definitions, "C23": other.definition, "X44A01": bytes(32)}
    del theirs["D34"]
    found = compare_definitions(CATALOGUE, theirs, {"C23": described(other)})
    assert [(one.item, one.kind) for one in found] == [
        ("C23", DifferenceKind.CONFLICT),
        ("D34", DifferenceKind.ONLY_HERE),
        ("X44A01", DifferenceKind.ONLY_THERE),
    ]
    shown = {one.attribute: (one.here, one.there) for one in found[0].attributes}
    assert set(shown) == {"sensitivity", "freshness_days", "bounds", "definition_zh"}
    assert shown["bounds"] == ("5,000,000", "8,000,000")
    assert shown["sensitivity"] == ("SF", "SP")
    assert shown["definition_zh"][0] == item.definition_zh
    assert shown["definition_zh"][1] == "#" + describe(other)["definition_zh"][:8]
    items = tuple(other if one.code == "C23" else one for one in CATALOGUE.items)
    (both,) = compare_catalogues(CATALOGUE, replace(CATALOGUE, items=items))
    texts = {one.attribute: one.there for one in both.attributes}
    assert texts["definition_zh"] == "另一种口径"


def test_the_same_catalogue_has_no_difference():
    assert compare_catalogues(CATALOGUE, load()) == ()
    assert compare_definitions(CATALOGUE, CATALOGUE.definitions, {}) == ()
