"""The end of keys: which epochs are retired and destroyed next, and why an old one is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Step
from keys.types import EpochKey, KeyState
from node.rotation.run import Home, Keyring, Rotation
from node.rotation.status import KeyLine

LEADS: Final = tuple(group[0] for group in plans.GROUPS)
ENDED: Final = tuple(lead for lead in LEADS if lead != plans.TLS)  # a certificate ends by itself


@dataclass(frozen=True, slots=True)
class End:
    """What a retirement or destruction would do: `named` are its keys with fingerprints, which is what an
    approval is for; `early`: a grace that is not over would end.
    """

    steps: tuple[Step, ...]
    named: list[str]
    early: bool = False


def plan_retirement(kind: Rotation, home: Home, keys: KeyStore, *, early: bool) -> End:
    """Epochs whose grace is over, with `early` all in grace."""
    ring, lead, now = kind.read(home, keys), kind.purposes[0], home.clock()
    steps = plans.plan_retirement(ring, lead, now, early=early)
    sooner = early and steps != plans.plan_retirement(ring, lead, now, early=False)
    return End(steps, name_keys(kind.purposes, ring, steps), sooner)


def plan_destruction(kind: Rotation, home: Home, keys: KeyStore, epoch: int | None) -> End:
    """Retired epochs, or one. Raises KeyStateError for one that is in use or does not exist."""
    ring = kind.read(home, keys)
    steps = plans.plan_destruction(ring, kind.purposes[0], epoch)
    return End(steps, name_keys(kind.purposes, ring, steps))


def name_keys(purposes: Sequence[str], ring: Keyring, steps: Iterable[Step]) -> list[str]:
    """The keys that steps are about, each with its fingerprint: what an approval is for."""
    moved = {(one, step.epoch) for one in purposes for step in steps}
    return [_name(key) for key in ring if (key.purpose, key.epoch) in moved]


def why_kept(line: KeyLine, now: datetime) -> tuple[str, str]:
    """Why a key is in the key store, and what can be done to end it; stable words.

    `in_use`; `waits` for its first use; `answered` until its grace ends; `over`: the grace has;
    `certificate`: until that ends; `backups`: old copies of the database need it; `kept`: it never ends.
    """
    purpose, state = line.facts.purpose, line.state
    if state is KeyState.ACTIVE:
        return "in_use", ""
    if state is KeyState.PENDING:
        return "waits", ""
    if purpose == plans.TLS:
        return "certificate", ""
    if not any(purpose in group for group in plans.GROUPS):
        return "kept", ""
    is_lead = purpose in ENDED
    if state is KeyState.RETIRED:
        return "backups", "destroy" if is_lead else ""
    if line.grace_until is None:  # the database did not say
        return "answered", ""
    if line.grace_until > now:
        return "answered", "retire_now" if is_lead else ""
    return "over", "retire" if is_lead else ""


def _name(key: EpochKey) -> str:
    return f"{key.purpose}.{key.epoch} {key.fingerprint}"
