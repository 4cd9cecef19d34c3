"""Joining a federation with no secret in the clear, and the card that identifies a node to peers.

    node: heqiao init          ->  request.json  ->  CA: heqiao ca issue
    node: heqiao join bundle   <-  bundle.json   <-

The request carries public keys only and is signed by the node's signing key; the bundle carries the
certificates and the federation's salt, sealed to the node (HPKE, RFC 9180), and is signed by the CA.
Neither file is secret. But an attacker who replaces the request in transit would receive the salt, and
one who replaces the bundle would choose the CA. So the receiver of each types the fingerprint that its
sender read out by telephone (`heqiao init` and `heqiao ca init` print them), and another one is refused.

A request for a province that has a certificate already is signed by the key of that certificate, too
(`continues`): the CA refuses a second holder of the same name, unless its administrator wants one.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from pydantic import AfterValidator, Field

from keys.errors import EnrolmentError
from keys.pki.certificates import CertifiedIdentity, load_certificate, load_roots, tls_key_for, verify_chain
from keys.pki.documents import Base64, Document, Key32, canonical
from keys.pki.fingerprints import write_fingerprint
from keys.pki.issuing import LEAF_DAYS, Authority, create_request, issue, requested_key
from keys.pki.names import Role, check_address, check_code, check_federation, check_host, check_name
from keys.signing_chain import MAX_CHAIN, Succession
from keys.store.key_pairs import SECRET_BYTES, enrol_key, load_tls_key, signing_key
from keys.store.key_store import KeyStore
from matcher.types import SUITE

Code = Annotated[str, AfterValidator(check_code)]
Name = Annotated[str, AfterValidator(check_name)]
Host = Annotated[str, AfterValidator(check_host)]
Address = Annotated[str, AfterValidator(check_address)]
Federation = Annotated[str, AfterValidator(check_federation)]
Pem = Annotated[str, Field(max_length=16_384)]
Lists = Annotated[str, Field(max_length=524_288)]  # of some 12,000 revoked certificates
SaltVersion = Annotated[int, Field(ge=1, le=999_999_999)]

_REQUEST: Final = b"heqiao v1 enrolment request"
_CONTINUES: Final = b"heqiao v1 holder of a certificate"
_BUNDLE: Final = b"heqiao v1 bundle"
_CARD: Final = b"heqiao v1 node card"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class EnrolmentRequest(Document):
    """A node's request to the CA: the identity it requests, and its public keys."""

    version: Literal[1] = 1
    role: Role
    code: Code
    name: Name
    hosts: Annotated[tuple[Host, ...], Field(max_length=32)]
    csr: Pem
    signing_key: Key32
    hpke_key: Key32
    continues: Annotated[Base64, Field(max_length=128)] = b""  # ECDSA, by the TLS key in use
    signature: Base64 = b""


class Bundle(Document):
    """The CA's answer: certificates, and the salt, which only this node can open."""

    version: Literal[1] = 1
    federation: Federation
    role: Role
    code: Code
    certificate: Pem
    ca: Pem
    revocations: Lists = ""
    salt_version: SaltVersion
    sealed_salt: Base64
    signature: Base64 = b""


class NodeCard(Document):
    """A node's card for peers: its address, and the key that signs its manifests."""

    version: Literal[1] = 1
    code: Code
    name: Name
    address: Address
    signing_key: Key32
    suites: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(min_length=1, max_length=8)]
    successions: Annotated[tuple[Succession, ...], Field(max_length=MAX_CHAIN)] = ()
    signature: Base64 = b""

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As pydantic does it, but without an empty `successions`."""
        left_out = set() if self.successions else {"successions"}
        return super().model_dump(**{**options, "exclude": {*(options.get("exclude") or ()), *left_out}})


@dataclass(frozen=True, slots=True)
class Membership:
    """Result of accepting a bundle; certificates as PEM. The salt is in the node's key store."""

    identity: CertifiedIdentity
    certificate: bytes
    ca: bytes
    ca_fingerprint: str
    salt_version: int
    revocations: bytes


def make_request(
    store: KeyStore,
    role: Role,
    code: str,
    name: str,
    hosts: Iterable[str],
    signing_epoch: int | None = None,
    *,
    certificate: bytes | None = None,
) -> EnrolmentRequest:
    """The request of a node, from the newest `tls`, `signing` and `enrol` keys of its store.

    `signing_epoch` names another signing key than the newest. With the certificate in use (PEM) its key
    signs the request, too, which shows the CA that it is of the same holder.

    Raises:
        ValueError: a code, name or host is not acceptable.
        KeyMissingError: the store lacks one of the keys.
        CertificateError: the certificate is for none of them.
    """
    signer = signing_key(store, signing_epoch)
    request = EnrolmentRequest(
        role=role,
        code=code,
        name=name,
        hosts=tuple(dict.fromkeys(hosts)),
        csr=create_request(load_tls_key(store.newest("tls")[1])).decode(),
        signing_key=signer.public_key().public_bytes_raw(),
        hpke_key=enrol_key(store).public_key().public_bytes_raw(),
    )
    if certificate is not None:
        used = load_tls_key(tls_key_for(store, certificate))
        proof = used.sign(request.signed_part(_CONTINUES), ec.ECDSA(hashes.SHA256()))
        request = request.model_copy(update={"continues": proof})
    return request.model_copy(update={"signature": signer.sign(request.signed_part(_REQUEST))})


def is_same_holder(request: EnrolmentRequest, certificate: bytes) -> bool:
    """Whether a request is for the key of a certificate (PEM), or was signed by that key.

    Raises:
        CertificateError: the signing request is malformed, or the certificate is none.
    """
    known: Any = load_certificate(certificate).public_key()
    if requested_key(request.csr.encode()) == known:
        return True
    signed = request.model_copy(update={"continues": b""}).signed_part(_CONTINUES)
    try:
        known.verify(request.continues, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def load_request(path: Path) -> EnrolmentRequest:
    """Read a request and check its signature.

    Raises:
        EnrolmentError: malformed or altered.
    """
    request = EnrolmentRequest.load(path)
    check_signature(request, _REQUEST, request.signing_key, request.signature, str(path))
    return request


def issue_bundle(
    ca: Authority,
    request: EnrolmentRequest,
    salt: bytes,
    salt_version: int,
    now: datetime,
    days: int = LEAF_DAYS,
    certificate: bytes | None = None,
    *,
    roots: bytes | None = None,
    revocations: bytes = b"",
) -> Bundle:
    """Certificate for a request, and the 32-byte salt sealed to it.

    The request's names are granted as they are: the caller has checked them. With a
    `certificate` that was issued for it before, only the salt is new. `roots` are all roots that members
    trust now (PEM, that of `ca` first), where there are several, `revocations` the CA's newest list: who
    joins knows what was revoked before.

    Raises:
        EnrolmentError: the request's signature or HPKE key is bad.
        CertificateError: its signing request is bad, or the certificate would outlive the CA.
    """
    check_signature(request, _REQUEST, request.signing_key, request.signature, "the request")
    certificate = certificate or issue(
        ca,
        request.csr.encode(),
        request.role,
        request.code,
        now,
        days,
        name=request.name if request.role == "platform" else "",
        hosts=request.hosts,
    )
    bundle = Bundle(
        federation=ca.federation,
        role=request.role,
        code=request.code,
        certificate=certificate.decode(),
        ca=(roots or ca.pem).decode(),
        revocations=revocations.decode(),
        salt_version=salt_version,
        sealed_salt=_seal_salt(ca.federation, request, salt, salt_version),
    )
    signature = ca.key.sign(bundle.signed_part(_BUNDLE), ec.ECDSA(hashes.SHA256()))
    return bundle.model_copy(update={"signature": signature})


def _seal_salt(federation: str, request: EnrolmentRequest, salt: bytes, version: int) -> bytes:
    info = _salt_info(federation, request.role, request.code, version)
    try:
        return _SUITE.encrypt(salt, X25519PublicKey.from_public_bytes(request.hpke_key), info=info)
    except ValueError:  # a point of low order
        raise EnrolmentError("the request's HPKE key is not usable", "ask the node for a new one") from None


def accept_bundle(
    store: KeyStore, bundle: Bundle, role: Role, code: str, name: str, now: datetime
) -> Membership:
    """Check a bundle against this home's role, code, name (of a platform) and keys, and store its salt.

    Accepting the same bundle again changes nothing.

    Raises:
        EnrolmentError: altered, for another node, or its salt does not open or differs from the stored one.
        CertificateError: the chain is not valid now, or the certificate is for another key.
    """
    _check_bundle_signature(bundle)
    certificate, ca = bundle.certificate.encode(), bundle.ca.encode()
    identity = verify_chain(certificate, ca, now)
    mine = (bundle.federation, role, code, name if role == "platform" else "")
    theirs = (identity.federation, identity.role, identity.code, identity.name)
    if theirs != mine or (bundle.role, bundle.code) != (role, code):
        raise EnrolmentError(
            f"the bundle is for {identity.role} {identity.code}, this home is {role} {code}",
            "take the bundle that the CA made for the request.json of this home",
        )
    tls_key_for(store, certificate)
    salt = _open_salt(store, bundle)
    label, held = f"salt.{bundle.salt_version}", store.epochs("salt")
    if label not in store.names():
        if held and bundle.salt_version < held[-1]:
            raise EnrolmentError(
                f"the bundle's salt has version {bundle.salt_version}, this home has {held[-1]} already",
                "take the bundle that the CA made last",
            )
        store.add(label, salt)
    elif not hmac.compare_digest(store.get(label), salt):
        raise EnrolmentError(
            f"the bundle's salt differs from this home's salt of the same version {bundle.salt_version}",
            "ask the CA which salt is right; a new salt needs a new version",
        )
    lists = bundle.revocations.encode()
    return Membership(identity, certificate, ca, ca_fingerprint(ca), bundle.salt_version, lists)


def ca_fingerprint(ca_pem: bytes) -> str:
    """Fingerprint of a federation CA (of several roots the one that issues), to be compared by voice."""
    return write_fingerprint(load_roots(ca_pem)[0].fingerprint(hashes.SHA256()))


def make_card(
    store: KeyStore,
    code: str,
    name: str,
    address: str,
    suites: Iterable[str] = (SUITE,),
    *,
    signing_epoch: int | None = None,
    successions: Iterable[Succession] = (),
) -> NodeCard:
    """The card of a node, signed by its newest signing key, or by that of an epoch.

    `successions` lead to that key from those that peers may still have pinned.

    Raises:
        ValueError: a code, name or address is not acceptable.
    """
    signer = signing_key(store, signing_epoch)
    card = NodeCard(
        code=code,
        name=name,
        address=address,
        signing_key=signer.public_key().public_bytes_raw(),
        suites=tuple(suites),
        successions=tuple(successions),
    )
    return card.model_copy(update={"signature": signer.sign(card.signed_part(_CARD))})


def load_card(path: Path) -> NodeCard:
    """Read a peer's card and check its signature. An administrator compares its fingerprint, to make sure
    that the card is the peer's own.

    Raises:
        EnrolmentError: malformed or altered.
    """
    return _checked(NodeCard.load(path), str(path))


def read_card(content: bytes, source: str) -> NodeCard:
    """As `load_card`, of a content that `source` names in errors."""
    return _checked(NodeCard.from_json(content, source), source)


def _checked(card: NodeCard, source: str) -> NodeCard:
    check_signature(card, _CARD, card.signing_key, card.signature, source)
    return card


def check_signature(document: Document, context: bytes, key: bytes, signature: bytes, source: str) -> None:
    """Check the Ed25519 signature of a document. Raises EnrolmentError."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, document.signed_part(context))
    except (InvalidSignature, ValueError):
        raise EnrolmentError(
            f"{source}: the signature does not fit the content",
            "the file was altered in transit; ask its sender for it again",
        ) from None


def _check_bundle_signature(bundle: Bundle) -> None:
    key: Any = load_roots(bundle.ca.encode())[0].public_key()
    try:
        key.verify(bundle.signature, bundle.signed_part(_BUNDLE), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise EnrolmentError(
            "the bundle is not signed by its CA", "it was altered in transit; ask the CA for it again"
        ) from None


def _open_salt(store: KeyStore, bundle: Bundle) -> bytes:
    info = _salt_info(bundle.federation, bundle.role, bundle.code, bundle.salt_version)
    for epoch in reversed(store.epochs("enrol")):
        try:
            salt = _SUITE.decrypt(bundle.sealed_salt, enrol_key(store, epoch), info=info)
        except (InvalidTag, ValueError):
            continue
        if len(salt) == SECRET_BYTES:
            return salt
    raise EnrolmentError(
        "the bundle's salt does not open with the keys of this home",
        "take the bundle that the CA made for the request.json of this home",
    )


def _salt_info(federation: str, role: Role, code: str, salt_version: int) -> bytes:
    """Binds the sealed salt to its node and version, so that it does not open as that of another."""
    return b"heqiao v1 salt\0" + canonical(
        {"federation": federation, "role": role, "code": code, "salt_version": salt_version}
    )
