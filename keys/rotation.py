"""The next steps of a rotation, as pure data: plan first, then apply step by step (design.md section 6).

    make     pending    a new key in the key store, not used yet
    rekey               everything stored is computed again under the new key; the old copy stays
    import              or, for a new salt: it is imported from its sources under both
    switch   active     in one transaction; the key before it enters grace
    retire   retired    the old epoch is refused, and data stored under it is removed
    destroy  destroyed  its secret is erased
    abandon  retired    or, for a key that is still pending: it was never used

Each step may be repeated: a plan made after a crash holds only the remaining steps.
`plan` says which steps are due, and why.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keys.errors import KeyStateError
from keys.types import EpochKey, KeyState, RotationPolicy

SALT: Final = "salt"
TLS: Final = "tls"
# Keys that rotate together, the leading purpose first, in the order in which rotations run.
SUMS: Final = ("sum", "paillier", "sumcheck")
GROUPS: Final = (("oprf",), SUMS, ("signing",), ("storage",), (SALT,), (TLS,))
SALTED: Final = ("oprf", "sum")  # leading purposes of the keys whose data depends on a salt
BEFORE_END: Final = timedelta(days=30)  # of a certificate: time to ask the CA for the next one
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
    """One step for the key of an epoch. For a switch, `until` is the end of the older key's grace.

    Where a new salt is the reason, `salt_version` is its version.
    """

    action: Action
    purpose: str
    epoch: int
    until: datetime | None = None
    salt_version: int = 0


class Reason(StrEnum):
    """Why a step is due."""

    AGE = "age"  # older than the policy wants
    BEGUN = "begun"  # started and not finished
    GRACE = "grace"  # the grace is over
    CERTIFICATE = "certificate"  # it expires soon
    CLOCK = "clock"  # set back to before the last switch: it must be corrected first
    STATE = "state"  # not exactly one key is active: a person must repair it


@dataclass(frozen=True, slots=True)
class Due:
    """A step that is due, why, and since when; `kind` is the leading purpose of its rotation."""

    kind: str
    step: Step
    reason: Reason
    since: datetime


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
    waiting = pending(keyring, purpose)
    if waiting and waiting[0].salt_version != current.salt_version:
        raise KeyStateError(
            f"{purpose}.{waiting[0].epoch} is for the next salt, which imports are still writing",
            "finish that with `heqiao keys rotate salt`, or abandon it with --abandon",
        )
    epoch = waiting[0].epoch if waiting else newest(keyring, purpose) + 1
    make = () if waiting else (Step(Action.MAKE, purpose, epoch),)
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
    """The steps that start to use a salt version, in a new epoch of the key that depends on it.

    `whole`: everything has been imported under it. Raises KeyStateError while another rotation of the
    key is under way.
    """
    current = active(keyring, purpose)
    _require_clock(current, now)
    waiting = pending(keyring, purpose)
    if waiting and waiting[0].salt_version != version:
        raise KeyStateError(
            f"{purpose}.{waiting[0].epoch} is pending for another rotation",
            f"finish that first: `heqiao keys rotate {purpose}`, or `heqiao keys rotate salt --abandon`",
        )
    epoch = waiting[0].epoch if waiting else newest(keyring, purpose) + 1
    switch = Step(Action.SWITCH, purpose, epoch, now + policy.grace, version)
    make = () if waiting else (replace(switch, action=Action.MAKE, until=None),)
    load = () if whole else (replace(switch, action=Action.IMPORT, until=None),)
    return (*make, *load, switch)


def plan_newest_salt(
    keyring: Sequence[EpochKey], policy: RotationPolicy, now: datetime, *, whole: bool
) -> tuple[Step, ...]:
    """The steps that start to use the newest salt: for the keys that depend on it, and for itself.

    Raises KeyStateError where no salt is newer than the one in use, and as `plan_salt` does.
    """
    used = active(keyring, SALT).epoch
    version = max((key.epoch for key in pending(keyring, SALT)), default=0)
    if version <= used:
        raise KeyStateError(
            f"this home has no newer salt than version {used}, which is in use",
            "the federation's CA makes one with `heqiao ca salt`; take its bundle with `heqiao join`",
        )
    steps: list[Step] = []
    for purpose in SALTED:
        if any(key.purpose == purpose for key in keyring):
            steps += plan_salt(keyring, purpose, version, policy, now, whole=whole or bool(steps))
    return (*steps, Step(Action.SWITCH, SALT, version, now + policy.grace, version))


def plan_abandonment(keyring: Sequence[EpochKey], purposes: Collection[str]) -> tuple[Step, ...]:
    """Give up the pending keys of some purposes that are for another salt than the one in use."""
    return tuple(
        Step(Action.ABANDON, key.purpose, key.epoch)
        for key in keyring
        if key.purpose in purposes
        and key.state is KeyState.PENDING
        and key.salt_version != active(keyring, key.purpose).salt_version
    )


def plan_retirement(
    keyring: Sequence[EpochKey], purpose: str, now: datetime, *, early: bool = False
) -> tuple[Step, ...]:
    """Retire keys that are past their grace; with `early` all keys in grace."""
    return tuple(
        Step(Action.RETIRE, purpose, key.epoch)
        for key in keyring
        if key.purpose == purpose and key.state is KeyState.GRACE and (early or not key.is_answered(now))
    )


def plan_salt_retirement(
    keyring: Sequence[EpochKey], now: datetime, *, early: bool = False
) -> tuple[Step, ...]:
    """Retire salts that are past their grace, with the keys that depend on them."""
    steps = plan_retirement(keyring, SALT, now, early=early)
    versions = {step.epoch for step in steps}
    kept = [key.epoch for key in keyring if key.purpose == SALT and key.state is not KeyState.DESTROYED]
    return steps + tuple(
        Step(Action.RETIRE, key.purpose, key.epoch)
        for key in keyring
        if key.purpose != SALT and key.state is KeyState.GRACE and (key.salt_version or min(kept)) in versions
    )


def plan_destruction(keyring: Sequence[EpochKey], purpose: str, epoch: int | None = None) -> tuple[Step, ...]:
    """Destroy one retired key, or all of a purpose.

    Raises KeyStateError for one that is still in use or does not exist.
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


def plan(
    keyring: Sequence[EpochKey],
    policies: Mapping[str, RotationPolicy],
    now: datetime,
    *,
    certificate_ends: datetime | None = None,
    whole: bool = True,
) -> tuple[Due, ...]:
    """Everything that is due now, each step with its reason; group by group, rotations before retirements.

    `policies` are by purpose; a key without one is never due by its age. `certificate_ends` is of the TLS
    key in use, None before a home has joined; `whole` says that everything has been imported under the
    pending salt.
    """
    due: list[Due] = []
    for group in GROUPS:
        lead, held = group[0], [key for key in keyring if key.purpose in group]
        if not held or (lead == TLS and certificate_ends is None):
            continue
        known = [key for key in held if key.purpose == lead and key.state is KeyState.ACTIVE]
        step = Step(Action.MAKE, lead, newest(keyring, lead) + 1)
        if len(known) != 1:
            due.append(Due(lead, step, Reason.STATE, now))
            continue
        current = known[0]
        if current.activated_at is not None and now < current.activated_at:
            due.append(Due(lead, step, Reason.CLOCK, current.activated_at))
        elif lead == SALT:
            due += _due_salt(keyring, policies, now, whole=whole)
        elif certificate_ends is not None and lead == TLS:
            due += _due_tls(keyring, policies, now, certificate_ends)
        else:
            due += _due_keys(keyring, group, policies, now)
        due += _due_retirements(keyring, lead, now)
    return tuple(due)


def _due_keys(
    keyring: Sequence[EpochKey], group: Sequence[str], policies: Mapping[str, RotationPolicy], now: datetime
) -> list[Due]:
    """Rotations of keys that have epochs in the database: one that was started, else by age."""
    lead, waiting = group[0], pending(keyring, group[0])
    policy = together(policies, group)
    current = active(keyring, lead)
    if waiting and waiting[0].salt_version != current.salt_version:
        return []  # the next salt brings new keys anyway
    if waiting:
        reason, since = Reason.BEGUN, waiting[0].created_at
    else:
        aged = _aged(keyring, group, policies)
        if aged is None or now < aged:
            return []
        reason, since = Reason.AGE, aged
    return [Due(lead, step, reason, since) for step in plan_rotation(keyring, lead, policy, now)]


def _due_salt(
    keyring: Sequence[EpochKey], policies: Mapping[str, RotationPolicy], now: datetime, *, whole: bool
) -> list[Due]:
    used = active(keyring, SALT)
    waiting = [key for key in pending(keyring, SALT) if key.epoch > used.epoch]
    if not waiting:
        aged = _aged(keyring, (SALT,), policies)
        step = Step(Action.MAKE, SALT, newest(keyring, SALT) + 1)
        return [Due(SALT, step, Reason.AGE, aged)] if aged is not None and aged <= now else []
    try:
        steps = plan_newest_salt(keyring, together(policies, (SALT,)), now, whole=whole)
    except KeyStateError:  # another rotation must end first; it is due too
        return []
    return [Due(SALT, step, Reason.BEGUN, waiting[-1].created_at) for step in steps]


def _due_tls(
    keyring: Sequence[EpochKey], policies: Mapping[str, RotationPolicy], now: datetime, ends: datetime
) -> list[Due]:
    used = active(keyring, TLS)
    waiting = [key for key in pending(keyring, TLS) if key.epoch > used.epoch]
    if waiting:  # for the certificate that the CA makes
        return [Due(TLS, Step(Action.SWITCH, TLS, waiting[-1].epoch), Reason.BEGUN, waiting[-1].created_at)]
    since, reason = ends - BEFORE_END, Reason.CERTIFICATE
    aged = _aged(keyring, (TLS,), policies)
    if aged is not None and aged < since:
        since, reason = aged, Reason.AGE
    step = Step(Action.MAKE, TLS, newest(keyring, TLS) + 1)
    return [Due(TLS, step, reason, since)] if since <= now else []


def _due_retirements(keyring: Sequence[EpochKey], purpose: str, now: datetime) -> list[Due]:
    ends = {key.epoch: key.grace_until for key in keyring if key.purpose == purpose}
    steps = plan_retirement(keyring, purpose, now)
    return [Due(purpose, step, Reason.GRACE, ends[step.epoch] or now) for step in steps]


def together(policies: Mapping[str, RotationPolicy], group: Sequence[str]) -> RotationPolicy:
    """The policy of keys that rotate together: the longest grace, since a peer's job needs all of them."""
    found = [policies[purpose] for purpose in group if purpose in policies] or [RotationPolicy()]
    grace = max(policy.grace for policy in found)
    return RotationPolicy(max(grace, *(policy.every for policy in found)), grace)


def _aged(
    keyring: Sequence[EpochKey], group: Sequence[str], policies: Mapping[str, RotationPolicy]
) -> datetime | None:
    """When the first of some keys reaches, or reached, the age of its policy."""
    return min(
        (
            (key.activated_at or key.created_at) + policies[key.purpose].every
            for key in keyring
            if key.purpose in group and key.purpose in policies and key.state is KeyState.ACTIVE
        ),
        default=None,
    )


def apply(keyring: Sequence[EpochKey], step: Step, now: datetime) -> tuple[EpochKey, ...]:
    """The keys whose state a step changes, with their new state; none for making and rekeying.

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


def pending(keyring: Sequence[EpochKey], purpose: str) -> list[EpochKey]:
    """The keys of a purpose that exist and are not used yet."""
    return [key for key in keyring if key.purpose == purpose and key.state is KeyState.PENDING]


def newest(keyring: Sequence[EpochKey], purpose: str) -> int:
    """The highest epoch of a purpose, in whatever state."""
    return max(key.epoch for key in keyring if key.purpose == purpose)
