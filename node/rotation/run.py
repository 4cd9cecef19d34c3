"""The input of a rotation, and what each kind of keys does in it (node/rotation/driver.py runs it)."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Step
from keys.types import EpochKey, RotationPolicy
from matcher.oprf import RandomBytes
from node.clock import Clock, utc_now
from node.compute.types import Usage
from node.config import Config
from node.context import Node
from node.database import Connection, Store, database_url, open_store
from node.domain.missing_partitions import MissingPartitions
from node.errors import ConfigError, ConflictError
from node.telemetry.progress import Progress

Keyring = tuple[EpochKey, ...]
NO_USAGE: Final = Usage(0, 0)


@dataclass(frozen=True, slots=True)
class KeyHome:
    """A home of which only the configuration and the database are opened: enough for its TLS key,
    and all that the home of a platform has.
    """

    config: Config
    store: Store
    clock: Clock
    random_bytes: RandomBytes


Home = Node | KeyHome


@dataclass(frozen=True, slots=True)
class Amount:
    """What is stored under a key: `entries` in `parts`; what moving them took, over `workers` processes."""

    parts: int = 0
    entries: int = 0
    usage: Usage = NO_USAGE
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One rotation: the states before it and its steps. `folder` is for temporary files; a kind that works
    without one has None. `workers`: processes that do the work, None for as many as it is worth.
    """

    home: Home
    keys: KeyStore
    ring: Keyring
    steps: tuple[Step, ...]
    folder: Path | None = None
    workers: int | None = None
    progress: Progress = lambda _stage, _done, _total: None

    @property
    def node(self) -> Node:
        """The whole node. Raises ConfigError for a home that is not of one."""
        return require_node(self.home)

    def old(self, purpose: str) -> EpochKey:
        """The key that is replaced. Raises KeyStateError where there is not exactly one."""
        return plans.active(self.ring, purpose)

    def require_folder(self) -> Path:
        """Where temporary files are written. Raises ConflictError without the lock of the home."""
        if self.folder is None:
            raise ConflictError("this rotation needs the lock of the home", "run it by the driver")
        return self.folder

    def epoch(self, purpose: str) -> int:
        """The epoch that the steps lead to, by the leading purpose of keys that rotate as one."""
        return next(step.epoch for step in self.steps if step.purpose == purpose)


class Rotation(Protocol):
    """A kind of keys. By default a step does nothing.

    `purposes` have one epoch together; plans are made for the first. `carries` are kinds whose
    keys get an epoch of their own in the same switch. `is_exclusive`: imports wait for it.
    """

    purposes: tuple[str, ...]
    carries: Sequence["Rotation"] = ()
    is_exclusive: bool = True

    def policy(self, config: Config) -> RotationPolicy:
        """How often, and how long the epoch before is answered."""
        return plans.together(policies(config), self.purposes)

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """All keys of `purposes` and `carries`, with their states. Raises KeyringError."""

    def plan(self, home: Home, ring: Keyring, policy: RotationPolicy) -> tuple[Step, ...]:
        """The steps that are left to do. Raises KeyStateError."""
        return plans.plan_rotation(ring, self.purposes[0], policy, home.clock())

    def plan_retirement(self, ring: Keyring, now: datetime, *, early: bool) -> tuple[Step, ...]:
        """The epochs whose grace is over; with `early` all in grace."""
        return plans.plan_retirement(ring, self.purposes[0], now, early=early)

    def missing(self, _home: Home, _ring: Keyring) -> tuple[MissingPartitions, ...]:
        """What must be imported under the next key before the switch."""
        return ()

    def measure(self, _home: Home) -> Amount:
        """What is stored under the active key."""
        return Amount()

    def make(self, run: Run) -> None:
        """Make the next keys, pending; those that an earlier run made stay. Raises KeyStateError."""

    def rekey(self, _run: Run) -> Amount:
        """Write stored data under the next keys, unpublished; return what this run moved."""
        return Amount()

    def switch(self, _tx: Connection, _run: Run) -> Amount:
        """Publish what was made for the next epoch, in the transaction that changes the states."""
        return Amount()

    def clean_up(self, _run: Run) -> None:
        """After the switch, under the same lock: remove what nothing needs any more. May be left out."""
        return None  # noqa: RET501  mypy takes an empty body for an abstract one

    def settle(self, _home: Home, _keys: KeyStore) -> Amount:
        """Before a retirement: finish what goes on in the background after a switch; may be repeated."""
        return Amount()

    def require_unused(self, _home: Home, _epoch: int) -> None:
        """Before a key is erased: refuse while anything needs it. Raises KeyStateError."""
        return None  # noqa: RET501  mypy takes an empty body for an abstract one

    def retire(self, _store: Store, _epoch: int) -> None:
        """Remove stored data of a retired epoch in batches; may be repeated."""
        return None  # noqa: RET501  mypy takes an empty body for an abstract one


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did, of every kind.

    `keys` are the next keys as they are now, the leading one first; `grace_until` is set once they are
    active; `begun`: this run made keys, so no earlier one had; `missing` is what a switch waits for.
    `seconds` is wall time by stage.
    """

    keys: Keyring
    begun: bool
    grace_until: datetime | None = None
    amount: Amount = field(default=Amount())
    missing: tuple[MissingPartitions, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Epoch of the leading key."""
        return self.keys[0].epoch

    @property
    def switched(self) -> bool:
        """Whether the next keys are in use."""
        return self.grace_until is not None

    def key(self, purpose: str) -> EpochKey:
        """The next key of a purpose."""
        return next(key for key in self.keys if key.purpose == purpose)


Draw = Callable[[str], bytes]


@contextmanager
def open_key_home(config: Config) -> Iterator[KeyHome]:
    """A home of which only the keys are to be moved. Raises UnavailableError, PreconditionError."""
    store = open_store(database_url(config))
    try:
        yield KeyHome(config, store, utc_now, secrets.token_bytes)
    finally:
        store.dispose()


def require_node(home: Home) -> Node:
    """Raises ConfigError for a home that is not of a node."""
    if not isinstance(home, Node):
        raise ConfigError(
            "this home is of a platform, which holds no records and serves nobody",
            "name the home of the node with --home, or make one with `heqiao init --role node`",
        )
    return home


def policies(config: Config) -> dict[str, RotationPolicy]:
    """The policies of the configuration, for every purpose that rotates."""
    purposes = [purpose for group in plans.GROUPS for purpose in group]
    found = {purpose: config.rotation.policy(purpose) for purpose in purposes}
    return {purpose: policy for purpose, policy in found.items() if policy is not None}
