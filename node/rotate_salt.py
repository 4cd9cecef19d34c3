"""Rotation of the federation's salt: an epoch of its own, filled from the sources (design.md section 6).

    make     a key `oprf.<epoch>`; rows `pending` of it and of the salt, which `heqiao join` brought
    import   every import writes under both salts from now on, in one transaction (node/importer.py)
    switch   once every partition has it: states in one transaction; the epoch before goes into grace
    retire   later: the old salt is refused, and what is stored under it removed
    destroy  at last: the salt is erased

The new epoch is an epoch like any other, with a key of its own, so that nothing of the old salt's tags or
labels comes back under the new one. Until a partition was imported in full it has none under the new salt; from
then on no import leaves either behind, also in the grace.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keys import KeyStore
from keys import rotation as plans
from keys.errors import KeyMissingError, KeyStateError
from keys.kinds import fingerprint, generate_secret
from keys.rotation import Action, Step
from keys.types import EpochKey, KeyState, RotationPolicy
from node.node import OPRF, SALT, Node
from node.rotate import read_keyring
from node.store import Connection, epochs, succession
from node.store.succession import Lacking
from node.workspace import open_workspace


@dataclass(frozen=True, slots=True)
class Salted:
    """Where a rotation of the salt stands. `grace_until` is set once it has switched; then nothing lacks."""

    version: int
    epoch: int
    fingerprint: str
    begun: bool
    lacking: tuple[Lacking, ...]
    grace_until: datetime | None = None

    @property
    def switched(self) -> bool:
        """Whether the version is in use."""
        return self.grace_until is not None


def read_salt_ring(node: Node, store: KeyStore) -> tuple[EpochKey, ...]:
    """All salts by version; those without a row are the one in use, and newer ones that wait."""
    with node.store.transaction("read key epochs") as tx:
        known = {key.epoch: key for key in epochs.read_epochs(tx) if key.purpose == SALT}
    used = node.ring.refresh().salt_version
    for version in store.epochs(SALT):
        if version not in known and version >= used:
            state = KeyState.ACTIVE if version == used else KeyState.PENDING
            known[version] = EpochKey(SALT, version, state, _named(store, version), node.clock())
    return tuple(known[version] for version in sorted(known))


def plan_salt(
    node: Node, store: KeyStore, policy: RotationPolicy
) -> tuple[tuple[Step, ...], tuple[Lacking, ...]]:
    """The steps to the newest salt of the key store, and what lacks it. Raises KeyStateError."""
    ring, version = read_keyring(node, store), _next_version(node, store)
    lacking = _read_lacking(node, ring, version)
    steps = plans.plan_salt(ring, OPRF, version, policy, node.clock(), whole=not lacking)
    return steps, lacking


def rotate_salt(node: Node, store: KeyStore, policy: RotationPolicy) -> Salted:
    """Begin the rotation to the newest salt, or switch to it once everything has it.

    Raises KeyStateError where there is no newer salt or another rotation is under way, ConflictError while an
    import or rotation runs.
    """
    with open_workspace(node):
        version = _next_version(node, store)
        steps, _ = plan_salt(node, store, policy)
        begun, switch = steps[0].action is Action.MAKE, steps[-1]
        _begin(node, store, version, switch.epoch)
        ring = read_keyring(node, store)
        lacking = _read_lacking(node, ring, version)
        until = None
        if not lacking:
            until = switch.until or node.clock()
            _switch(node, store, ring, switch, version)
    node.ring.refresh()
    return Salted(version, switch.epoch, _named(store, version), begun, lacking, until)


def abandon(node: Node, store: KeyStore) -> list[EpochKey]:
    """Give up a rotation that has not switched, with what was imported for it; the salt itself stays."""
    with open_workspace(node):
        ring, now = read_keyring(node, store), node.clock()
        used = plans.active(ring, OPRF).salt_version
        steps = [
            Step(Action.ABANDON, OPRF, key.epoch)
            for key in ring
            if key.state is KeyState.PENDING and key.salt_version != used
        ]
        moved = [after for step in steps for after in plans.apply(ring, step, now)]
        if moved:
            node.store.retry_write("give a salt up", lambda tx: epochs.move_epochs(tx, ring, moved, now))
    node.ring.refresh()
    _forget_past(node, store)
    return moved


def retire(node: Node, store: KeyStore, *, early: bool = False) -> list[EpochKey]:
    """Refuse salts whose grace is over (with `early` all in grace), and remove what is stored under them."""
    salts, ring, now = read_salt_ring(node, store), read_keyring(node, store), node.clock()
    steps = plans.plan_retirement(salts, SALT, now, early=early)
    versions = {step.epoch for step in steps}
    oldest = min(store.epochs(SALT))
    steps += tuple(
        Step(Action.RETIRE, OPRF, key.epoch)
        for key in ring
        if key.state is KeyState.GRACE and (key.salt_version or oldest) in versions
    )
    both = (*salts, *ring)
    moved = [after for step in steps for after in plans.apply(both, step, now)]
    if moved:
        node.store.retry_write("retire a salt", lambda tx: epochs.move_epochs(tx, both, moved, now))
    node.ring.refresh()
    _forget_past(node, store)
    return moved


def destroy(node: Node, store: KeyStore, version: int | None = None) -> list[EpochKey]:
    """Erase retired salts, or one. Raises KeyStateError for one still in use."""
    salts, now = read_salt_ring(node, store), node.clock()
    steps = plans.plan_destruction(salts, SALT, version)
    for step in steps:
        # The secret first: a run that is killed in between finds the row still to be moved.
        store.remove(f"{SALT}.{step.epoch}")
    moved = [after for step in steps for after in plans.apply(salts, step, now)]
    if moved:
        node.store.retry_write("destroy a salt", lambda tx: epochs.move_epochs(tx, salts, moved, now))
    return moved


def _next_version(node: Node, store: KeyStore) -> int:
    used, held = node.ring.refresh().salt_version, store.epochs(SALT)
    if held[-1] <= used:
        raise KeyStateError(
            f"this home has no newer salt than version {used}, which is in use",
            "the federation's CA makes one with `heqiao ca salt`; take its bundle with `heqiao join`",
        )
    return held[-1]


def _read_lacking(node: Node, ring: Sequence[EpochKey], version: int) -> tuple[Lacking, ...]:
    current = plans.active(ring, OPRF)
    pending = next((k.epoch for k in ring if k.state is KeyState.PENDING and k.salt_version == version), 0)
    with node.store.transaction("find what lacks a salt") as tx:
        return succession.lacking(tx, current.epoch, pending)


def _begin(node: Node, store: KeyStore, version: int, epoch: int) -> None:
    """Rows of the pending epoch and of the salts, with their events; nothing where an earlier run was here."""
    name = f"{OPRF}.{epoch}"
    try:
        secret = store.get(name)
    except KeyMissingError:
        secret = generate_secret(OPRF, node.random_bytes)
        store.add(name, secret)
    now, current = node.clock(), plans.active(read_keyring(node, store), OPRF)
    used = node.keys.salt_version
    pending = EpochKey(OPRF, epoch, KeyState.PENDING, fingerprint(OPRF, secret), now, salt_version=version)
    salts = [
        EpochKey(SALT, used, KeyState.ACTIVE, _named(store, used), now),
        EpochKey(SALT, version, KeyState.PENDING, _named(store, version), now),
    ]

    def write(tx: Connection) -> None:
        known = {(key.purpose, key.epoch): key for key in epochs.read_epochs(tx)}
        if (OPRF, current.epoch) not in known:
            epochs.add_epoch(tx, replace(current, salt_version=used), now)
        elif not current.salt_version:
            epochs.set_salt(tx, OPRF, current.epoch, used)
        for key in (pending, *salts):
            if (key.purpose, key.epoch) not in known:
                epochs.add_epoch(tx, key, now)
            elif known[key.purpose, key.epoch].fingerprint != key.fingerprint:
                raise KeyStateError(
                    f"{key.purpose}.{key.epoch}: the key store holds another key than was begun with",
                    "restore the key store from the backup that was made with the database",
                )
        given_up = [
            replace(key, state=KeyState.RETIRED, retired_at=now)
            for key in known.values()
            if key.purpose == SALT and key.state is KeyState.PENDING and key.epoch < version
        ]
        epochs.move_epochs(tx, known.values(), given_up, now)

    node.store.retry_write("begin a salt", write)


def _switch(node: Node, store: KeyStore, ring: Sequence[EpochKey], switch: Step, version: int) -> None:
    salts, now = read_salt_ring(node, store), node.clock()
    both = (*ring, *salts)
    until = Step(Action.SWITCH, SALT, version, switch.until)
    moved = (*plans.apply(ring, switch, now), *plans.apply(salts, until, now))
    current = plans.active(ring, OPRF)

    def write(tx: Connection) -> None:
        if succession.lacking(tx, current.epoch, switch.epoch):
            raise KeyStateError("an import published meanwhile", "run this again")
        epochs.move_epochs(tx, both, moved, now)

    node.store.retry_write("switch salts", write)


def _forget_past(node: Node, store: KeyStore) -> None:
    """Also of epochs whose removal a killed run did not end."""
    for key in read_keyring(node, store):
        if key.state in (KeyState.RETIRED, KeyState.DESTROYED):
            succession.forget_epoch(node.store, key.epoch)


def _named(store: KeyStore, version: int) -> str:
    return fingerprint(SALT, store.get(f"{SALT}.{version}"))
