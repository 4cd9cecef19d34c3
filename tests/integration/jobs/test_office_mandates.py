"""Mandates that offices sign, owners of records, their retention, and a rotated storage key."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from keys import KdfCost, KeyStore
from keys.pki.issuing import create_ca, create_request, issue
from keys.pki.offices import (
    OfficeCertificate,
    issue_office,
    make_office_card,
    request_authority,
    sign_authority,
    sign_mandate,
)
from keys.store.key_pairs import generate_tls_key, load_tls_key
from keys.store.kinds import generate_secret
from keys.store.vault import Vault
from node.config.mandates import MandatesSection
from node.context import Node
from node.credentials.keyring import KeyRing
from node.database import audit_log, offices
from node.database.household_tables import households as household_table
from node.database.household_tables import mandates as mandate_table
from node.database.household_tables import record_people
from node.domain.job_access import NODE_ACCESS, platform_access
from node.domain.lookups import by_prefix, person_digests
from node.domain.offices import OfficeRow
from node.domain.stored_mandates import StoredMandate, signed_part
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import NotFoundError, RefusedError
from node.jobs import households, mandates
from node.jobs.household_verification import HouseholdQuestion, prepare
from node.jobs.mandate_reasons import recorded_reasons
from node.jobs.retention import erase_due, read_due
from node.jobs.subject_report import report_subject
from node.rotation.storage import reseal
from tests.support.mandate_lists import HEAD, SPOUSE, consent, household, mandate
from tests.support.single_node import NOW, make_node

TODAY = NOW.date()
INTAKE, OTHER = platform_access("intake", {}), platform_access("other", {})
READER = platform_access("review", {"review": ["intake"]})
FORM = b"%PDF-1.7 a form"
QUESTION = HouseholdQuestion(("H1",), "", ("C21",), ("33",), "review", "")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path / "44")
    yield made
    made.store.dispose()


class Offices:
    """A CA, the offices' key of a province, and one office there."""

    def __init__(self, folder: Path, code: str = "44", office: str = "449999") -> None:
        self.ca = create_ca("test", NOW)
        tls_key = generate_tls_key()
        certificate = issue(self.ca, create_request(load_tls_key(tls_key)), "node", code, NOW)
        self.secret = generate_secret("office")
        asked = request_authority(self.secret, code, certificate, tls_key)
        self.authority = sign_authority(self.ca, self.ca.pem, asked, NOW)
        self.store = KeyStore.create(folder, b"only for tests", cost=KdfCost(1, 1, 8))
        self.store.add("signing.1", generate_secret("signing"))
        self.held = issue_office(
            self.secret, self.authority, make_office_card(self.store, office, "office"), NOW
        )

    def sign(self, one: StoredMandate, held: OfficeCertificate | None = None) -> StoredMandate:
        own = replace(one, mandate=replace(one.mandate, office=self.held.code))
        certificate = (held or self.held).to_json()
        return replace(own, signature=sign_mandate(self.store, signed_part(own)), certificate=certificate)


@pytest.fixture
def signing(node: Node, tmp_path: Path) -> tuple[Node, Offices]:
    """The node with [mandates] signed_offices, and its offices."""
    made = Offices(tmp_path / "office")
    config = node.config.model_copy(update={"mandates": MandatesSection(signed_offices=True)})
    ring = KeyRing.fixed(replace(node.keys, ca=made.ca.pem))
    return replace(node, config=config, ring=ring), made


def add_office(node: Node, held: OfficeCertificate) -> None:
    row = OfficeRow(
        held.number, held.code, held.name, held.key, held.to_json().decode(), NOW, NOW + timedelta(397)
    )
    with node.store.transaction("office", write=True) as tx:
        offices.add_office(tx, row)


def test_an_office_has_the_name_of_its_newest_certificate(signing: tuple[Node, Offices]) -> None:
    node, own = signing
    add_office(node, own.held)
    with node.store.transaction("office", write=True) as tx:
        later = replace(
            offices.list_offices(tx)[0], number="later", name="renamed", issued_at=NOW + timedelta(1)
        )
        offices.add_office(tx, later)
        assert offices.office_names(tx) == {own.held.code: "renamed"}


def why(node: Node, owner: str = "node") -> dict[str, str]:
    access = NODE_ACCESS if owner == "node" else INTAKE
    _, missing = prepare(node, access, QUESTION)
    return {one.ref: one.reason for one in missing}


def test_only_what_an_office_signed_is_put_on_record(signing: tuple[Node, Offices], tmp_path: Path) -> None:
    """Attacks: altered under a good signature, another office's form, another province's office."""
    node, own = signing
    stranger = Offices(tmp_path / "stranger", "45", "459999")
    good = own.sign(mandate(no="M"))
    altered = replace(
        good, mandate=replace(good.mandate, people=good.mandate.people | {"449999190001010050"})
    )
    renamed = replace(mandate(no="M").mandate, office="another")
    foreign = replace(mandate(no="M"), mandate=renamed)
    not_own = replace(
        foreign, signature=sign_mandate(own.store, signed_part(foreign)), certificate=own.held.to_json()
    )
    cases = {
        "unsigned_by_office": mandate(no="M"),
        "bad_signature": altered,
        "office_differs": not_own,
        "office_of_other_province": stranger.sign(mandate(no="M")),
        "office_unknown": replace(good, certificate=b"{}"),
    }
    for reason, one in cases.items():
        done = mandates.add(node, "node", [one])
        assert [(each.place, each.reason) for each in done.faults] == [(0, reason)]
        assert done.added == 0
    assert mandates.add(node, "node", [good]).added == 1


def test_the_forms_of_a_revoked_office_permit_nothing(signing: tuple[Node, Offices]) -> None:
    node, own = signing
    households.put(node, "node", [household()])
    relative = own.sign(consent())
    mandates.add(node, "node", [own.sign(mandate(no="M")), relative])
    assert why(node) == {}
    add_office(node, own.held)
    with node.store.transaction("revoke", write=True) as tx:
        assert offices.revoke_office(tx, own.held.number, NOW)
    assert set(why(node).values()) == {"office_revoked"}
    later = mandates.add(node, "node", [own.sign(mandate(no="LATER"))])
    assert [one.reason for one in later.faults] == ["office_revoked"]


def test_a_list_without_signatures_is_refused_where_they_are_needed(signing: tuple[Node, Offices]) -> None:
    """A mandate that only a list has, and an unsigned one from before."""
    node, _ = signing
    households.put(node, "node", [household()])
    before = replace(node, config=node.config.model_copy(update={"mandates": MandatesSection()}))
    mandates.add(before, "node", [mandate(no="M")])
    assert set(why(node).values()) == {"unsigned_by_office", "relative_without_consent"}
    verification, _ = prepare(before, NODE_ACCESS, QUESTION)
    only_listed = replace(
        verification,
        subjects=[replace(one, mandate="X") for one in verification.subjects],
        mandates={"X": replace(mandate(no="X").mandate)},
    )
    assert set(recorded_reasons(node, "node", only_listed, TODAY).values()) == {"unsigned_by_office"}
    assert recorded_reasons(before, "node", only_listed, TODAY) == {}


def test_a_relative_as_one_more_number_of_a_member(node: Node) -> None:
    """Attack: the head of the household is listed with the number of a relative who has not signed."""
    households.put(node, "node", [household()])
    every = [value for one in household().people for value in one.numbers]
    stored = mandate(*every, no="M")
    mandates.add(node, "node", [stored])
    head, relative = household().people[0], household().people[3]
    both = Subject("x", "H1", head.name, (*head.identities, *relative.identities), "M")
    alone = Subject("y", "H1", head.name, head.identities, "M")
    request = Verification(("C21",), ("33",), "review", "SA-2026-41", (both, alone), {"M": stored.mandate})
    assert recorded_reasons(node, "node", request, TODAY) == {0: "relative_without_consent"}


def test_records_have_owners(node: Node) -> None:
    """A platform sees and changes its own, a reader sees them, to others they do not exist."""
    households.put(node, "platform/intake", [household()])
    mandates.add(node, "platform/intake", [mandate(no="M")])
    assert [len(households.show(node, each, 10)) for each in (INTAKE, READER, NODE_ACCESS, OTHER)] == [
        1,
        1,
        1,
        0,
    ]
    assert [len(mandates.show(node, each, 10)) for each in (INTAKE, READER, NODE_ACCESS, OTHER)] == [
        1,
        1,
        1,
        0,
    ]
    assert households.get(node, READER, "h1", full=True).household == household()
    for act in (households.remove, lambda *given: mandates.put_form(*given, b"%PDF-")):
        with pytest.raises(RefusedError):
            act(node, READER, "H1" if act is households.remove else "M")
        with pytest.raises(NotFoundError):
            act(node, OTHER, "H1" if act is households.remove else "M")
    # Another platform revokes for its own jobs only; a household of the same number is its own.
    mandates.revoke(node, ["M"], "platform/other")
    assert why(node, "platform/intake") == {"H1/9": "relative_without_consent"}
    households.put(node, "platform/other", [household(people=household().people[:1])])
    assert len(households.get(node, INTAKE, "H1", full=False).household.people) == 4
    assert len(report_subject(node, OTHER, household().people[1].identities).households) == 0
    assert len(report_subject(node, READER, household().people[1].identities).households) == 1


def test_a_second_household_of_one_number_and_a_change_of_none(node: Node) -> None:
    assert households.put(node, "node", [household()]).added == 1
    assert households.put(node, "node", [household()]).known == 1
    other = household(application_no="A-2026-2")
    assert [one.reason for one in households.put(node, "node", [household("H2"), other]).faults] == [
        "duplicate_household"
    ]
    assert [one.reason for one in households.put(node, "node", [household("H9")], replacing=True).faults] == [
        "unknown_household"
    ]
    assert len(households.show(node, NODE_ACCESS, 10)) == 1


def counts(node: Node) -> list[int]:
    with node.store.transaction("count") as tx:
        tables = (household_table, mandate_table, record_people)
        return [tx.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


def test_records_are_erased_when_their_time_is_over(node: Node) -> None:
    kept = timedelta(days=node.config.retention.records_days)
    households.put(node, "node", [household("H1"), household("H2")])
    mandates.add(node, "node", [mandate(no="M1"), mandate(no="M2", household_no="H2")])
    mandates.revoke(node, ["M1"])
    assert counts(node) == [2, 2, 14]
    later = replace(node, clock=lambda: NOW + kept + timedelta(hours=1))
    assert read_due(later).records == 1
    erased, _ = erase_due(later)
    # H1 has no mandate any more, once that one is erased.
    assert erased.records == 2
    assert counts(node) == [1, 1, 7]
    with node.store.transaction("read audit") as tx:
        last = list(audit_log.events(tx))[-1]
    assert last.event == "retention_erased"
    assert HEAD not in last.details


def test_records_open_under_the_next_storage_key(node: Node) -> None:
    """They are found by their digests as before: the lookup key does not rotate."""
    first, second = bytes(range(32)), bytes(range(1, 33))

    def under(keys: dict[int, bytes]) -> Node:
        return replace(node, ring=KeyRing.fixed(replace(node.keys, vault=Vault(keys, max(keys)))))

    before = under({1: first})
    households.put(before, "node", [household()])
    mandates.add(before, "node", [mandate(no="M", doc_hash=hashlib.sha256(FORM).hexdigest())])
    mandates.put_form(before, NODE_ACCESS, "M", FORM)
    assert reseal(under({1: first, 2: second})).moved == 3
    after = under({2: second})
    assert why(after) == {"H1/9": "relative_without_consent"}
    assert mandates.get_form(after, NODE_ACCESS, "M") == FORM
    assert SPOUSE not in repr(after)


def test_who_is_asked_about_is_kept_as_keyed_digests(node: Node) -> None:
    """A list of 3,000 people is at most 256 rows, and another key gives other digests."""
    values = [f"44999919900101{place:04}" for place in range(3_000)]
    found = by_prefix(person_digests(node.keys.lookup_key, values))
    assert len(found) <= 256
    assert sum(map(len, found.values())) == 16 * 3_000
    assert person_digests(bytes(32), values[:1]) != person_digests(node.keys.lookup_key, values[:1])
