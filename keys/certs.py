"""Federation CA and certificates: who may speak, and as whom (design.md sections 1 and 6, RFC 5280).

A node's identity is its province code, never its host: every certificate carries exactly one URI
`heqiao://<federation>/node/<code>` or `heqiao://<federation>/platform/<code>/<name>`, and a node also
the DNS name `<code>.node.heqiao`, which callers demand as TLS target name wherever the node runs.
The CA takes the public key of a signing request, and no name from it.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from keys.errors import CertificateError
from keys.files import KeyStore
from keys.kinds import load_tls_key
from keys.names import Role, check_federation, check_host, identity_uri, parse_uri, target_name

CA_DAYS: Final = 3650
LEAF_DAYS: Final = 397
MAX_ROOTS: Final = 2
Root = x509.Certificate
# Certificates begin a little in the past, for clocks of other provinces that run behind.
BACKDATE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CertifiedIdentity:
    """Who a certificate names. `name` is that of a platform, empty for a node; `fingerprint` is the
    SHA-256 of the certificate in hex; `not_after` is aware, in UTC.
    """

    federation: str
    role: Role
    code: str
    name: str
    not_after: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A federation CA: its certificate, and its private key, which shows in no repr."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def federation(self) -> str:
        """Name of the federation."""
        return federation_of(self.certificate)

    @property
    def pem(self) -> bytes:
        """The CA certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def create_ca(
    federation: str,
    now: datetime,
    days: int = CA_DAYS,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    generation: int = 1,
) -> Authority:
    """A new self-signed CA for a federation; `key` is made if not given. Later generations have names of
    their own, so that a verifier that trusts two knows whose a certificate is.

    Raises:
        ValueError: the federation's name is not acceptable.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, check_federation(federation)),
            x509.NameAttribute(
                NameOID.COMMON_NAME, "Heqiao federation CA" + (f" {generation}" if generation > 1 else "")
            ),
        ]
    )
    certificate = (
        _builder(subject, subject, key.public_key(), key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        # digitalSignature, because the CA also signs the bundles of `heqiao ca issue`.
        .add_extension(_key_usage(ca=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def load_ca(certificate_pem: bytes, secret: bytes) -> Authority:
    """The CA of a certificate and the `ca` secret of its key store.

    Raises:
        CertificateError: the certificate is no CA's or not that of the key.
        StoreDamagedError: the secret is no key.
    """
    authority = Authority(load_ca_certificate(certificate_pem), load_tls_key(secret))
    if authority.certificate.public_key() != authority.key.public_key():
        raise CertificateError("the CA certificate is not that of the CA's key", "restore ca.pem of this CA")
    return authority


def create_request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A signing request (PEM) that carries and proves a public key, and asks for no name."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def issue(
    ca: Authority,
    csr_pem: bytes,
    role: Role,
    code: str,
    now: datetime,
    days: int = LEAF_DAYS,
    *,
    name: str = "",
    hosts: Iterable[str] = (),
) -> bytes:
    """Certificate (PEM) for the public key of a signing request, and for the names given here only.

    Raises:
        CertificateError: the request is malformed, not signed by its key, or of another kind of key;
            or the certificate would outlive the CA.
        ValueError: a code, name or host is not acceptable.
    """
    public_key = _requested_key(csr_pem)
    if now + timedelta(days=days) > ca.certificate.not_valid_after_utc:
        left = (ca.certificate.not_valid_after_utc - now).days
        raise CertificateError(
            f"a certificate of {days} days would outlive the CA",
            f"ask for at most {left} days" if left > 0 else "the CA has expired: make a new one",
        )
    common_name = target_name(code) if role == "node" else f"{code}.platform.heqiao"
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ca.federation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    names: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(identity_uri(ca.federation, role, code, name))
    ]
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if role == "node":  # a platform serves nobody, so it gets neither host names nor server use
        names += [x509.DNSName(target_name(code)), *map(_general_name, dict.fromkeys(hosts))]
        purposes.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    certificate = (
        _builder(subject, ca.certificate.subject, public_key, ca.key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    if days < 1:
        raise ValueError("a certificate lasts at least one day")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    host = check_host(host)
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _requested_key(csr_pem: bytes) -> ec.EllipticCurvePublicKey:
    hint = "make a new home with `heqiao init` and send its request.json"
    try:
        request = x509.load_pem_x509_csr(csr_pem)
        public_key = request.public_key()
        signed = request.is_signature_valid
    except Exception:  # noqa: BLE001  the parser raises many kinds on hostile input
        raise CertificateError("the signing request is malformed", hint) from None
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(
        public_key.curve, ec.SECP256R1
    ):
        raise CertificateError("the signing request is not for a P-256 key", hint)
    if not signed:
        raise CertificateError("the signing request is not signed by its own key", hint)
    return public_key


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
    """The roots that a file names, of one federation: one, or two while it changes its CA. The first issues.

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
    """Who a certificate names. Checks no signature: TLS or `verify_chain` does that.

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
        federation, role, code, name, certificate.not_valid_after_utc, fingerprint_of(certificate)
    )


def hosts_of(certificate_pem: bytes) -> tuple[str, ...]:
    """Host names and addresses that a node's certificate carries beside the name of its province."""
    names = load_certificate(certificate_pem).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    own = target_name(identity_of(certificate_pem).code)
    hosts = names.value.get_values_for_type(x509.DNSName)
    addresses = names.value.get_values_for_type(x509.IPAddress)
    return (*(host for host in hosts if host != own), *map(str, addresses))


def verify_chain(certificate_pem: bytes, ca_pem: bytes, now: datetime) -> CertifiedIdentity:
    """Check that a CA (of those in the file) issued a certificate and that both are valid now; say whom it
    names.

    Raises:
        CertificateError: it does not hold, or the federation of the two differs.
    """
    certificate, roots = load_certificate(certificate_pem), load_roots(ca_pem)
    ca = next((root for root in roots if has_issued(root, certificate)), roots[0])
    for what, checked in (("certificate", certificate), ("CA certificate", ca)):
        if not checked.not_valid_before_utc <= now.astimezone(UTC) <= checked.not_valid_after_utc:
            raise CertificateError(
                f"the {what} is valid from {checked.not_valid_before_utc:%Y-%m-%d %H:%M} to "
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


def sign(ca: Authority, data: bytes) -> bytes:
    """Signature of a CA over a document of the federation."""
    return ca.key.sign(data, ec.ECDSA(hashes.SHA256()))


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
    """The `tls` key (PKCS8 PEM) of our store that a certificate is for; the newest may have none yet.

    Raises:
        CertificateError: it is for none of our keys.
    """
    return store.get(f"tls.{tls_epoch(store, certificate_pem)}")


def tls_epoch(store: KeyStore, certificate_pem: bytes) -> int:
    """Epoch of the `tls` key of our store that a certificate is for.

    Raises:
        CertificateError: it is for none of our keys.
    """
    public_key = load_certificate(certificate_pem).public_key()
    for epoch in reversed(store.epochs("tls")):
        if load_tls_key(store.get(f"tls.{epoch}")).public_key() == public_key:
            return epoch
    raise CertificateError(
        "the certificate is for another key than those of this home",
        "run `heqiao join` with the bundle made for the request.json of this home",
    )
