import json
from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from blake3 import blake3

from matcher.identity import parse
from node.domain.mandate import REASONS, Mandate, are_named, covers, digest, fault, number_digest
from node.domain.subjects import Subject, Subjects
from tests.support.examples import MANDATE, mandate_for

TODAY = date(2026, 7, 1)
A, B, C = "449999190001010034", "449999190001010050", "449999190001010077"
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
    ("no signer", {"signers": ()}, "incomplete"),
    ("no office", {"office": ""}, "incomplete"),
    ("no document", {"doc_hash": ""}, "incomplete"),
    ("nobody", {"people": frozenset()}, "incomplete"),
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
        "doc_hash": "", "event": "programme_exit", "office": "x", "template_id": "x",
        "matter": "02", "sig_type": "fingerprint", "agents": ("李四",),
        "people": frozenset({"449999190001010050"}),
    }  # fmt: skip
    assert set(other) == {field.name for field in fields(Mandate)}
    digests = {digest(replace(MANDATE, **{name: value})) for name, value in other.items()}
    assert len(digests | {digest(MANDATE)}) == len(other) + 1
    assert {len(one) for one in digests} == {32}


@pytest.mark.parametrize("odd", ['"', "\\", "\n", "\x00", "\u2028", "邕", "\ud83d", ""])
def test_the_digest_is_over_plain_json(odd):
    signed = replace(MANDATE, number=odd, signers=(odd, "x"), office=odd)
    mandate = replace(signed, items=frozenset({odd, "C21"}), valid_to=None, people=frozenset({odd, "44"}))
    plain = {
        "agents": [],
        "doc_hash": mandate.doc_hash,
        "event": "",
        "items": sorted(mandate.items),
        "matter": "",
        "number": odd,
        "office": odd,
        "people": sorted({odd, "44"}),
        "programme": mandate.programme,
        "regions": sorted(mandate.regions),
        "revoked_at": mandate.revoked_at and mandate.revoked_at.isoformat(),
        "sig_type": "handwritten",
        "signers": [odd, "x"],
        "template_id": "national",
        "valid_from": mandate.valid_from.isoformat(),
        "valid_to": None,
    }
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert digest(mandate) == blake3(text, derive_key_context="heqiao v1 mandate").digest()


def test_the_digest_does_not_depend_on_the_order_of_scopes():
    again = replace(MANDATE, items=frozenset(["C23", "C21"]), regions=frozenset(["33", "44"]))
    assert digest(again) == digest(MANDATE)
    # A vector: other nodes and later versions must compute the same leaf.
    assert digest(MANDATE).hex() == "9088b5aa85fe06be7dc802c7e5c0cd48ade3c6f5d9ec23319b26000b83b26728"


FAULTS = {
    "no signer": ({"signers": ()}, "signer"),
    "no office": ({"office": ""}, "office"),
    "no document": ({"doc_hash": ""}, "signed form"),
    "nobody": ({"people": frozenset()}, "person"),
    "no end": ({"valid_to": None}, "last day"),
    "a day and an event": ({"event": "programme_exit"}, "a last day and an event"),
    "another event": ({"valid_to": None, "event": "tomorrow"}, "not one of programme_exit"),
    "a document that is none": ({"doc_hash": "form.pdf"}, "hexadecimal"),
    "a signature of another kind": ({"sig_type": "oral"}, "handwritten"),
    "a form by its title": ({"template_id": "a form"}, "code"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_mandate_itself(name):
    changes, words = FAULTS[name]
    assert words in str(fault(replace(MANDATE, **changes)))
    assert fault(MANDATE) is None


def test_every_number_of_a_person_must_be_named():
    one, two, other = (parse(number) for number in sorted(mandate_for(A, B, C).people))
    people = Subjects.of(
        Subject(f"h/{at}", "h", "", known, number)
        for at, (known, number) in enumerate(
            [
                ((one,), "M"),
                ((one, two), "M"),
                ((other,), "M"),
                ((one, other), "M"),
                ((other,), ""),
                ((one,), "N"),
            ]
        )
    )
    mandates = {"M": mandate_for(one.value, two.value), "N": mandate_for(number="N")}
    # Without a complete mandate the reason is another one.
    assert are_named(people, mandates) == [True, True, False, False, True, True]


def test_a_number_is_revoked_however_it_is_typed():
    assert number_digest("450301201X") == number_digest(" 450301201x ") != number_digest("4503012019")


def test_repr_shows_no_person():
    assert "张三丰" not in repr(MANDATE)
    assert MANDATE.number not in repr(MANDATE)
