"""What every part of a running node is given: configuration, store, keys, catalogue, clock, randomness."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from blake3 import blake3

from keys import Kek, tls_key_for
from matcher import oprf, token
from matcher.oprf import RandomBytes
from node import catalogue
from node.catalogue import Catalogue
from node.clock import Clock, utc_now
from node.config import Config, database_url, open_key_store
from node.errors import PreconditionError
from node.store import Store, open_store


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The opened keys a node works with. Nothing of them shows in a repr.

    `oprf` is the 32-byte OPRF key of `epoch` and `canaries` its evaluations of the public constants
    (both empty for the role platform); `salts` are the federation's salts by version; `signing` is the
    Ed25519 key; `vault` seals what the database keeps and `digest_key` keys digests of it;
    `tls_key`, `certificate` and `ca` are PEM.
    """

    epoch: int
    oprf: bytes = field(repr=False)
    canaries: bytes = field(repr=False)
    salts: Mapping[int, bytes] = field(repr=False)
    signing: bytes = field(repr=False)
    vault: Kek = field(repr=False)
    digest_key: bytes = field(repr=False)
    tls_key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    ca: bytes = field(repr=False)

    @property
    def salt_version(self) -> int:
        """The current version of the federation's salt."""
        return max(self.salts)

    @property
    def salt(self) -> bytes:
        """The current salt, 32 bytes."""
        return self.salts[self.salt_version]


@dataclass(frozen=True, slots=True)
class Node:
    """One province's node."""

    config: Config
    store: Store
    keys: NodeKeys
    catalogue: Catalogue
    clock: Clock = utc_now
    random_bytes: RandomBytes = secrets.token_bytes

    @property
    def code(self) -> str:
        """The province code."""
        return self.config.node.code


def open_node(config: Config, clock: Clock = utc_now) -> Node:
    """Open everything a command or server needs of a node.

    Raises ConfigError, KeyringError, PreconditionError (not joined yet, old schema), UnavailableError.
    """
    return Node(
        config=config,
        store=open_store(database_url(config)),
        keys=load_keys(config),
        catalogue=catalogue.load(config.catalogue.path),
        clock=clock,
    )


def load_keys(config: Config) -> NodeKeys:
    """Open the keys a node works with. Raises KeyringError, or PreconditionError before `heqiao join`."""
    store = open_key_store(config)
    names = store.names()
    salts = {int(name.partition(".")[2]): store.get(name) for name in names if name.startswith("salt.")}
    if not salts or not config.tls.certificate.exists():
        raise PreconditionError(
            "this home has not joined a federation yet",
            "send its request.json to the federation's administrator, then run `heqiao join` with the bundle",
        )
    epoch, oprf_key = store.newest("oprf") if config.node.role == "node" else (0, b"")
    certificate = config.tls.certificate.read_bytes()
    storage = store.newest("storage")[1]
    return NodeKeys(
        epoch=epoch,
        oprf=oprf_key,
        canaries=oprf.evaluate_own(oprf_key, token.canary_points()) if oprf_key else b"",
        salts=salts,
        signing=store.newest("signing")[1],
        vault=Kek(storage),
        digest_key=blake3(storage, derive_key_context="heqiao v1 storage digest key").digest(),
        tls_key=tls_key_for(store, certificate),
        certificate=certificate,
        ca=config.tls.ca.read_bytes(),
    )
