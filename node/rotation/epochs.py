"""The keys of an epoch: read with their states, and made."""

from collections.abc import Sequence
from dataclasses import replace

from keys import KeyStore
from keys.errors import KeyExistsError, KeyMissingError, KeyStateError
from keys.store.kinds import fingerprint
from keys.types import EpochKey, KeyState
from node.database import Connection, key_epochs
from node.rotation.run import Draw, Home, Keyring, Run


def read_keyring(home: Home, keys: KeyStore, purposes: Sequence[str]) -> Keyring:
    """All epochs of some purposes; before the first rotation of one its only key, which has no row yet.

    Raises KeyMissingError where the key store has none.
    """
    with home.store.transaction("read key epochs") as tx:
        found = tuple(key for key in key_epochs.read_epochs(tx) if key.purpose in purposes)
    known = {key.purpose for key in found}
    return (*found, *(_first(home, keys, purpose) for purpose in purposes if purpose not in known))


def _first(home: Home, keys: KeyStore, purpose: str) -> EpochKey:
    keys.newest(purpose)  # raises, with what to do, when there is none
    epoch = keys.epochs(purpose)[0]
    named = fingerprint(purpose, keys.get(f"{purpose}.{epoch}"))
    return EpochKey(purpose, epoch, KeyState.ACTIVE, named, home.clock())


def make_epoch(run: Run, purposes: Sequence[str], draw: Draw, salts: tuple[int, int] | None = None) -> None:
    """The next epoch of keys that rotate as one: those an earlier run made, or fresh ones; rows `pending`.

    `salts` are the versions that the active and the next keys are under; without it both are under the same.
    Raises KeyStateError for a key store whose keys are not those that the rotation began with.
    """
    current = [run.old(purpose) for purpose in purposes]
    if salts:
        current = [replace(key, salt_version=salts[0]) for key in current]
    epoch, now = run.epoch(purposes[0]), run.home.clock()
    secrets = {purpose: _keep(run.keys, f"{purpose}.{epoch}", draw) for purpose in purposes}
    pending = [
        EpochKey(
            key.purpose,
            epoch,
            KeyState.PENDING,
            fingerprint(key.purpose, secrets[key.purpose]),
            now,
            salt_version=salts[1] if salts else key.salt_version,
        )
        for key in current
    ]

    def write(tx: Connection) -> None:
        known = {(key.purpose, key.epoch): key for key in key_epochs.read_epochs(tx)}
        for key in (*current, *pending):
            found = known.get((key.purpose, key.epoch))
            if found is None:
                key_epochs.add_epoch(tx, key, now)
            elif found.fingerprint != key.fingerprint:
                raise KeyStateError(
                    f"{key.purpose}.{key.epoch}: the key store holds another key than this rotation began "
                    "with",
                    "restore the key store from the backup that was made with the database",
                )

    run.home.store.retry_write("make an epoch", write)


def _keep(keys: KeyStore, name: str, draw: Draw) -> bytes:
    try:
        return keys.get(name)
    except KeyMissingError:
        secret = draw(name.partition(".")[0])
        try:
            keys.add(name, secret)
        except KeyExistsError:  # another administrator was faster
            return keys.get(name)
        return secret
