"""Steps that rotations of all kinds share: reading states, making the next keys, moving them, erasing them.

Keys of several purposes may move as one: then each step does the same to the key of every purpose, and in
the database in one transaction. `purposes` names them; plans are made of the first.
"""

from collections.abc import Callable, Mapping, Sequence

from keys import KeyStore
from keys import rotation as plans
from keys.errors import KeyExistsError, KeyMissingError, KeyStateError
from keys.rotation import Step
from keys.store.kinds import fingerprint
from keys.types import EpochKey, KeyState
from node.context import Node
from node.database import Connection, key_epochs

Keyring = tuple[EpochKey, ...]


def read_keyring(node: Node, store: KeyStore, purposes: Sequence[str]) -> Keyring:
    """All epochs of some purposes; before the first rotation of one the key there is, which has no row yet.

    Raises KeyMissingError where the key store has none.
    """
    with node.store.transaction("read key epochs") as tx:
        found = tuple(key for key in key_epochs.read_epochs(tx) if key.purpose in purposes)
    known = {key.purpose for key in found}
    return (*found, *(_first(node, store, purpose) for purpose in purposes if purpose not in known))


def _first(node: Node, store: KeyStore, purpose: str) -> EpochKey:
    store.newest(purpose)  # raises, with what to do, when there is none
    epoch = store.epochs(purpose)[0]
    named = fingerprint(purpose, store.get(f"{purpose}.{epoch}"))
    return EpochKey(purpose, epoch, KeyState.ACTIVE, named, node.clock())


def make(
    node: Node,
    store: KeyStore,
    current: Sequence[EpochKey],
    epoch: int,
    draw: Callable[[str], bytes],
    salt_version: int | None = None,
) -> Mapping[str, bytes]:
    """The secrets of the next epoch by purpose: those an earlier run made, or fresh ones; rows `pending`.

    `current` are the active keys, one of each purpose; what is to be stored under the next ones is under the
    same salt, unless another `salt_version` is given. Raises KeyStateError for a key store that holds
    other keys than those that were begun with.
    """
    secrets = {key.purpose: _keep(store, f"{key.purpose}.{epoch}", draw) for key in current}
    now = node.clock()
    pending = [
        EpochKey(
            key.purpose,
            epoch,
            KeyState.PENDING,
            fingerprint(key.purpose, secrets[key.purpose]),
            now,
            salt_version=key.salt_version if salt_version is None else salt_version,
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

    node.store.retry_write("make an epoch", write)
    return secrets


def _keep(store: KeyStore, name: str, draw: Callable[[str], bytes]) -> bytes:
    try:
        return store.get(name)
    except KeyMissingError:
        secret = draw(name.partition(".")[0])
        try:
            store.add(name, secret)
        except KeyExistsError:  # another administrator was first, a moment ago
            return store.get(name)
        return secret


def apply(ring: Keyring, step: Step, purposes: Sequence[str], node: Node) -> list[EpochKey]:
    """The keys of all purposes that a step changes, as they are afterwards. Raises KeyStateError."""
    now = node.clock()
    return [
        after
        for purpose in purposes
        for after in plans.apply(ring, Step(step.action, purpose, step.epoch, step.until), now)
    ]


def move(
    node: Node, store: KeyStore, purposes: Sequence[str], plan: Callable[[Keyring], Sequence[Step]]
) -> list[EpochKey]:
    """Apply the steps of a plan in one transaction; return the keys that moved.

    Raises KeyStateError, ConflictError where another administrator was first.
    """
    ring = read_keyring(node, store, purposes)
    moved = [after for step in plan(ring) for after in apply(ring, step, purposes, node)]
    if moved:
        now = node.clock()
        node.store.retry_write("move key epochs", lambda tx: key_epochs.move_epochs(tx, ring, moved, now))
    return moved


def destroy(node: Node, store: KeyStore, purposes: Sequence[str], epoch: int | None) -> list[EpochKey]:
    """Erase the secrets of retired epochs, or of one. Raises KeyStateError for one still in use."""
    steps = plans.plan_destruction(read_keyring(node, store, purposes), purposes[0], epoch)
    for step in steps:
        # The secrets first: a run that is killed in between finds the rows still to be moved.
        for purpose in purposes:
            store.remove(f"{purpose}.{step.epoch}")
    return move(node, store, purposes, lambda _ring: steps)
