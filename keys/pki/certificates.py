"""Certificates of a federation: which nodes and platforms exist (design.md sections 1 and 6, RFC 5280).

A node's identity is its province code, never its host: every certificate carries exactly one URI
`heqiao://<federation>/node/<code>` or `heqiao://<federation>/platform/<code>/<name>`, and a node also
the DNS name `<code>.node.heqiao`, which callers require as TLS target name wherever the node runs.
The CA takes the public key of a signing request, and no name from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from keys.errors import CertificateError
from keys.pki.names import Role, check_federation, parse_uri, target_name
from keys.store.key_pairs import load_tls_key
from keys.store.key_store import KeyStore

MAX_ROOTS: Final = 2
Root = x509.Certificate


@dataclass(frozen=True, slots=True)
class CertifiedIdentity:
    """The identity in a certificate. `name` is that of a platform, empty for a node; `fingerprint` is the
    SHA-256 of the certificate in hex; `not_before` and `not_after` are aware, in UTC.
    """

    federation: str
    role: Role
    code: str
    name: str
    not_after: datetime
    fingerprint: str
    not_before: datetime


def load_certificate(pem: bytes) -> x509.Certificate:
    """The one certificate of a PEM text.

    Raises:
        CertificateError: not exactly one certificate.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError:
        certificates = []
    if len(certificates) != 1:
        raise CertificateError("not exactly one certificate in PEM form", "give the certificate file")
    return certificates[0]


def load_ca_certificate(pem: bytes) -> x509.Certificate:
    """The certificate of a federation CA: self-signed, P-256, allowed to sign, with a federation's name.

    Raises:
        CertificateError: it is not one.
    """
    return _require_ca(load_certificate(pem))


def load_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The roots in a file, of one federation: one, or two while it changes its CA. The first one issues.

    Raises:
        CertificateError: none, too many, not CAs, or of different federations.
    """
    try:
        found = [_require_ca(one) for one in x509.load_pem_x509_certificates(pem)]
    except ValueError:
        found = []
    if not 0 < len(found) <= MAX_ROOTS or len(set(map(federation_of, found))) != 1:
        raise CertificateError(
            "not the roots of a federation", "take the file as the federation's CA made it"
        )
    return tuple(found)


def roots_pem(roots: Iterable[x509.Certificate]) -> bytes:
    """Roots as a file, in their order, each once."""
    pem = serialization.Encoding.PEM
    return b"".join(dict.fromkeys(root.public_bytes(pem) for root in roots))


def _require_ca(certificate: x509.Certificate) -> x509.Certificate:
    hint = "take ca.pem as `heqiao ca init` made it"
    try:
        certificate.verify_directly_issued_by(certificate)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        public_key = certificate.public_key()
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        raise CertificateError("not the certificate of a federation CA", hint) from None
    if not (constraints.ca and usage.key_cert_sign and isinstance(public_key, ec.EllipticCurvePublicKey)):
        raise CertificateError("not the certificate of a federation CA", hint)
    federation_of(certificate)
    return certificate


def federation_of(ca_certificate: x509.Certificate) -> str:
    """The federation that a CA's certificate names.

    Raises:
        CertificateError: none, or a malformed name.
    """
    names = ca_certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    try:
        (name,) = names
        return check_federation(str(name.value))
    except ValueError:
        raise CertificateError("the CA certificate names no federation", "is this ca.pem?") from None


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def identity_of(certificate_pem: bytes) -> CertifiedIdentity:
    """The identity in a certificate. Checks no signature: TLS or `verify_chain` does that.

    Raises:
        CertificateError: not one certificate, or not exactly one well-formed `heqiao://` URI in it.
    """
    certificate = load_certificate(certificate_pem)
    hint = "only certificates of the federation CA (`heqiao ca issue`) name nodes and platforms"
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        uris = []
    try:
        (uri,) = uris
        federation, role, code, name = parse_uri(uri)
    except ValueError:
        raise CertificateError("the certificate does not name exactly one node or platform", hint) from None
    return CertifiedIdentity(
        federation,
        role,
        code,
        name,
        certificate.not_valid_after_utc,
        fingerprint_of(certificate),
        certificate.not_valid_before_utc,
    )


def hosts_of(certificate_pem: bytes) -> tuple[str, ...]:
    """Host names and addresses in a node's certificate, besides the name of its province."""
    names = load_certificate(certificate_pem).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    own = target_name(identity_of(certificate_pem).code)
    hosts = names.value.get_values_for_type(x509.DNSName)
    addresses = names.value.get_values_for_type(x509.IPAddress)
    return (*(host for host in hosts if host != own), *map(str, addresses))


def verify_chain(certificate_pem: bytes, ca_pem: bytes, now: datetime) -> CertifiedIdentity:
    """Check that a CA (of those in the file) issued a certificate and that both are valid now; return the
    identity it names.

    Raises:
        CertificateError: a check fails, or the federation of the two differs.
    """
    certificate, roots = load_certificate(certificate_pem), load_roots(ca_pem)
    ca = next((root for root in roots if has_issued(root, certificate)), roots[0])
    for what, checked in (("certificate", certificate), ("CA certificate", ca)):
        if not checked.not_valid_before_utc <= now.astimezone(UTC) <= checked.not_valid_after_utc:
            raise CertificateError(
                f"the {what} is valid from {checked.not_valid_before_utc:%Y-%m-%d %H:%M} UTC to "
                f"{checked.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, not now",
                "check the clock of this machine, then ask the federation CA for a new one",
            )
    verifier = PolicyBuilder().store(Store([ca])).time(now.astimezone(UTC)).build_client_verifier()
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        raise CertificateError(
            "the certificate was not issued by this federation CA", "ask the federation CA for a new one"
        ) from None
    identity = identity_of(certificate_pem)
    if identity.federation != federation_of(ca):
        raise CertificateError("certificate and CA name different federations", "ask the CA for a new one")
    return identity


def is_signed(root: Root, data: bytes, signature: bytes) -> bool:
    """Whether a root signed a document."""
    key: Any = root.public_key()
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def has_issued(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether a certificate is signed by a root."""
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def tls_key_for(store: KeyStore, certificate_pem: bytes) -> bytes:
    """The `tls` key (PKCS8 PEM) of a store that a certificate is for; the newest may have none yet.

    Raises:
        CertificateError: it is for none of the store's keys.
    """
    return store.get(f"tls.{tls_epoch(store, certificate_pem)}")


def tls_epoch(store: KeyStore, certificate_pem: bytes) -> int:
    """Epoch of the `tls` key of a store that a certificate is for.

    Raises:
        CertificateError: it is for none of the store's keys.
    """
    public_key = load_certificate(certificate_pem).public_key()
    for epoch in reversed(store.epochs("tls")):
        if load_tls_key(store.get(f"tls.{epoch}")).public_key() == public_key:
            return epoch
    raise CertificateError(
        "the certificate is for another key than those of this home",
        "run `heqiao join` with the bundle made for the request.json of this home",
    )
