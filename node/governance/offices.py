"""Offices of the province: the CA's authority for them, their certificates (docs/mandates.md)."""

from datetime import UTC, datetime

from keys import KeyStore
from keys.errors import KeyMissingError
from keys.pki.offices import (
    PURPOSE,
    AuthorityRequest,
    OfficeAuthority,
    OfficeCard,
    OfficeCertificate,
    check_authority,
    issue_office,
    public_half,
    request_authority,
)
from keys.store.kinds import generate_secret
from node.config import Config, open_key_store
from node.database import audit_log, database_url, open_store
from node.database import offices as rows
from node.domain.audit_chain import Detail
from node.domain.offices import OfficeRow
from node.errors import NotFoundError, PreconditionError

_SOURCE = "the authority of this province's offices"


def ask_authority(
    config: Config, certificate: bytes, tls_key: bytes, *, renew: bool = False
) -> AuthorityRequest:
    """The request to the CA for this province's office key, which is made where there is none, or to `renew`
    it.

    Certificate and key (PEM) are those in use in TLS, which sign it. Raises KeyringError.
    """
    store = open_key_store(config)
    epochs = store.epochs(PURPOSE)
    if not epochs or renew:
        store.add(f"{PURPOSE}.{max(epochs, default=0) + 1}", generate_secret(PURPOSE))
    secret = store.newest(PURPOSE)[1]
    return request_authority(secret, config.node.code, certificate, tls_key)


def accept_authority(config: Config, authority: OfficeAuthority, now: datetime) -> int:
    """Keep the CA's authority; returns the epoch of its key. Raises CertificateError, PreconditionError."""
    check_authority(authority, config.node.code, config.tls.ca.read_bytes(), now)
    store = open_key_store(config)
    epoch = next(
        (one for one in store.epochs(PURPOSE) if public_half(store.get(f"{PURPOSE}.{one}")) == authority.key),
        None,
    )
    if epoch is None:
        raise PreconditionError(
            "the authority is for another key than those of this home",
            "ask for one: `heqiao offices request`",
        )
    with open_store(database_url(config)).transaction("accept authority", write=True) as tx:
        rows.put_authority(tx, epoch, authority.to_json().decode(), now)
        details: dict[str, Detail] = {"epoch": epoch, "not_after": authority.not_after}
        audit_log.append(tx, "office_authority_accepted", details, now)
    return epoch


def issue(config: Config, card: OfficeCard, now: datetime, days: int) -> OfficeCertificate:
    """A certificate for an office. Raises EnrolmentError, PreconditionError without an authority."""
    store = open_key_store(config)
    database = open_store(database_url(config))
    with database.transaction("read authority") as tx:
        found = rows.newest_authority(tx)
    if found is None:
        raise PreconditionError(
            "this province's offices have no authority of the CA yet",
            "`heqiao offices request`, then `heqiao ca offices`, then `heqiao offices accept`",
        )
    authority = OfficeAuthority.from_json(found[1].encode(), _SOURCE)
    check_authority(authority, config.node.code, config.tls.ca.read_bytes(), now)
    certificate = issue_office(_secret(store, found[0]), authority, card, now, days)
    row = OfficeRow(
        number=certificate.number,
        code=certificate.code,
        name=certificate.name,
        key=certificate.key,
        document=certificate.to_json().decode(),
        issued_at=now,
        not_after=datetime.fromtimestamp(certificate.not_after, UTC),
    )
    with database.transaction("issue office", write=True) as tx:
        rows.add_office(tx, row)
        details: dict[str, Detail] = {
            "number": row.number,
            "office": row.code,
            "not_after": certificate.not_after,
        }
        audit_log.append(tx, "office_issued", details, now)
    return certificate


def _secret(store: KeyStore, epoch: int) -> bytes:
    try:
        return store.get(f"{PURPOSE}.{epoch}")
    except KeyMissingError:
        raise KeyMissingError(
            f"the key {PURPOSE}.{epoch} of this province's offices is not in the key store",
            "restore its backup, or ask for a new authority: `heqiao offices request --renew`",
        ) from None


def list_offices(config: Config) -> list[OfficeRow]:
    """All certificates that were issued."""
    with open_store(database_url(config)).transaction("list offices") as tx:
        return rows.list_offices(tx)


def revoke(config: Config, number: str, now: datetime) -> OfficeRow:
    """Revoke a certificate: mandates under it permit nothing from now on. Raises NotFoundError."""
    with open_store(database_url(config)).transaction("revoke office", write=True) as tx:
        found = rows.find_office(tx, number)
        if found is None:
            raise NotFoundError("no office has a certificate of this number", "see `heqiao offices list`")
        if rows.revoke_office(tx, number, now):
            audit_log.append(tx, "office_revoked", {"number": number, "office": found.code}, now)
        again = rows.find_office(tx, number)
    return again or found
