"""The Node bundle: configuration, database, keys, catalogue, clock and randomness of a running node."""

import secrets
from dataclasses import dataclass, field

from keys import KeyStore
from keys.errors import CertificateError, PassphraseError, StoreDamagedError
from matcher import label
from matcher.errors import CipherMissingError
from matcher.oprf import RandomBytes
from node.clock import Clock, utc_now
from node.config import Config, open_key_store
from node.credentials.active_keys import read_keys
from node.credentials.keyring import Epochs, KeyRing, NodeKeys
from node.credentials.revocation_lists import Revocations, stamp_of
from node.database import Store, database_url, key_epochs, open_store
from node.database.schema import migrate_url
from node.domain.catalogue import Catalogue
from node.domain.code_tables import CodeTables
from node.errors import PreconditionError, UnavailableError
from node.federation.catalogue_file import open_catalogue
from node.federation.code_tables_file import load_code_tables
from node.mirror.verified_groups import VerifiedGroups


@dataclass(frozen=True, slots=True)
class Node:
    """One province's node."""

    config: Config
    store: Store
    ring: KeyRing
    catalogue: Catalogue
    clock: Clock = utc_now
    random_bytes: RandomBytes = secrets.token_bytes
    revocations: Revocations = field(default_factory=Revocations)
    verified_groups: VerifiedGroups = field(default_factory=VerifiedGroups)
    catalogue_signed: bool = False
    code_tables: CodeTables = field(default_factory=CodeTables)

    @property
    def keys(self) -> NodeKeys:
        """The current keys: read them once for values that must fit together."""
        return self.ring.current

    @property
    def code(self) -> str:
        """The province code."""
        return self.config.node.code


def open_node(config: Config, clock: Clock = utc_now, keys: KeyStore | None = None) -> Node:
    """Open everything a command or server needs of a node; `keys` is its key store if that is open already.

    Raises ConfigError, KeyringError, PreconditionError (not joined yet, old schema, old OpenSSL),
    UnavailableError.
    """
    _require_cipher()
    loaded = open_catalogue(config)
    store = open_store(database_url(config))
    return Node(
        config=config,
        store=store,
        ring=_open_ring(config, store, keys or open_key_store(config)),
        catalogue=loaded.catalogue,
        catalogue_signed=loaded.is_signed,
        code_tables=load_code_tables(config),
        clock=clock,
        revocations=Revocations(config.tls.revocations, config.tls.ca, config.tls.certificate, clock),
    )


def _require_cipher() -> None:
    try:
        label.require_cipher()
    except CipherMissingError as error:
        raise PreconditionError(
            f"{error}, which seals every entry",
            "install the package `cryptography` from its wheel, or build it with OpenSSL 3.2 or newer",
        ) from None


def migrate_database(config: Config) -> tuple[str, str]:
    """Bring a home's database to the schema of this version; raises and returns as `migrate_url` does."""
    return migrate_url(database_url(config))


def _open_ring(config: Config, database: Store, keys: KeyStore) -> KeyRing:
    opened = [keys]

    def read() -> Epochs:
        with database.transaction("read key epochs") as tx:
            return key_epochs.read_epochs(tx)

    def load(found: Epochs) -> NodeKeys:
        try:
            return read_keys(config, opened[0].unread(), found)
        except CertificateError as error:
            # A running node keeps its keys: `heqiao join` may be writing the files right now.
            raise UnavailableError(str(error), error.hint) from None
        except StoreDamagedError:
            opened[0] = _open_again(config)  # it was rewrapped since it was opened
            return read_keys(config, opened[0], found)

    return KeyRing(read, load, lambda: tuple(map(stamp_of, (config.tls.certificate, config.tls.ca))))


def _open_again(config: Config) -> KeyStore:
    try:
        return open_key_store(config)
    except PassphraseError:
        # A running node keeps the keys it has, rather than failing every call.
        raise UnavailableError(
            "the key store was rewrapped, and [keys] passphrase_file does not hold the new passphrase yet",
            "put the new passphrase there, or restart the node with the new node.toml",
        ) from None
