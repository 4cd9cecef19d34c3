"""The kinds of keys that `heqiao keys rotate`, `retire` and `destroy` know, as one table by purpose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from keys import KeyStore
from keys.rotation import Action
from keys.types import EpochKey, RotationPolicy
from node.context import Node
from node.credentials.active_keys import OPRF, SALT, SIGNING
from node.credentials.sum_keys import SUM_PURPOSES
from node.database import partitions as index_rows
from node.database import sum_epoch_switch
from node.rotation import oprf, salt, signing, sums
from node.rotation.oprf import Rotated
from node.telemetry.progress import Progress

STAGES: Final = {"make": "making the key", "rekey": "moving entries", "switch": "switching"}


@dataclass(frozen=True, slots=True)
class Amount:
    """What is stored under the active key: `entries` in `parts`; zero where a key has nothing stored."""

    parts: int = 0
    entries: int = 0


class Rotate(Protocol):
    """Make the next epoch active, or finish what an earlier run began."""

    def __call__(
        self, node: Node, store: KeyStore, policy: RotationPolicy, *, workers: int | None, progress: Progress
    ) -> Rotated:
        """Raises ConflictError, KeyStateError, UnavailableError; the old epoch stays served."""


class Retire(Protocol):
    """Refuse epochs whose grace is over."""

    def __call__(self, node: Node, store: KeyStore, *, early: bool) -> list[EpochKey]:
        """Return the keys that moved."""


def _policy_of(node: Node, purpose: str) -> RotationPolicy:
    return node.config.rotation.policy(purpose) or RotationPolicy()


@dataclass(frozen=True, slots=True)
class Kind:
    """One purpose: how it is planned, applied and told.

    `help` is the command's; without `rotate` that is a command of its own. `words` say what each step does
    (name, entries, parts, until); `part` and `entry` name what is stored, one and many, or are empty; `moves`
    names all purposes that move together; `following` says what goes on until the end of the grace.
    """

    purpose: str
    help: str
    read: Callable[[Node, KeyStore], tuple[EpochKey, ...]]
    rotate: Rotate | None
    retire: Retire
    destroy: Callable[[Node, KeyStore, int | None], list[EpochKey]]
    words: Mapping[Action, str]
    measure: Callable[[Node], Amount] = lambda _node: Amount()
    stages: Mapping[str, str] = field(default_factory=lambda: STAGES)
    part: tuple[str, str] = ("partition", "partitions")
    entry: tuple[str, str] = ("entry", "entries")
    moves: tuple[str, ...] = ()
    policy_of: Callable[[Node, str], RotationPolicy] = _policy_of
    following: str = "the epoch before is answered"

    @property
    def names(self) -> tuple[str, ...]:
        """All purposes whose keys move in one epoch; the first is the one that plans are made of."""
        return self.moves or (self.purpose,)


def _measure_index(node: Node) -> Amount:
    with node.store.transaction("count entries") as tx:
        rows = index_rows.partitions_of_epoch(tx, node.keys.epoch)
    return Amount(len(rows), sum(row.entries for row in rows))


_OPRF = Kind(
    OPRF,
    """Replace the OPRF key.

    Every stored point, tag and label moves to the next epoch; no source data is needed. The node keeps
    serving; peers switch by themselves, and queries begun under the old epoch are answered until its
    grace ends. If it is interrupted, run it again to continue. Imports wait until it has ended.

    \b
    heqiao keys rotate oprf --home 44 --dry-run
    heqiao keys rotate oprf --home 44
    """,
    oprf.read_keyring,
    oprf.rotate_oprf,
    oprf.retire,
    oprf.destroy,
    {
        Action.MAKE: "make the key {name}, pending",
        Action.REKEY: "bring {entries} in {parts} under it; the epoch before stays served",
        Action.SWITCH: "switch to {name} at once; the epoch before is answered until {until}",
        Action.RETIRE: "refuse {name}, and remove its partitions",
        Action.DESTROY: "erase {name}",
    },
    _measure_index,
)


def _measure_sums(node: Node) -> Amount:
    keys = node.keys.sums
    if keys is None:
        return Amount()
    with node.store.transaction("count rows of sums") as tx:
        groups = sum_epoch_switch.current_groups(tx, keys.epoch, sums.layouts(node))
    return Amount(len(groups), sum(group.rows for group in groups))


def _sums(purpose: str, first: str) -> Kind:
    """`paillier` and `sum`: the same rotation, since the keys of sums are one epoch."""
    return Kind(
        purpose,
        f"""{first}

        The sum key, the Paillier key and the check secret are one epoch and move together, whichever is
        named. Every stored row is opened, checked and encrypted again under the new keys; no source data is
        needed. The node keeps serving; peers switch by themselves, and a cohort begun under the old epoch
        is opened until its grace ends. If it is interrupted, run it again: it continues after the last
        complete group. Imports wait until it has ended.

        \b
        heqiao keys rotate {purpose} --home 44 --dry-run
        heqiao keys rotate {purpose} --home 44
        """,
        sums.read_keyring,
        partial(sums.rotate_sums, purpose=purpose),
        sums.retire,
        sums.destroy,
        {
            Action.MAKE: "make the keys {name}, pending",
            Action.REKEY: "encrypt {entries} in {parts} again under them; the epoch before stays served",
            Action.SWITCH: "switch to {name} at once; the epoch before is answered until {until}",
            Action.RETIRE: "refuse {name}, and remove their rows",
            Action.DESTROY: "erase {name}",
        },
        _measure_sums,
        {"make": "making the keys", "rekey": "encrypting rows", "switch": "switching"},
        ("group", "groups"),
        ("row", "rows"),
        SUM_PURPOSES,
        sums.policy_of,
    )


_SIGNING = Kind(
    SIGNING,
    """Replace the key that signs manifests and cards.

    The old key signs the new one. Peers learn of it with the next manifest and accept the new key by
    themselves during the grace; a peer that was away for longer needs the new card (`heqiao card`).
    After the switch the old key signs nothing. If it is interrupted, run it again.

    If the old key was stolen, use `--grace-days 0`, so that no peer accepts its word, and send new cards.

    \b
    heqiao keys rotate signing --home 44 --dry-run
    heqiao keys rotate signing --home 44
    """,
    signing.read_keyring,
    signing.rotate_signing,
    signing.retire,
    signing.destroy,
    {
        Action.MAKE: "make the key {name}, pending",
        Action.REKEY: "have the previous key sign {name}, and {name} sign the same statement",
        Action.SWITCH: "switch to {name} at once; peers follow by themselves until {until}",
        Action.RETIRE: "stop showing peers the statement that {name} was replaced",
        Action.DESTROY: "erase {name}",
    },
    part=("", ""),
    entry=("", ""),
    following="peers follow by themselves",
)


_SALT = Kind(
    SALT,
    "",
    salt.read_salt_ring,
    None,
    salt.retire,
    salt.destroy,
    {
        Action.RETIRE: "refuse {name}, and remove what is stored under it",
        Action.DESTROY: "erase {name}",
    },
)


_KINDS = (
    _OPRF,
    _sums("paillier", "Replace the Paillier key, with all keys of sums."),
    _SIGNING,
    _sums("sum", "Replace the sum key, with all keys of sums."),
    _SALT,
)
KINDS: Final[Mapping[str, Kind]] = {kind.purpose: kind for kind in _KINDS}
