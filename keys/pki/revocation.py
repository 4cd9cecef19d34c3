"""The CA's list of revoked certificates (RFC 5280 section 5), distributed as a file.

A list names all revoked certificates of the federation, so a node needs only the newest one. Lists are
numbered, and a node never accepts an older one than it has. A list names the date of the next one, 30 days
on: a node that gets none for long enough must not go on as if nothing had been revoked (docs/adr/0022).

While a federation has two roots, a file holds the same list signed by each, so that a node that trusts only
one of them can check it. The numbers continue from root to root.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from keys.errors import CertificateError
from keys.pki.certificates import MAX_ROOTS, load_certificate, load_roots
from keys.pki.issuing import Authority

MAX_LIST_BYTES: Final = 1_048_576  # some 25,000 entries
LIST_DAYS: Final = 30  # from one list to the next
_BEGIN: Final = b"-----BEGIN X509 CRL-----"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A checked list: its number, serial numbers of the revoked certificates, when it was made, and when the
    next one is due.
    """

    number: int
    serials: frozenset[int]
    made_at: datetime
    next_at: datetime


_NEVER: Final = datetime.min.replace(tzinfo=UTC)
NOTHING_REVOKED: Final = RevocationList(0, frozenset(), _NEVER, _NEVER)


def make_list(ca: Authority, before: bytes | None, certificates: Iterable[bytes], now: datetime) -> bytes:
    """The next list (PEM): all entries of the list `before`, and some more certificates (PEM).

    Raises:
        CertificateError: `before` is not a list of this CA, or the clock is before it.
    """
    old = max(_parse(before, ca.pem), key=_number_of) if before is not None else None
    return _sign(ca, old, certificates, now)


def make_lists(
    cas: Sequence[Authority], before: bytes | None, certificates: Iterable[bytes], now: datetime
) -> bytes:
    """The next list, signed by each of some CAs: all entries of their lists `before`, and more.

    Raises as `make_list`.
    """
    pem = b"".join(ca.pem for ca in cas)
    old = max(_parse(before, pem), key=_number_of) if before is not None else None
    some = list(certificates)
    return b"".join(_sign(ca, old, some, now) for ca in cas)


def _sign(
    ca: Authority, old: x509.CertificateRevocationList | None, certificates: Iterable[bytes], now: datetime
) -> bytes:
    if old is not None and now < old.last_update_utc:
        raise CertificateError(
            f"the clock is before the last list, of {old.last_update_utc:%Y-%m-%d %H:%M} UTC",
            "set the clock of this machine, then try again",
        )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(now)
        .next_update(now + timedelta(days=LIST_DAYS))
        .add_extension(x509.CRLNumber(_number_of(old) + 1 if old is not None else 1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
    )
    known = {entry.serial_number: entry for entry in old or ()}
    for pem in certificates:
        serial = load_certificate(pem).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        known.setdefault(serial, entry)
    for entry in known.values():
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def load_list(content: bytes, ca_pem: bytes) -> RevocationList:
    """Check a list (PEM) of the federation's CA; with several roots, the lists of all trusted roots count.

    Raises:
        CertificateError: malformed, too large, or not signed by this CA.
    """
    every = _parse(content, ca_pem)
    newest = max(every, key=_number_of)
    serials = frozenset(entry.serial_number for found in every for entry in found)
    next_at = newest.next_update_utc or newest.last_update_utc
    return RevocationList(_number_of(newest), serials, newest.last_update_utc, next_at)


def serial_of(certificate: bytes) -> int:
    """Serial number of a certificate, PEM or DER.

    Raises:
        CertificateError: it is not one.
    """
    if certificate.startswith(b"-----"):
        return load_certificate(certificate).serial_number
    try:
        return x509.load_der_x509_certificate(certificate).serial_number
    except ValueError:
        raise CertificateError("not a certificate", "the peer's server is no node of Heqiao") from None


def _parse(content: bytes, ca_pem: bytes) -> list[x509.CertificateRevocationList]:
    """The lists in a file that a trusted root signed; at least one."""
    hint = "take the list as `heqiao ca revoke` wrote it"
    roots = load_roots(ca_pem)
    if len(content) > MAX_LIST_BYTES:
        raise CertificateError(f"a revocation list of more than {MAX_LIST_BYTES} bytes", hint)
    blocks = [_BEGIN + block for block in content.split(_BEGIN)[1:]]
    try:
        every = [x509.load_pem_x509_crl(block) for block in blocks]
        good = [found for found in every if any(_is_signed(found, root) for root in roots)]
        for found in good:
            _number_of(found)
            _ = [entry.serial_number for entry in found]
    except (ValueError, TypeError, x509.ExtensionNotFound):
        every = []
    if not 0 < len(every) <= MAX_ROOTS:
        raise CertificateError("not a revocation list", hint)
    if not good:
        raise CertificateError("the revocation list is not signed by this federation's CA", hint)
    return good


def _is_signed(found: x509.CertificateRevocationList, root: x509.Certificate) -> bool:
    return found.issuer == root.subject and found.is_signature_valid(root.public_key())  # type: ignore[arg-type]


def _number_of(found: x509.CertificateRevocationList) -> int:
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
