"""Rotation of the federation's salt: an epoch of its own, filled from the sources (design.md section 6).

    make     keys `oprf.<epoch>` and those of sums; rows `pending` of them and of the salt, which
             `heqiao join` brought
    import   every import writes under both salts from now on, in one transaction (node/registers/importer.py)
    switch   once every partition has it: states in one transaction; the epoch before goes into grace
    retire   later: the old salt is refused, and what is stored under it removed
    destroy  at last: the salt is erased

The new epoch is an epoch like any other, with keys of its own, so that nothing of the old salt's tags, labels
or rows comes back under the new one. Until an item was imported in full it has nothing under the new salt;
from then on no import leaves either behind, also in the grace (docs/adr/0010).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keys import KeyStore
from keys import rotation as plans
from keys.errors import KeyStateError
from keys.rotation import Action, Step
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey, KeyState, RotationPolicy
from node.context import Node
from node.credentials.active_keys import OPRF, SALT
from node.credentials.sum_keys import SUM_PURPOSES
from node.database import Connection, epoch_switch, key_epochs, sum_epoch_switch
from node.database.epoch_switch import MissingPartitions
from node.domain.catalogue import Catalogue
from node.index.update_lock import open_workspace
from node.rotation import driver


@dataclass(frozen=True, slots=True)
class Salted:
    """Where a rotation of the salt stands. `grace_until` is set once it has switched; then nothing lacks."""

    version: int
    epoch: int
    fingerprint: str
    begun: bool
    missing: tuple[MissingPartitions, ...]
    grace_until: datetime | None = None

    @property
    def switched(self) -> bool:
        """Whether the version is in use."""
        return self.grace_until is not None


def read_salt_ring(node: Node, store: KeyStore) -> tuple[EpochKey, ...]:
    """All salts by version; those without a row are the one in use, and newer ones that wait."""
    with node.store.transaction("read key epochs") as tx:
        known = {key.epoch: key for key in key_epochs.read_epochs(tx) if key.purpose == SALT}
    used = node.ring.refresh().salt_version
    for version in store.epochs(SALT):
        if version not in known and version >= used:
            state = KeyState.ACTIVE if version == used else KeyState.PENDING
            known[version] = EpochKey(SALT, version, state, _named(store, version), node.clock())
    return tuple(known[version] for version in sorted(known))


def plan_salt(
    node: Node, store: KeyStore, policy: RotationPolicy
) -> tuple[tuple[Step, ...], tuple[MissingPartitions, ...]]:
    """The steps to the newest salt of the key store, and what lacks it. Raises KeyStateError."""
    ring, version = _read_ring(node, store), _next_version(node, store)
    missing = _read_missing(node, ring, version)
    for purpose in _led(ring)[1:]:  # only to see whether it may be
        plans.plan_salt(ring, purpose, version, policy, node.clock(), whole=True)
    return plans.plan_salt(ring, OPRF, version, policy, node.clock(), whole=not missing), missing


def rotate_salt(node: Node, store: KeyStore, policy: RotationPolicy) -> Salted:
    """Begin the rotation to the newest salt, or switch to it once everything has it.

    Raises KeyStateError where there is no newer salt or another rotation is under way, ConflictError while an
    import or rotation runs.
    """
    with open_workspace(node):
        version = _next_version(node, store)
        steps, _ = plan_salt(node, store, policy)
        begun, switch = steps[0].action is Action.MAKE, steps[-1]
        _begin(node, store, version, policy)
        ring = _read_ring(node, store)
        missing = _read_missing(node, ring, version)
        until = None
        if not missing:
            until = switch.until or node.clock()
            _switch(node, store, version, policy)
    node.ring.refresh()
    return Salted(version, switch.epoch, _named(store, version), begun, missing, until)


def abandon(node: Node, store: KeyStore) -> list[EpochKey]:
    """Give up a rotation that has not switched, with what was imported for it; the salt itself stays."""
    with open_workspace(node):
        ring = _read_ring(node, store)
        used = plans.active(ring, OPRF).salt_version
        steps = [
            Step(Action.ABANDON, key.purpose, key.epoch)
            for key in ring
            if key.state is KeyState.PENDING and key.salt_version != used
        ]
        moved = _move(node, ring, steps)
    node.ring.refresh()
    _forget_past(node, store)
    return moved


def retire(node: Node, store: KeyStore, *, early: bool = False) -> list[EpochKey]:
    """Refuse salts whose grace is over (with `early` all in grace), and remove what is stored under them."""
    salts, ring = read_salt_ring(node, store), _read_ring(node, store)
    steps = plans.plan_retirement(salts, SALT, node.clock(), early=early)
    versions, oldest = {step.epoch for step in steps}, min(store.epochs(SALT))
    steps += tuple(
        Step(Action.RETIRE, key.purpose, key.epoch)
        for key in ring
        if key.state is KeyState.GRACE and (key.salt_version or oldest) in versions
    )
    moved = _move(node, (*salts, *ring), steps)
    node.ring.refresh()
    _forget_past(node, store)
    return moved


def destroy(node: Node, store: KeyStore, version: int | None = None) -> list[EpochKey]:
    """Erase retired salts, or one. Raises KeyStateError for one still in use."""
    salts = read_salt_ring(node, store)
    steps = plans.plan_destruction(salts, SALT, version)
    for step in steps:
        # The secret first: a run that is killed in between finds the row still to be moved.
        store.remove(f"{SALT}.{step.epoch}")
    return _move(node, salts, steps)


def _next_version(node: Node, store: KeyStore) -> int:
    used, held = node.ring.refresh().salt_version, store.epochs(SALT)
    if held[-1] <= used:
        raise KeyStateError(
            f"this home has no newer salt than version {used}, which is in use",
            "the federation's CA makes one with `heqiao ca salt`; take its bundle with `heqiao join`",
        )
    return held[-1]


def _read_ring(node: Node, store: KeyStore) -> tuple[EpochKey, ...]:
    """The keys of everything that is stored under a salt: of the index, and of sums where there are such."""
    held = all(store.epochs(purpose) for purpose in SUM_PURPOSES)
    return driver.read_keyring(node, store, (OPRF, *(SUM_PURPOSES if held else ())))


def _led(ring: Sequence[EpochKey]) -> tuple[str, ...]:
    """The purposes that have epochs of their own: OPRF, and the first of sums."""
    return tuple(one for one in (OPRF, SUM_PURPOSES[0]) if any(key.purpose == one for key in ring))


def _read_missing(node: Node, ring: Sequence[EpochKey], version: int) -> tuple[MissingPartitions, ...]:
    with node.store.transaction("find what lacks a salt") as tx:
        return _missing(tx, node.catalogue, ring, version)


def read_missing(
    tx: Connection, known: Sequence[EpochKey], catalogue: Catalogue
) -> tuple[MissingPartitions, ...]:
    """What a rotation that was begun still waits for, nothing where none was; `known` are all keys."""
    used = [key.salt_version for key in known if (key.purpose, key.state) == (OPRF, KeyState.ACTIVE)]
    for key in known:
        if (key.purpose, key.state) == (OPRF, KeyState.PENDING) and key.salt_version not in used:
            return _missing(tx, catalogue, known, key.salt_version)
    return ()


def _missing(
    tx: Connection, catalogue: Catalogue, ring: Sequence[EpochKey], version: int
) -> tuple[MissingPartitions, ...]:
    """What is served under the active epochs and is not there under those of a salt."""
    summed = [code for code in catalogue.codes if catalogue.item(code).sum is not None]

    def epochs_of(purpose: str) -> tuple[int, int]:
        waits = (
            key.epoch
            for key in ring
            if (key.purpose, key.state, key.salt_version) == (purpose, KeyState.PENDING, version)
        )
        return plans.active(ring, purpose).epoch, next(waits, 0)

    found = {one.item: one for one in epoch_switch.missing(tx, *epochs_of(OPRF))}
    for purpose in _led(ring)[1:]:
        for item in sum_epoch_switch.missing(tx, *epochs_of(purpose), summed):
            found[item] = replace(found.get(item, MissingPartitions(item, 0)), sums=True)
    return tuple(found[item] for item in sorted(found))


def _begin(node: Node, store: KeyStore, version: int, policy: RotationPolicy) -> None:
    """Keys and rows of the pending epochs and of the salts; nothing new where an earlier run was here."""
    ring, used, now = _read_ring(node, store), node.keys.salt_version, node.clock()
    salts = {
        one: EpochKey(SALT, one, state, _named(store, one), now)
        for one, state in ((used, KeyState.ACTIVE), (version, KeyState.PENDING))
    }

    def write(tx: Connection) -> None:
        known = {key.epoch: key for key in key_epochs.read_epochs(tx) if key.purpose == SALT}
        for one, key in salts.items():
            if one not in known:
                key_epochs.add_epoch(tx, key, now)
            elif known[one].fingerprint != key.fingerprint:
                raise KeyStateError(
                    f"{SALT}.{one}: the key store holds another key than this rotation began with",
                    "restore the key store from the backup that was made with the database",
                )
        given_up = [
            replace(key, state=KeyState.RETIRED, retired_at=now)
            for key in known.values()
            if key.state is KeyState.PENDING and key.epoch < version
        ]
        key_epochs.move_epochs(tx, known.values(), given_up, now)
        key_epochs.name_salt(tx, (OPRF, *SUM_PURPOSES), used)

    # The salt first: what waits for it says so from its first moment.
    node.store.retry_write("begin a salt", write)
    for first in _led(ring):
        epoch = plans.plan_salt(ring, first, version, policy, now, whole=True)[-1].epoch
        purposes = SUM_PURPOSES if first in SUM_PURPOSES else (OPRF,)
        current = [replace(plans.active(ring, one), salt_version=used) for one in purposes]
        driver.make(node, store, current, epoch, lambda one: generate_secret(one, node.random_bytes), version)


def _switch(node: Node, store: KeyStore, version: int, policy: RotationPolicy) -> None:
    ring, salts, now = _read_ring(node, store), read_salt_ring(node, store), node.clock()
    both = (*ring, *salts)
    moved = list(plans.apply(salts, Step(Action.SWITCH, SALT, version, now + policy.grace), now))
    for first in _led(ring):
        switch = plans.plan_salt(ring, first, version, policy, now, whole=True)[-1]
        purposes = SUM_PURPOSES if first in SUM_PURPOSES else (OPRF,)
        moved += driver.apply(ring, switch, purposes, node)

    def write(tx: Connection) -> None:
        if _missing(tx, node.catalogue, ring, version):
            raise KeyStateError("an import published meanwhile", "run this again")
        key_epochs.move_epochs(tx, both, moved, now)

    node.store.retry_write("switch salts", write)


def _move(node: Node, ring: Sequence[EpochKey], steps: Sequence[Step]) -> list[EpochKey]:
    now = node.clock()
    moved = [after for step in steps for after in plans.apply(ring, step, now)]
    if moved:
        node.store.retry_write("move key epochs", lambda tx: key_epochs.move_epochs(tx, ring, moved, now))
    return moved


def _forget_past(node: Node, store: KeyStore) -> None:
    """Also of epochs whose removal a killed run did not end."""
    for key in _read_ring(node, store):
        if key.state in (KeyState.RETIRED, KeyState.DESTROYED):
            if key.purpose == OPRF:
                epoch_switch.forget_epoch(node.store, key.epoch)
            elif key.purpose == SUM_PURPOSES[0]:
                sum_epoch_switch.forget_epoch(node.store, key.epoch)


def _named(store: KeyStore, version: int) -> str:
    return fingerprint(SALT, store.get(f"{SALT}.{version}"))
