"""The identity of a home in TLS; a platform's client opens nothing else of a key store."""

from dataclasses import dataclass, field

from keys import tls_key_for
from node.config import Config, open_key_store
from node.errors import PreconditionError


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """The trusted roots, the private key and its certificate, all PEM."""

    ca: bytes
    key: bytes = field(repr=False)
    certificate: bytes


def load_tls_identity(config: Config) -> TlsIdentity:
    """The identity of a home. Raises KeyringError, or PreconditionError before `heqiao join`."""
    store = open_key_store(config)
    require_joined(config, has_salt=bool(store.epochs("salt")))
    certificate = config.tls.certificate.read_bytes()
    return TlsIdentity(config.tls.ca.read_bytes(), tls_key_for(store, certificate), certificate)


def require_joined(config: Config, *, has_salt: bool) -> None:
    """Raises PreconditionError for a home without the federation's salt or a certificate."""
    if not has_salt or not config.tls.certificate.exists():
        raise PreconditionError(
            "this home has not joined a federation yet",
            "send its request.json to the federation's administrator, then run `heqiao join` with the bundle",
        )
