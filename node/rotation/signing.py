"""Rotation of the signing key: the next one is signed by the one before, and peers follow (design.md 6).

    make     `signing.<epoch>` in the key store, a row `pending`
    switch   states and the statement that both keys sign, in one transaction; running nodes sign with the
             new key within half a second, and show the statement beside each manifest
    retire   later: the statement is shown no more, and the old key was of no use since the switch
    destroy  at last: its secret goes

The old key signs one thing more, the statement; peers that see it within its grace pin the new key by
themselves (node/requester/pinned_keys.py). Whoever was away for longer needs the new card.
"""

from dataclasses import dataclass

from keys import KeyStore, signing_chain
from keys import rotation as plans
from keys.errors import KeyStateError
from keys.rotation import Action, Step
from keys.signing_chain import Succession
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey, RotationPolicy
from node.clock import utc_now
from node.config import Config, database_url
from node.context import Node
from node.credentials.active_keys import SIGNING, active_epoch
from node.database import Connection, key_epochs, open_store
from node.database import signing_keys as signing_rows
from node.rotation import driver
from node.rotation.oprf import Rotated
from node.telemetry.progress import Progress, Stopwatch

PURPOSES = (SIGNING,)


@dataclass(frozen=True, slots=True)
class Signer:
    """Epoch of the active signing key, and the statements that lead to it from keys in grace."""

    epoch: int
    successions: tuple[Succession, ...] = ()


def read_signer(config: Config, store: KeyStore) -> Signer:
    """What signs cards and requests. Of a store with one signing key, without asking the database.

    Raises KeyMissingError, UnavailableError.
    """
    held = store.epochs(SIGNING)
    if len(held) == 1:
        return Signer(held[0])
    database = open_store(database_url(config))
    try:
        with database.transaction("read signing keys") as tx:
            epoch = active_epoch(store, key_epochs.read_epochs(tx), SIGNING)
            return Signer(epoch, signing_rows.served_statements(tx, config.node.code, utc_now()))
    finally:
        database.dispose()


def read_keyring(node: Node, store: KeyStore) -> tuple[EpochKey, ...]:
    """All epochs of the signing key; before the first rotation the one there is, which has no row yet."""
    return driver.read_keyring(node, store, PURPOSES)


def rotate_signing(
    node: Node,
    store: KeyStore,
    policy: RotationPolicy,
    *,
    workers: int | None = None,  # noqa: ARG001  there is no work to share
    progress: Progress = lambda _stage, _done, _total: None,
) -> Rotated:
    """Make the next signing key active, or finish a rotation that was begun.

    Raises ConflictError where another administrator was first, KeyStateError for a state or clock that does
    not allow it, UnavailableError for a database or disk that fails; the old key goes on signing.
    """
    watch = Stopwatch()
    ring = read_keyring(node, store)
    steps = plans.plan_rotation(ring, SIGNING, policy, node.clock())
    resumed = steps[0].action is not Action.MAKE
    current, switch = plans.active(ring, SIGNING), steps[-1]
    old = _require_own(store, current)
    secrets = driver.make(
        node, store, [current], switch.epoch, lambda _: generate_secret(SIGNING, node.random_bytes)
    )
    progress("make", 1, 1)
    watch.lap("make")
    _switch(node, store, switch, old, secrets[SIGNING])
    progress("switch", 1, 1)
    watch.lap("switch")
    node.ring.refresh()
    named = fingerprint(SIGNING, secrets[SIGNING])
    return Rotated(switch.epoch, named, switch.until or node.clock(), 0, 0, resumed, dict(watch.seconds))


def retire(node: Node, store: KeyStore, *, early: bool = False) -> list[EpochKey]:
    """Show the statements of keys whose grace is over no more (with `early` of all in grace)."""
    moved = driver.move(
        node, store, PURPOSES, lambda ring: plans.plan_retirement(ring, SIGNING, node.clock(), early=early)
    )
    node.ring.refresh()
    return moved


def destroy(node: Node, store: KeyStore, epoch: int | None = None) -> list[EpochKey]:
    """Erase the secrets of retired keys, or of one. Raises KeyStateError for one still in use."""
    return driver.destroy(node, store, PURPOSES, epoch)


def _require_own(store: KeyStore, current: EpochKey) -> bytes:
    """The secret of the active key: peers would not follow from any other."""
    secret = store.get(f"{SIGNING}.{current.epoch}")
    if fingerprint(SIGNING, secret) != current.fingerprint:
        raise KeyStateError(
            f"{SIGNING}.{current.epoch}: the key store holds another key than the database knows",
            "restore the database and the key store from one backup",
        )
    return secret


def _switch(node: Node, store: KeyStore, step: Step, old: bytes, new: bytes) -> None:
    """States and the statement in one transaction."""
    ring, now = read_keyring(node, store), node.clock()
    moved = driver.apply(ring, step, PURPOSES, node)
    before = plans.active(ring, SIGNING)
    statement = signing_chain.sign(node.code, step.epoch, old, new, now, step.until or now)

    def write(tx: Connection) -> None:
        key_epochs.move_epochs(tx, ring, moved, now)
        signing_rows.add_statement(tx, statement, before.epoch, now)

    node.store.retry_write("switch signing keys", write)
