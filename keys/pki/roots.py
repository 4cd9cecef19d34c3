"""From one root of a federation to the next (docs/rotation.md, "A new CA").

    CA: heqiao ca roll      ->  roots.json  ->  every member: heqiao peers roots
    CA: heqiao ca roll --switch: certificates are issued by the new root; members renew theirs
    every member: heqiao peers roots --drop-old;  CA: heqiao ca roll --end

The old root signs the new one, so members that trust the old one need not compare fingerprints; both are
trusted until the old one is dropped.
"""

from datetime import UTC, datetime
from typing import Final, Literal

from keys.errors import CertificateError, EnrolmentError
from keys.pki.certificates import (
    Root,
    federation_of,
    has_issued,
    is_signed,
    load_ca_certificate,
    load_certificate,
    load_roots,
    roots_pem,
)
from keys.pki.documents import Base64, Document
from keys.pki.enrolment import Federation, Pem
from keys.pki.issuing import Authority, sign

_ROOTS: Final = b"heqiao v1 roots"


class NextRoot(Document):
    """The next root, signed by the one before."""

    version: Literal[1] = 1
    federation: Federation
    ca: Pem
    signature: Base64 = b""


def sign_root(old: Authority, new: Root) -> NextRoot:
    """The document that members read with `heqiao peers roots`."""
    document = NextRoot(federation=old.federation, ca=roots_pem([new]).decode())
    return document.model_copy(update={"signature": sign(old, document.signed_part(_ROOTS))})


def add_root(trusted_pem: bytes, offered: NextRoot, now: datetime) -> tuple[Root, ...]:
    """The roots to trust from now on. Adding the same root again changes nothing.

    Raises:
        EnrolmentError: not signed by a root that is trusted, of another federation, or not valid now.
        CertificateError: it is no root.
    """
    trusted, new = load_roots(trusted_pem), load_ca_certificate(offered.ca.encode())
    if not any(is_signed(root, offered.signed_part(_ROOTS), offered.signature) for root in trusted):
        raise EnrolmentError(
            "the new root is not signed by a root of this home",
            "do not take it: ask the CA's administrator over another channel",
        )
    if {offered.federation, federation_of(new)} != {federation_of(trusted[0])}:
        raise EnrolmentError("the new root is of another federation", "take that of this home's federation")
    if not new.not_valid_before_utc <= now.astimezone(UTC) <= new.not_valid_after_utc:
        raise EnrolmentError("the new root is not valid now", "check the clock of this machine")
    if new in trusted:
        return trusted
    if len(trusted) > 1:
        raise EnrolmentError(
            "this home trusts two roots already", "drop the older one first: `heqiao peers roots --drop-old`"
        )
    return (*trusted, new)


def require_trusted(trusted_pem: bytes, offered_pem: bytes) -> None:
    """Check that a home trusts the root that issued its bundle. Further roots of a bundle are for new
    members: a renewal must not bring back a root that was dropped.

    Raises:
        EnrolmentError: it does not.
    """
    if load_roots(offered_pem)[0] not in load_roots(trusted_pem):
        raise EnrolmentError(
            "this home trusts another federation CA",
            "if the federation replaces its CA's key, take its new root: `heqiao peers roots`; if it began "
            "anew, move the old CA certificate away and join again",
        )


def drop_roots(trusted_pem: bytes, certificate_pem: bytes) -> tuple[Root, ...]:
    """The newest root alone. Raises CertificateError while the own certificate is of the older one."""
    *older, newest = load_roots(trusted_pem)
    if older and not has_issued(newest, load_certificate(certificate_pem)):
        raise CertificateError(
            "this home's own certificate was issued by the old root",
            "get one from the new root first: `heqiao keys rotate tls`, `heqiao ca issue`, `heqiao join`",
        )
    return (newest,)
