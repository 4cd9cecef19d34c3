"""Certificates of offices (委托单位), which sign mandates (domain.md section 7).

    federation CA  signs  the authority of a province: its key of the kind `office`
    province node  signs  the certificate of an office, with that key
    office         signs  mandates, with its own key

An office is none of the federation's members: it has no TLS certificate and calls nobody. Its key is in a
folder of its own, as an administrator's is.
"""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from keys.errors import CertificateError, EnrolmentError
from keys.pki.certificates import is_signed, load_certificate, load_roots, verify_chain
from keys.pki.documents import Base64, Document, Key32
from keys.pki.enrolment import Code, Federation, Name, check_signature
from keys.pki.issuing import Authority
from keys.store.key_pairs import load_tls_key, signing_key
from keys.store.key_store import KeyStore

PURPOSE: Final = "office"  # of the province's key, in its node's key store
OFFICE_DAYS: Final = 397
AUTHORITY_DAYS: Final = 1_095
_CARD: Final = b"heqiao v1 office"
_REQUEST: Final = b"heqiao v1 authority of offices asked"
_AUTHORITY: Final = b"heqiao v1 authority of offices"
_CERTIFICATE: Final = b"heqiao v1 office certificate"
_MANDATE: Final = b"heqiao v1 mandate of an office\0"

OfficeCode = Annotated[str, Field(pattern=r"^[0-9]{6,12}$")]
Number = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Seconds = Annotated[int, Field(ge=0, lt=1 << 40)]


class OfficeCard(Document):
    """The public half of an office's key, signed by it."""

    version: Literal[1] = 1
    code: OfficeCode
    name: Name
    key: Key32
    signature: Base64 = b""


class AuthorityRequest(Document):
    """A province's request to the CA for its office key; signed by the TLS key of its certificate."""

    version: Literal[1] = 1
    code: Code
    key: Key32
    certificate: Annotated[str, Field(max_length=16_384)]
    signature: Base64 = b""


class OfficeAuthority(Document):
    """The CA's word that a key issues the certificates of a province's offices."""

    version: Literal[1] = 1
    federation: Federation
    code: Code
    key: Key32
    not_before: Seconds
    not_after: Seconds
    signature: Base64 = b""


class OfficeCertificate(Document):
    """An office of a province: `code` is its administrative code; its first two digits are the province's."""

    version: Literal[1] = 1
    number: Number
    code: OfficeCode
    name: Name
    key: Key32
    not_before: Seconds
    not_after: Seconds
    authority: OfficeAuthority
    signature: Base64 = b""


class OfficeError(CertificateError):
    """An office's certificate or signature is not good; `reason` is a stable word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(
            message, "ask the province's node for the office's certificate: `heqiao offices list`"
        )
        self.reason = reason


def make_office_card(store: KeyStore, code: str, name: str) -> OfficeCard:
    """The card of the office whose key store this is. Raises ValueError for a bad code or name."""
    signer = signing_key(store)
    card = OfficeCard(code=code, name=name, key=signer.public_key().public_bytes_raw())
    return card.model_copy(update={"signature": signer.sign(card.signed_part(_CARD))})


def load_office_card(path: Path) -> OfficeCard:
    """Read a card and check its signature. Raises EnrolmentError."""
    card = OfficeCard.load(path)
    check_signature(card, _CARD, card.key, card.signature, str(path))
    return card


def request_authority(secret: bytes, code: str, certificate: bytes, tls_key: bytes) -> AuthorityRequest:
    """Ask the CA to let the key `secret` (32 bytes) issue offices of a province.

    `certificate` and `tls_key` are PEM: the node's own, in use.
    """
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    asked = AuthorityRequest(code=code, key=public, certificate=certificate.decode())
    proof = load_tls_key(tls_key).sign(asked.signed_part(_REQUEST), ec.ECDSA(hashes.SHA256()))
    return asked.model_copy(update={"signature": proof})


def sign_authority(
    ca: Authority, roots: bytes, request: AuthorityRequest, now: datetime, days: int = AUTHORITY_DAYS
) -> OfficeAuthority:
    """The CA's answer to a province. `roots` is the file of all trusted roots (PEM).

    Raises EnrolmentError where the request is not signed by the key of a valid certificate of that node;
    CertificateError where the certificate is not the federation's.
    """
    certificate = request.certificate.encode()
    holder = verify_chain(certificate, roots, now)
    known: Any = load_certificate(certificate).public_key()
    try:
        known.verify(request.signature, request.signed_part(_REQUEST), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        holder = None  # type: ignore[assignment]
    if holder is None or (holder.role, holder.code) != ("node", request.code):
        raise EnrolmentError(
            "the request is not signed by the certificate of that province's node",
            "make it again with `heqiao offices request`",
        )
    answer = OfficeAuthority(
        federation=ca.federation,
        code=request.code,
        key=request.key,
        not_before=_seconds(now),
        not_after=_seconds(now + timedelta(days=days)),
    )
    signature = ca.key.sign(answer.signed_part(_AUTHORITY), ec.ECDSA(hashes.SHA256()))
    return answer.model_copy(update={"signature": signature})


def check_authority(authority: OfficeAuthority, code: str, roots: bytes, now: datetime) -> None:
    """Raises OfficeError unless a trusted root lets this key issue offices of the province `code` now."""
    if authority.code != code:
        raise OfficeError("office_of_other_province", "the certificate is of another province's offices")
    signed = authority.signed_part(_AUTHORITY)
    if not any(is_signed(root, signed, authority.signature) for root in load_roots(roots)):
        raise OfficeError("office_unknown", "no trusted CA signed this authority")
    if not authority.not_before - 600 <= _seconds(now) <= authority.not_after:
        raise OfficeError("office_expired", "the authority of the province's offices is not valid now")


def issue_office(
    secret: bytes, authority: OfficeAuthority, card: OfficeCard, now: datetime, days: int = OFFICE_DAYS
) -> OfficeCertificate:
    """The certificate of an office, signed by the province's key `secret`.

    Raises EnrolmentError for an office of another province, or a certificate that outlives the authority.
    """
    if not card.code.startswith(authority.code):
        raise EnrolmentError(
            f"the office is not one of province {authority.code}", "its code begins with the province's"
        )
    end = _seconds(now + timedelta(days=days))
    if end > authority.not_after:
        raise EnrolmentError(
            "the certificate would outlive the authority", "ask the CA for a new one, or fewer days"
        )
    made = OfficeCertificate(
        number=secrets.token_hex(8),
        code=card.code,
        name=card.name,
        key=card.key,
        not_before=_seconds(now),
        not_after=end,
        authority=authority,
    )
    signer = Ed25519PrivateKey.from_private_bytes(secret)
    return made.model_copy(update={"signature": signer.sign(made.signed_part(_CERTIFICATE))})


def check_office(certificate: OfficeCertificate, code: str, roots: bytes, now: datetime) -> None:
    """Raises OfficeError unless this is a valid certificate of an office of the province `code`."""
    check_authority(certificate.authority, code, roots, now)
    if not _is_by(certificate.authority.key, certificate.signed_part(_CERTIFICATE), certificate.signature):
        raise OfficeError("office_unknown", "the certificate is not signed by the province's key")
    if not certificate.code.startswith(code):
        raise OfficeError("office_of_other_province", "the office is one of another province")
    if not certificate.not_before - 600 <= _seconds(now) <= certificate.not_after:
        raise OfficeError("office_expired", "the office's certificate is not valid now")


def sign_mandate(store: KeyStore, content: bytes) -> bytes:
    """The signature (64 bytes) of the office whose key store this is over a mandate's content."""
    return signing_key(store).sign(_MANDATE + content)


def check_mandate(certificate: OfficeCertificate, content: bytes, signature: bytes) -> None:
    """Raises OfficeError unless the office signed exactly this content."""
    if not _is_by(certificate.key, _MANDATE + content, signature):
        raise OfficeError("bad_signature", "the office's signature is not of this content")


def public_half(secret: bytes) -> bytes:
    """The public half of a province's office key, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def _is_by(key: bytes, content: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
