"""The federation CA: its certificate, and those that it issues (design.md section 6, RFC 5280)."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.errors import CertificateError
from keys.pki.certificates import federation_of, load_ca_certificate
from keys.pki.names import Role, check_federation, check_host, identity_uri, target_name
from keys.store.key_pairs import load_tls_key

CA_DAYS: Final = 3650
LEAF_DAYS: Final = 397
# Certificates begin a little in the past, for clocks of other provinces that are slow.
BACKDATE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Authority:
    """A federation CA: its certificate, and its private key, which no repr shows."""

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
    """A new self-signed CA for a federation; `key` is made if not given. Later generations have
    different names, so that a verifier that trusts two knows which one issued a certificate.

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
    """A signing request (PEM) that contains a public key and proves its possession; it asks for no name."""
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
    """Certificate (PEM) for the public key of a signing request, and for the given names only.

    Raises:
        CertificateError: the request is malformed, not signed by its key, or of another kind of key;
            or the certificate would outlive the CA.
        ValueError: a code, name or host is not acceptable.
    """
    public_key = requested_key(csr_pem)
    _check_life(ca, now, days)
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
    if role == "node":  # a platform has no server, so it gets neither host names nor server use
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


def _check_life(ca: Authority, now: datetime, days: int) -> None:
    if now + timedelta(days=days) > ca.certificate.not_valid_after_utc:
        left = (ca.certificate.not_valid_after_utc - now).days
        raise CertificateError(
            f"a certificate of {days} days would outlive the CA",
            f"ask for at most {left} days" if left > 0 else "the CA has expired: make a new one",
        )


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


def requested_key(csr_pem: bytes) -> ec.EllipticCurvePublicKey:
    """The key that a signing request is for. Raises CertificateError unless it is a good one."""
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


def sign(ca: Authority, data: bytes) -> bytes:
    """Signature of a CA over a document of the federation."""
    return ca.key.sign(data, ec.ECDSA(hashes.SHA256()))
