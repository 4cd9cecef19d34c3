"""Rotation of the federation's salt: a new epoch, filled from the sources (design.md section 6).

    make     keys `oprf.<epoch>` and those of sums; rows `pending` of them and of the salt, which
             `heqiao join` brought
    import   every import writes under both salts from now on, in one transaction (node/registers/importer.py)
    switch   once every partition has it: states in one transaction; the epoch before goes into grace
    retire   later: the old salt is refused, and what is stored under it removed
    destroy  at last: the salt is erased

The new epoch has its own keys, so that no tag, label or row of the old salt is found again under the new
one. An item has nothing under the new salt before its first full import; after it every import writes under
both, also in the grace (docs/adr/0010).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from keys import KeyStore
from keys import rotation as plans
from keys.errors import KeyStateError
from keys.rotation import Step
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey, KeyState, RotationPolicy
from node.credentials.active_keys import OPRF, SALT
from node.credentials.sum_keys import SUM_PURPOSES
from node.database import Connection, epoch_switch, key_epochs, sum_epoch_switch
from node.domain.catalogue import Catalogue
from node.domain.missing_partitions import MissingPartitions
from node.rotation.epochs import make_epoch, read_keyring
from node.rotation.run import Amount, Home, Keyring, Rotation, Run, require_node


class SaltRotation(Rotation):
    """Rotation of the salt, with the keys of all data stored under it."""

    purposes = (SALT,)

    def __init__(self, carries: Sequence[Rotation]) -> None:
        """`carries` are the kinds whose keys are under a salt."""
        self.carries = carries

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """Salts by version, then the keys under them; of sums only where the home has them.

        A salt without a row is the one in use, or a newer one that waits.
        """
        with home.store.transaction("read key epochs") as tx:
            known = {key.epoch: key for key in key_epochs.read_epochs(tx) if key.purpose == SALT}
        used = require_node(home).ring.refresh().salt_version
        for version in keys.epochs(SALT):
            if version not in known and version >= used:
                state = KeyState.ACTIVE if version == used else KeyState.PENDING
                named = fingerprint(SALT, keys.get(f"{SALT}.{version}"))
                known[version] = EpochKey(SALT, version, state, named, home.clock())
        held = [
            purpose
            for kind in self.carries
            for purpose in kind.purposes
            if kind.purposes[0] == OPRF or all(keys.epochs(one) for one in kind.purposes)
        ]
        return (*(known[version] for version in sorted(known)), *read_keyring(home, keys, held))

    def plan(self, home: Home, ring: Keyring, policy: RotationPolicy) -> tuple[Step, ...]:
        """The steps to the newest salt of the key store. Raises KeyStateError where none is newer."""
        whole = not self.missing(home, ring)
        return plans.plan_newest_salt(ring, policy, home.clock(), whole=whole)

    def plan_retirement(self, ring: Keyring, now: datetime, *, early: bool) -> tuple[Step, ...]:
        """Of salts and of the keys under them."""
        return plans.plan_salt_retirement(ring, now, early=early)

    def missing(self, home: Home, ring: Keyring) -> tuple[MissingPartitions, ...]:
        """Served partitions that are missing under the newest salt."""
        versions = [key.epoch for key in plans.pending(ring, SALT)]
        if not versions:
            return ()
        with home.store.transaction("find what a salt waits for") as tx:
            return _missing(tx, require_node(home).catalogue, ring, max(versions))

    def make(self, run: Run) -> None:
        """Rows of the salts, then keys of the epochs under the next one."""
        salts = run.old(SALT).epoch, run.epoch(SALT)
        # The salt first: status then shows at once what it waits for.
        make_epoch(run, (SALT,), lambda _: run.keys.get(f"{SALT}.{salts[1]}"))
        run.home.store.retry_write("begin a salt", lambda tx: _settle_salts(tx, salts, run.home.clock()))
        for kind in self.carries:
            if any(key.purpose == kind.purposes[0] for key in run.ring):
                make_epoch(run, kind.purposes, lambda one: generate_secret(one, run.home.random_bytes), salts)

    def switch(self, tx: Connection, run: Run) -> Amount:
        """Nothing to publish: every import did. Raises KeyStateError where something is missing."""
        if _missing(tx, run.node.catalogue, run.ring, run.epoch(SALT)):
            raise KeyStateError("an import published meanwhile", "run this again")
        return Amount()


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
    """Partitions served under the active epochs that are missing under those of a salt."""
    summed = [code for code in catalogue.codes if catalogue.item(code).sum is not None]

    def epochs_of(purpose: str) -> tuple[int, int]:
        waits = (key.epoch for key in plans.pending(ring, purpose) if key.salt_version == version)
        return plans.active(ring, purpose).epoch, next(waits, 0)

    found = {one.item: one for one in epoch_switch.missing(tx, *epochs_of(OPRF))}
    if any(key.purpose == SUM_PURPOSES[0] for key in ring):
        for item in sum_epoch_switch.missing(tx, *epochs_of(SUM_PURPOSES[0]), summed):
            found[item] = replace(found.get(item, MissingPartitions(item, 0)), sums=True)
    return tuple(found[item] for item in sorted(found))


def _settle_salts(tx: Connection, salts: tuple[int, int], now: datetime) -> None:
    """Give up salts that were pending before the next one; name the salt that keys began with."""
    known = [key for key in key_epochs.read_epochs(tx) if key.purpose == SALT]
    older = [key for key in known if key.state is KeyState.PENDING and key.epoch < salts[1]]
    given_up = [replace(key, state=KeyState.RETIRED, retired_at=now) for key in older]
    key_epochs.move_epochs(tx, known, given_up, now)
    key_epochs.name_salt(tx, (OPRF, *SUM_PURPOSES), salts[0])
