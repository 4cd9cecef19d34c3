"""The kinds of keys in a store, and how each is made and read (design.md section 6).

| purpose | secret in the store |
| --- | --- |
| oprf | 32 random bytes; clamped where they are used |
| salt | 32 random bytes of the federation; the epoch is the salt version |
| signing | Ed25519 private key, 32 bytes |
| tls, ca | ECDSA P-256 private key, PKCS8 PEM |
| storage | 32 random bytes, for what a node seals in its own database |
| enrol | X25519 private key, 32 bytes; opens what the CA seals to this node |
| sum | 32 random bytes; the OPRF key of the rows of sums, clamped where it is used |
| paillier | the two primes of a Paillier key (matcher/sums/paillier.py) |
| sumcheck | 32 random bytes; the secret of the check slot |
| office | Ed25519 private key, 32 bytes; certifies a province's offices (keys/pki/offices.py) |
| record | 32 random bytes; the numbers of records under it never change, so it never rotates |
"""

import hashlib
import importlib
import secrets
from collections.abc import Callable
from typing import Any, Final

from blake3 import blake3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from keys.errors import StoreDamagedError
from keys.store.key_pairs import SECRET_BYTES, generate_tls_key, load_tls_key
from matcher.errors import MatcherError

# The keys that `heqiao init` makes. The bundle of the CA brings the salt.
NODE_KEYS: Final = ("signing", "tls", "storage", "enrol", "oprf", "sum", "paillier", "sumcheck", "record")
PLATFORM_KEYS: Final = ("signing", "tls", "storage", "enrol")
CA_KEYS: Final = ("ca", "salt")
_RAW: Final = ("oprf", "salt", "storage", "signing", "enrol", "sum", "sumcheck", "record", "office")
_FINGERPRINT: Final = "heqiao v1 key fingerprint"
_PAIRS: Final = ("tls", "ca", "signing", "enrol", "office")
# Keyed digests of the Paillier keys that this process has checked.
_OF_PROCESS: Final = secrets.token_bytes(32)
_CHECKED: Final[set[bytes]] = set()


def generate_secret(purpose: str, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """A fresh secret of a purpose; `random_bytes` serves all but the certificate keys.

    Raises:
        ValueError: no such purpose.
    """
    if purpose in ("tls", "ca"):
        return generate_tls_key()
    if purpose == "paillier":
        return _draw_paillier(random_bytes)
    if purpose in _RAW:
        return random_bytes(SECRET_BYTES)  # RFC 8032 and RFC 7748: any 32 bytes are a private key
    raise ValueError("no such kind of key")


def fingerprint(purpose: str, secret: bytes) -> str:
    """The name of a key in tables and audit rows, 16 hex digits; it reveals nothing of the key.

    Of a key pair it is that of the public half: SHA-256 of the SubjectPublicKeyInfo (tls, ca) or of the 32
    bytes (signing, enrol, office). Of anything else it is a BLAKE3 of purpose and secret under a context of
    its own.

    Raises:
        StoreDamagedError: the secret is not one of this purpose.
    """
    if purpose in _PAIRS:
        return hashlib.sha256(_public_half(purpose, secret)).hexdigest()[:16]
    named = purpose.encode() + b"\0" + secret
    return blake3(named, derive_key_context=_FINGERPRINT).hexdigest(length=8)


def fingerprint_of(key: bytes) -> str:
    """The fingerprint of a signing key whose public half (32 bytes) alone is known."""
    return hashlib.sha256(key).hexdigest()[:16]


def _public_half(purpose: str, secret: bytes) -> bytes:
    if purpose in ("tls", "ca"):
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return load_tls_key(secret).public_key().public_bytes(serialization.Encoding.DER, spki)
    check_secret(purpose, secret)
    if purpose in ("signing", "office"):
        return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def check_secret(purpose: str, secret: bytes) -> None:
    """Check that a secret has the form of its purpose; a secret of an unknown purpose only must not be empty.

    Raises:
        StoreDamagedError: it has not.
    """
    if purpose in ("tls", "ca"):
        load_tls_key(secret)
    elif purpose == "paillier":
        _check_paillier(secret)
    elif not secret or (purpose in _RAW and len(secret) != SECRET_BYTES):
        raise StoreDamagedError(
            f"{purpose}: not {SECRET_BYTES} bytes", "restore the key store from its backup"
        )


def _check_paillier(secret: bytes) -> None:
    """Whether its numbers are prime takes a tenth of a second: of the same bytes it is computed once a
    process, which keeps a keyed digest of them and no secret.
    """
    digest = blake3(secret, key=_OF_PROCESS).digest()
    if digest in _CHECKED:
        return
    try:
        _load_paillier().private_from_bytes(secret)
    except MatcherError:
        raise StoreDamagedError("not a Paillier key", "restore the key store from its backup") from None
    _CHECKED.add(digest)


def _draw_paillier(random_bytes: Callable[[int], bytes]) -> bytes:
    paillier = _load_paillier()
    return bytes(paillier.private_bytes(paillier.generate(random_bytes=random_bytes)))


def _load_paillier() -> Any:
    # It needs the extra `node`. A platform has no such key, and makes its home without.
    return importlib.import_module("matcher.sums.paillier")
