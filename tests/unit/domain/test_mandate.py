import json
from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from blake3 import blake3

from node.domain.mandate import REASONS, Mandate, covers, digest
from tests.support.examples import MANDATE

TODAY = date(2026, 7, 1)
DAY = timedelta(days=1)

CASES = [
    ("covered", {}, None),
    ("every item", {"items": frozenset("*")}, None),
    ("every region", {"regions": frozenset("*")}, None),
    ("every programme", {"programme": "*"}, None),
    ("no programme stated", {"programme": ""}, None),
    ("no end", {"valid_to": None}, None),
    ("first day", {"valid_from": TODAY}, None),
    ("last day", {"valid_to": TODAY}, None),
    ("to be revoked tomorrow", {"revoked_at": TODAY + DAY}, None),
    ("starts tomorrow", {"valid_from": TODAY + DAY}, "not_yet_valid"),
    ("ended yesterday", {"valid_to": TODAY - DAY}, "expired"),
    ("revoked today", {"revoked_at": TODAY}, "revoked"),
    ("revoked before", {"revoked_at": TODAY - DAY}, "revoked"),
    ("other items", {"items": frozenset({"C22"})}, "item_not_covered"),
    ("no items", {"items": frozenset()}, "item_not_covered"),
    ("other regions", {"regions": frozenset({"33"})}, "region_not_covered"),
    ("other programme", {"programme": "review"}, "programme_differs"),
]


@pytest.mark.parametrize(("changes", "expected"), [r[1:] for r in CASES], ids=[r[0] for r in CASES])
def test_covers(changes, expected):
    assert covers(replace(MANDATE, **changes), "C21", "44", "new_application", TODAY) == expected
    assert expected is None or expected in REASONS


def test_no_mandate():
    assert covers(None, "C21", "44", "new_application", TODAY) == "no_mandate"


def test_the_digest_covers_every_field():
    other = {
        "number": "x", "programme": "*", "items": frozenset({"C21"}), "regions": frozenset({"44"}),
        "valid_from": TODAY, "valid_to": None, "revoked_at": TODAY, "signers": ("李四", "张三丰"),
        "doc_hash": "",
    }  # fmt: skip
    assert set(other) == {field.name for field in fields(Mandate)}
    digests = {digest(replace(MANDATE, **{name: value})) for name, value in other.items()}
    assert len(digests | {digest(MANDATE)}) == len(other) + 1
    assert {len(one) for one in digests} == {32}


@pytest.mark.parametrize("odd", ['"', "\\", "\n", "\x00", "\u2028", "邕", "\ud83d", ""])
def test_the_digest_is_over_plain_json(odd):
    mandate = replace(MANDATE, number=odd, signers=(odd, "x"), items=frozenset({odd, "C21"}), valid_to=None)
    plain = {
        "doc_hash": mandate.doc_hash,
        "items": sorted(mandate.items),
        "number": odd,
        "programme": mandate.programme,
        "regions": sorted(mandate.regions),
        "revoked_at": mandate.revoked_at and mandate.revoked_at.isoformat(),
        "signers": [odd, "x"],
        "valid_from": mandate.valid_from.isoformat(),
        "valid_to": None,
    }
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert digest(mandate) == blake3(text, derive_key_context="heqiao v1 mandate").digest()


def test_the_digest_does_not_depend_on_the_order_of_scopes():
    again = replace(MANDATE, items=frozenset(["C23", "C21"]), regions=frozenset(["33", "44"]))
    assert digest(again) == digest(MANDATE)
    # A vector: other nodes and later versions must compute the same leaf.
    assert digest(MANDATE).hex() == "903e80ac0a3e6e663a237d7136f64a26212440731326ae462887c8c619fe2452"


def test_repr_shows_no_person():
    assert "张三丰" not in repr(MANDATE)
    assert MANDATE.number not in repr(MANDATE)
