"""What a rotation does next, as pure data: plan first, then apply step by step (design.md section 6).

    make     pending    a new key in the key store, known to nobody
    rekey               everything stored is brought under the new key, beside the old
    import              or, for a new salt: it is imported from its sources under both
    switch   active     in one transaction; the key before it goes into grace
    retire   retired    the old epoch is refused, and what was stored under it removed
    destroy  destroyed  its secret is erased
    abandon  retired    or, of one that is still pending: it was never used

Each step may be repeated: a plan made after a crash holds only what is left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from keys.errors import KeyStateError
from keys.types import EpochKey, KeyState, RotationPolicy

_NEXT: Final = {
    KeyState.PENDING: (KeyState.ACTIVE,),
    KeyState.ACTIVE: (KeyState.GRACE,),
    KeyState.GRACE: (KeyState.RETIRED,),
    KeyState.RETIRED: (KeyState.DESTROYED,),
    KeyState.DESTROYED: (),
}


class Action(StrEnum):
    """Kinds of steps, in the order of a key's life."""

    MAKE = "make"
    REKEY = "rekey"
    IMPORT = "import"
    SWITCH = "switch"
    RETIRE = "retire"
    DESTROY = "destroy"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Step:
    """One step for the key of an epoch. `until` is, for a switch, the end of the older key's grace.

    `salt_version` is, where a new salt is the reason, its version.
    """

    action: Action
    purpose: str
    epoch: int
    until: datetime | None = None
    salt_version: int = 0


def active(keyring: Sequence[EpochKey], purpose: str) -> EpochKey:
    """The active key of a purpose. Raises KeyStateError where there is not exactly one."""
    found = [key for key in keyring if key.purpose == purpose and key.state is KeyState.ACTIVE]
    if len(found) != 1:
        raise KeyStateError(
            f"{purpose}: {len(found)} keys are active, there must be one",
            "restore the database and the key store from one backup",
        )
    return found[0]


def plan_rotation(
    keyring: Sequence[EpochKey], purpose: str, policy: RotationPolicy, now: datetime
) -> tuple[Step, ...]:
    """The steps that make the next epoch active, without those that an earlier run has done.

    Raises KeyStateError when the clock is before the last switch: graces would end at a wrong time.
    """
    current = active(keyring, purpose)
    _require_clock(current, now)
    pending = _pending(keyring, purpose)
    if pending and pending[0].salt_version != current.salt_version:
        raise KeyStateError(
            f"{purpose}.{pending[0].epoch} is for the next salt, which imports are still writing",
            "finish that with `heqiao keys rotate salt`, or abandon it with --abandon",
        )
    epoch = pending[0].epoch if pending else _newest(keyring, purpose) + 1
    make = () if pending else (Step(Action.MAKE, purpose, epoch),)
    return (
        *make,
        Step(Action.REKEY, purpose, epoch),
        Step(Action.SWITCH, purpose, epoch, now + policy.grace),
    )


def plan_salt(
    keyring: Sequence[EpochKey],
    purpose: str,
    version: int,
    policy: RotationPolicy,
    now: datetime,
    *,
    whole: bool,
) -> tuple[Step, ...]:
    """The steps that put a salt version in use, in an epoch of its own of the key that depends on it.

    `whole`: everything was imported under it already. Raises KeyStateError while another rotation of the
    key is under way.
    """
    current = active(keyring, purpose)
    _require_clock(current, now)
    pending = _pending(keyring, purpose)
    if pending and pending[0].salt_version != version:
        raise KeyStateError(
            f"{purpose}.{pending[0].epoch} is pending for another rotation",
            f"finish that first: `heqiao keys rotate {purpose}`, or `heqiao keys rotate salt --abandon`",
        )
    epoch = pending[0].epoch if pending else _newest(keyring, purpose) + 1
    switch = Step(Action.SWITCH, purpose, epoch, now + policy.grace, version)
    make = () if pending else (replace(switch, action=Action.MAKE, until=None),)
    load = () if whole else (replace(switch, action=Action.IMPORT, until=None),)
    return (*make, *load, switch)


def plan_retirement(
    keyring: Sequence[EpochKey], purpose: str, now: datetime, *, early: bool = False
) -> tuple[Step, ...]:
    """Retire what is past its grace; with `early` everything in grace."""
    return tuple(
        Step(Action.RETIRE, purpose, key.epoch)
        for key in keyring
        if key.purpose == purpose and key.state is KeyState.GRACE and (early or not key.is_answered(now))
    )


def plan_destruction(keyring: Sequence[EpochKey], purpose: str, epoch: int | None = None) -> tuple[Step, ...]:
    """Destroy one retired key, or all of a purpose.

    Raises KeyStateError for one that is still in use, or that is not there.
    """
    if epoch is not None:
        named = next((key for key in keyring if (key.purpose, key.epoch) == (purpose, epoch)), None)
        if named is None:
            raise KeyStateError(f"{purpose}.{epoch}: no such key", "`heqiao keys status` lists them")
        if named.state is not KeyState.DESTROYED:
            _require_move(named, KeyState.DESTROYED)
    return tuple(
        Step(Action.DESTROY, purpose, key.epoch)
        for key in keyring
        if key.purpose == purpose and key.state is KeyState.RETIRED and epoch in (None, key.epoch)
    )


def plan(keyring: Sequence[EpochKey], policy: RotationPolicy, now: datetime) -> tuple[Step, ...]:
    """Everything that the policy says is due now: rotations (begun ones included), then retirements."""
    steps: list[Step] = []
    for purpose in dict.fromkeys(key.purpose for key in keyring):
        current = active(keyring, purpose)
        begun = any(key.purpose == purpose and key.state is KeyState.PENDING for key in keyring)
        if begun or now - (current.activated_at or current.created_at) >= policy.every:
            steps += plan_rotation(keyring, purpose, policy, now)
        steps += plan_retirement(keyring, purpose, now)
    return tuple(steps)


def apply(keyring: Sequence[EpochKey], step: Step, now: datetime) -> tuple[EpochKey, ...]:
    """The keys whose state a step changes, as they are afterwards; none for making and rekeying.

    Raises KeyStateError for a step that does not follow from the state.
    """
    found = next(
        (key for key in keyring if (key.purpose, key.epoch) == (step.purpose, step.epoch)),
        None,
    )
    if found is None:
        raise KeyStateError(f"{step.purpose}.{step.epoch}: no such key", "`heqiao keys status` lists them")
    match step.action:
        case Action.SWITCH:
            _require_move(found, KeyState.ACTIVE)
            old = active(keyring, step.purpose)
            return (
                replace(old, state=KeyState.GRACE, grace_until=step.until or now),
                replace(found, state=KeyState.ACTIVE, activated_at=now),
            )
        case Action.RETIRE:
            _require_move(found, KeyState.RETIRED)
            return (replace(found, state=KeyState.RETIRED, retired_at=now),)
        case Action.DESTROY:
            _require_move(found, KeyState.DESTROYED)
            return (replace(found, state=KeyState.DESTROYED, destroyed_at=now),)
        case Action.ABANDON:
            if found.state is not KeyState.PENDING:
                _require_move(found, KeyState.PENDING)
            return (replace(found, state=KeyState.RETIRED, retired_at=now),)
        case _:
            return ()


def _require_move(key: EpochKey, state: KeyState) -> None:
    if state not in _NEXT[key.state]:
        raise KeyStateError(
            f"{key.purpose}.{key.epoch} is {key.state} and cannot become {state}",
            "a key goes from pending to active, grace, retired and destroyed, one step at a time",
        )


def _require_clock(current: EpochKey, now: datetime) -> None:
    if current.activated_at is not None and now < current.activated_at:
        raise KeyStateError(
            f"the clock is before {current.activated_at:%Y-%m-%d %H:%M} UTC, the last switch of "
            f"{current.purpose}",
            "set the clock of this machine, then try again",
        )


def _pending(keyring: Sequence[EpochKey], purpose: str) -> list[EpochKey]:
    return [key for key in keyring if key.purpose == purpose and key.state is KeyState.PENDING]


def _newest(keyring: Sequence[EpochKey], purpose: str) -> int:
    return max(key.epoch for key in keyring if key.purpose == purpose)
