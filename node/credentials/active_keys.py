"""The keys of the key store that a node uses now: the active epoch, epochs in grace, salts."""

from pathlib import Path

from blake3 import blake3

from keys import KeyStore, tls_key_for
from keys.errors import KeyMissingError, PermissionsError
from keys.store.vault import Vault
from keys.types import KeyState
from matcher.suites.suite import CURRENT
from node.config import Config
from node.credentials.keyring import Epochs, GraceKey, NextKey, NodeKeys
from node.credentials.sum_keys import active_sums, grace_sums, pending_sums
from node.credentials.tls_identity import require_joined

OPRF = "oprf"
RECORD = "record"
SIGNING = "signing"
SALT = "salt"
STORAGE = "storage"
_ENDED = (KeyState.RETIRED, KeyState.DESTROYED)


def read_keys(config: Config, store: KeyStore, found: Epochs) -> NodeKeys:
    """The keys of a home whose database has the epochs `found`.

    Raises KeyringError, or PreconditionError before `heqiao join`.
    """
    salts = read_salts(store, found)
    require_joined(config, has_salt=bool(salts))
    epoch = active_epoch(store, found) if config.node.role == "node" else 0
    oprf_key = _active_key(store, OPRF, epoch) if epoch else b""
    certificate = _read_file(config.tls.certificate)
    try:
        sums, grace, sums_before = (
            active_sums(store, found),
            grace_keys(store, found),
            grace_sums(store, found),
        )
    except KeyMissingError as error:
        raise KeyMissingError(
            f"{error}; the database needs it",
            "restore database and key store from the same time; `heqiao keys status` shows what is missing",
        ) from None
    return NodeKeys(
        epoch=epoch,
        oprf=oprf_key,
        canaries=CURRENT.class_canaries(oprf_key) if oprf_key else {},
        record=store.newest(RECORD)[1] if epoch else b"",
        salts=salts,
        signing=_active_key(store, SIGNING, active_epoch(store, found, SIGNING)),
        vault=_open_vault(store, found),
        # Not of the storage key, which rotates: stored digests must be found again. A platform stores none.
        digest_key=blake3(
            store.newest(RECORD if epoch else STORAGE)[1], derive_key_context="heqiao v1 digest key"
        ).digest(),
        tls_key=tls_key_for(store, certificate),
        certificate=certificate,
        ca=_read_file(config.tls.ca),
        grace=grace,
        sums=sums if epoch else None,
        grace_sums=sums_before,
        salt_in_use=salt_in_use(found),
        upcoming=upcoming_key(store, found),
    )


def _open_vault(store: KeyStore, found: Epochs) -> Vault:
    """All storage keys that something may be sealed under, also one that another process uses already."""
    over = {key.epoch for key in found if key.purpose == STORAGE and key.state in _ENDED}
    held = {epoch: store.get(f"{STORAGE}.{epoch}") for epoch in store.epochs(STORAGE) if epoch not in over}
    active = active_epoch(store, found, STORAGE)
    held[active] = _active_key(store, STORAGE, active)
    return Vault(held, active)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermissionsError(
            f"{path}: cannot be read: {error.strerror}", "run as the account that owns the home"
        ) from None


def _active_key(store: KeyStore, purpose: str, epoch: int) -> bytes:
    try:
        return store.get(f"{purpose}.{epoch}")
    except KeyMissingError:
        raise KeyMissingError(
            f"the active key {purpose}.{epoch} is in the database, and not in the key store",
            "restore a backup of the key store from after the rotation, or copy it from where it was rotated",
        ) from None


def active_epoch(store: KeyStore, found: Epochs, purpose: str = OPRF) -> int:
    """The active epoch of a key by the database; before any rotation, the lowest epoch of the key store.

    Raises KeyMissingError where there is none.
    """
    known = [key.epoch for key in found if key.purpose == purpose and key.state is KeyState.ACTIVE]
    if known:
        return known[0]
    store.newest(purpose)  # raises an error with a hint when there is none
    return store.epochs(purpose)[0]


def grace_keys(store: KeyStore, found: Epochs) -> dict[int, GraceKey]:
    """OPRF keys of the epochs in grace; keys of epochs that have ended are dropped from memory."""
    keys = {}
    for key in found:
        if key.purpose == OPRF and key.state is KeyState.GRACE:
            secret = store.get(f"{OPRF}.{key.epoch}")
            keys[key.epoch] = GraceKey(secret, key.grace_until, key.salt_version)
        elif key.state in (KeyState.RETIRED, KeyState.DESTROYED):
            store.forget(f"{key.purpose}.{key.epoch}")
    return keys


def read_salts(store: KeyStore, found: Epochs) -> dict[int, bytes]:
    """Salts by version, without retired ones."""
    over = {
        f"{SALT}.{key.epoch}"
        for key in found
        if key.purpose == SALT and key.state in (KeyState.RETIRED, KeyState.DESTROYED)
    }
    names = [name for name in store.names() if name.startswith(f"{SALT}.") and name not in over]
    return {int(name.partition(".")[2]): store.get(name) for name in names}


def salt_in_use(found: Epochs) -> int:
    """The salt version of the active epoch; 0, the oldest, while no salt was ever replaced."""
    active = [key.salt_version for key in found if key.purpose == OPRF and key.state is KeyState.ACTIVE]
    return active[0] if active else 0


def upcoming_key(store: KeyStore, found: Epochs) -> NextKey | None:
    """The key of the pending epoch under another salt; None where there is no such rotation."""
    used, names = salt_in_use(found), store.names()
    for key in found:
        # A key store copied before the rotation began lacks this key: the node still serves, imports fail.
        held, waits = f"{OPRF}.{key.epoch}" in names, key.state is KeyState.PENDING
        if key.purpose == OPRF and waits and held and key.salt_version != used:
            secret, version = store.get(f"{OPRF}.{key.epoch}"), key.salt_version
            return NextKey(key.epoch, secret, version, pending_sums(store, found, version))
    return None
