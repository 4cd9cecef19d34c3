"""Offices that sign mandates: the chain CA, province, office, mandate, and attacks on each link."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys import KdfCost, KeyStore
from keys.errors import EnrolmentError
from keys.pki.issuing import create_ca, create_request, issue
from keys.pki.offices import (
    OfficeAuthority,
    OfficeCertificate,
    OfficeError,
    check_authority,
    check_mandate,
    check_office,
    issue_office,
    load_office_card,
    make_office_card,
    request_authority,
    sign_authority,
    sign_mandate,
)
from keys.store.key_pairs import generate_tls_key, load_tls_key
from keys.store.kinds import fingerprint, generate_secret

NOW = datetime(2026, 7, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@dataclass
class Province:
    """A province with its office key, authorised, and one office."""

    code: str
    secret: bytes
    tls_key: bytes
    certificate: bytes
    authority: OfficeAuthority
    office: KeyStore
    held: OfficeCertificate


@pytest.fixture(scope="module")
def ca():
    return create_ca("test", NOW)


@pytest.fixture(scope="module")
def provinces(ca, tmp_path_factory):
    return {code: make_province(ca, code, tmp_path_factory.mktemp(code)) for code in ("45", "44")}


def make_province(ca, code: str, folder: Path) -> Province:
    secret, tls_key = generate_secret("office"), generate_tls_key()
    certificate = issue(ca, create_request(load_tls_key(tls_key)), "node", code, NOW)
    authority = sign_authority(ca, ca.pem, request_authority(secret, code, certificate, tls_key), NOW)
    store = KeyStore.create(folder / "office", b"only for tests", cost=KdfCost(1, 1, 8))
    store.add("signing.1", generate_secret("signing"))
    held = issue_office(secret, authority, make_office_card(store, f"{code}9999", "office"), NOW)
    return Province(code, secret, tls_key, certificate, authority, store, held)


def reason(check, *arguments) -> str:
    with pytest.raises(OfficeError) as refused:
        check(*arguments)
    return refused.value.reason


def test_a_mandate_is_checked_from_the_trusted_root(ca, provinces) -> None:
    one = provinces["45"]
    held = OfficeCertificate.from_json(one.held.to_json(), "certificate")
    check_office(held, "45", ca.pem, NOW)
    check_mandate(held, b"content", sign_mandate(one.office, b"content"))
    assert fingerprint("office", one.secret)


def test_an_altered_mandate_under_a_valid_signature(provinces) -> None:
    one, other = provinces["45"], provinces["44"]
    signature = sign_mandate(one.office, b"content")
    assert reason(check_mandate, one.held, b"content.", signature) == "bad_signature"
    assert reason(check_mandate, other.held, b"content", signature) == "bad_signature"
    assert reason(check_mandate, one.held, b"content", bytes(64)) == "bad_signature"


def test_the_office_of_another_province(ca, provinces) -> None:
    assert reason(check_office, provinces["44"].held, "45", ca.pem, NOW) == "office_of_other_province"
    # Its certificate under our authority, which its province's key did not sign.
    mixed = provinces["44"].held.model_copy(update={"authority": provinces["45"].authority})
    assert reason(check_office, mixed, "45", ca.pem, NOW) == "office_unknown"
    with pytest.raises(EnrolmentError, match="not one of province 45"):
        issue_office(provinces["45"].secret, provinces["45"].authority, make_office_card(
            provinces["44"].office, "449999", "x"), NOW)  # fmt: skip


def test_what_no_trusted_ca_authorised(provinces) -> None:
    stranger = create_ca("test", NOW)
    assert reason(check_office, provinces["45"].held, "45", stranger.pem, NOW) == "office_unknown"
    later = provinces["45"].authority.model_copy(update={"not_after": 2_000_000_000})
    assert reason(check_authority, later, "45", stranger.pem, NOW) == "office_unknown"


def test_an_altered_or_expired_certificate(ca, provinces) -> None:
    held = provinces["45"].held
    renamed = held.model_copy(update={"name": "another"})
    assert reason(check_office, renamed, "45", ca.pem, NOW) == "office_unknown"
    assert reason(check_office, held, "45", ca.pem, NOW + 2 * YEAR) == "office_expired"
    assert reason(check_office, held, "45", ca.pem, NOW - YEAR) == "office_expired"
    with pytest.raises(EnrolmentError, match="outlive"):
        issue_office(provinces["45"].secret, provinces["45"].authority, make_office_card(
            provinces["45"].office, "459999", "x"), NOW, 1_200)  # fmt: skip


def test_a_request_that_another_member_makes(ca, provinces) -> None:
    """44 asks for the authority of 45, with its own certificate and with that of 45."""
    mine, victim = provinces["44"], provinces["45"]
    for certificate in (mine.certificate, victim.certificate):
        asked = request_authority(mine.secret, "45", certificate, mine.tls_key)
        with pytest.raises(EnrolmentError, match="not signed by the certificate of that province"):
            sign_authority(ca, ca.pem, asked, NOW)


def test_a_card_that_was_altered(provinces, tmp_path) -> None:
    card = make_office_card(provinces["45"].office, "459999", "office")
    path = tmp_path / "office.json"
    path.write_bytes(card.model_copy(update={"code": "459998"}).to_json())
    with pytest.raises(EnrolmentError, match="does not fit"):
        load_office_card(path)
