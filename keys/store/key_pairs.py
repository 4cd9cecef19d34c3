"""The key pairs of a store: TLS, signing, enrolment. A platform needs none of a node's other keys."""

from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from keys.errors import StoreDamagedError
from keys.store.key_store import KeyStore

SECRET_BYTES: Final = 32


def generate_tls_key() -> bytes:
    """An ECDSA P-256 private key as PKCS8 PEM."""
    # P-256 because gRPC's TLS offers it in every build, and refuses Ed25519 certificates by default.
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_tls_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key object of a `tls` or `ca` secret.

    Raises:
        StoreDamagedError: not a P-256 private key in PEM.
    """
    try:
        key = serialization.load_pem_private_key(secret, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise StoreDamagedError("not a P-256 private key", "restore the key store from its backup")
    return key


def signing_key(store: KeyStore, epoch: int | None = None) -> Ed25519PrivateKey:
    """The node's signing key (manifests, node cards, receipts): the newest, or that of an epoch.

    The newest may still be pending: where there is a database, it records which is active.
    """
    secret = store.newest("signing")[1] if epoch is None else store.get(f"signing.{epoch}")
    return Ed25519PrivateKey.from_private_bytes(secret)


def enrol_key(store: KeyStore, epoch: int | None = None) -> X25519PrivateKey:
    """The key to which the CA seals the salt: the newest, or that of an epoch."""
    secret = store.newest("enrol")[1] if epoch is None else store.get(f"enrol.{epoch}")
    return X25519PrivateKey.from_private_bytes(secret)
