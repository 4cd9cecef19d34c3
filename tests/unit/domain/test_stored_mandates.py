"""Mandates on record: what is refused, by field and reason; what is signed and sealed."""

import hashlib
from dataclasses import fields, replace
from datetime import date

import pytest
from blake3 import blake3

from node.domain.mandate import Mandate
from node.domain.scanned_forms import fits, form_type
from node.domain.stored_mandates import (
    StoredMandate,
    end_fault,
    fault,
    pack_mandate,
    signed_part,
    unpack_mandate,
)
from tests.support.mandate_lists import HEAD, mandate

JIANGSU = {"template_id": "jiangsu", "matter": "01", "regions": frozenset({"44"})}
FAULTS = {
    "a wrong check character": (mandate(no="4599992026010101000018"), "mandate_no", "bad_check_digit"),
    "an identity number as number": (mandate(no=HEAD), "mandate_no", "ref_is_identity"),
    "an identity as household": (mandate(household_no=HEAD), "household_no", "ref_is_identity"),
    "an identity as signer": (mandate(signers=("韦一", HEAD)), "signers", "holds_identity"),
    "an identity as guardian": (mandate(guardians=(HEAD,)), "guardians", "holds_identity"),
    "an identity in the office": (mandate(office=f"局{HEAD}"), "office", "holds_identity"),
    "a signer of 201 characters": (mandate(signers=("韦" * 201,)), "signers", "bad_text"),
    "a right-to-left mark": (mandate(agents=("韦\u202e二",)), "agents", "bad_text"),
    "an unknown matter": (mandate(no="M", matter="55"), "matter", "unknown_matter"),
    "another matter than its number": (mandate(matter="02"), "matter", "matter_differs"),
    "jiangsu without a matter": (mandate(**{**JIANGSU, "matter": ""}), "matter", "matter_not_named"),
    "jiangsu for all provinces": (
        mandate(**{**JIANGSU, "regions": frozenset("*")}),
        "scope_regions",
        "regions_not_named",
    ),
    "an end before its start": (
        mandate(event="", valid_to=date(2019, 1, 1)),
        "valid_to",
        "ends_before_start",
    ),
    "nobody signed": (mandate(signers=()), "mandate_no", "incomplete"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_refused(name: str) -> None:
    wrong, field, reason = FAULTS[name]
    found = fault(wrong)
    assert found is not None
    assert found[:2] == (field, reason)
    assert HEAD not in found[2]
    assert fault(mandate()) is fault(mandate(**JIANGSU)) is None


def test_what_is_sealed_comes_back() -> None:
    stored = replace(mandate(), signature=bytes(64), certificate=b"{}")
    assert unpack_mandate(pack_mandate(stored)) == stored
    assert HEAD not in repr(stored)
    assert "韦" not in repr(stored)


def test_an_office_signs_every_field() -> None:
    """Attack: a field that is altered beside a good signature."""
    stored = mandate(no="M")
    other = {
        "number": "N", "programme": "review", "items": frozenset({"C21"}), "regions": frozenset({"44"}),
        "valid_from": date(2026, 2, 2), "valid_to": date(2027, 1, 1), "revoked_at": date(2026, 6, 6),
        "event": "household_change", "office": "x", "template_id": "x", "sig_type": "fingerprint",
        "signers": ("韦二", "韦一"), "agents": ("韦一",), "matter": "02",
        "people": frozenset({HEAD}), "doc_hash": "cd" * 32,
    }  # fmt: skip
    assert set(other) == {one.name for one in fields(Mandate)}
    parts = {
        signed_part(replace(stored, mandate=replace(stored.mandate, **{name: value})))
        for name, value in other.items()
    }
    for name, value in {"household_no": "H2", "application_no": "B", "guardians": ("韦二",)}.items():
        parts.add(signed_part(replace(stored, **{name: value})))
    assert len(parts | {signed_part(stored)}) == len(other) + 4
    # The signature is over the rest.
    assert signed_part(replace(stored, signature=bytes(64), certificate=b"x")) == signed_part(stored)
    assert {one.name for one in fields(StoredMandate)} == {
        "mandate", "household_no", "application_no", "guardians", "signature", "certificate",
    }  # fmt: skip


def test_what_ends_which_wording() -> None:
    assert end_fault(mandate(**JIANGSU), "check_failed") == ""
    assert "does not lapse" in end_fault(mandate(), "check_failed")
    assert end_fault(mandate(), "withdrawn") == ""
    assert "the reason is one of" in end_fault(mandate(), "because")


def test_scanned_forms() -> None:
    starts = {
        b"%PDF-1.4": "pdf",
        b"\x89PNG\r\n\x1a\n..": "png",
        b"\xff\xd8\xff\xe0": "jpeg",
        b"GIF89a": None,
        b"": None,
    }
    assert {start: form_type(start) for start in starts} == starts
    form = b"%PDF-1.7 form"
    assert fits(hashlib.sha256(form).hexdigest(), form)
    assert fits("sha-512:" + hashlib.sha512(form).hexdigest(), form)
    assert fits("blake3:" + blake3(form).hexdigest(), form)
    assert not fits(hashlib.sha256(form).hexdigest(), form + b".")
    assert not fits("md5:" + hashlib.md5(form).hexdigest(), form)
