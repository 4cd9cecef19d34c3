"""Planning of rotations: pure data, from states and a date."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.errors import KeyStateError
from keys.rotation import (
    BEFORE_END,
    GROUPS,
    Action,
    Due,
    Reason,
    Step,
    apply,
    plan,
    plan_abandonment,
    plan_destruction,
    plan_newest_salt,
    plan_retirement,
    plan_rotation,
    plan_salt_retirement,
)
from keys.types import EpochKey, KeyState, RotationPolicy

NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = RotationPolicy(every=90 * DAY, grace=7 * DAY)


def key(epoch, state, purpose="oprf", made=100, **more):
    return EpochKey(purpose, epoch, KeyState(state), f"{epoch:016x}", NOW - made * DAY, **more)


def ring(*states, age=10 * DAY, grace=DAY):
    dates = {"activated_at": NOW - age}
    return tuple(
        key(
            epoch,
            state,
            **(dates if state == "active" else {}),
            **({"grace_until": NOW + grace} if state == "grace" else {}),
        )
        for epoch, state in enumerate(states, 1)
    )


def actions(steps):
    return [(step.action.value, step.epoch) for step in steps]


# name: states, age of the active key, rest of the grace in days -> what is due
DUE = {
    "nothing": (("active",), 10, 1, []),
    "grace lasts": (("grace", "active"), 10, 1, []),
    "grace is over": (("grace", "active"), 10, -1, [("retire", 1)]),
    "old": (("active",), 90, 1, [("make", 2), ("rekey", 2), ("switch", 2)]),
    "begun": (("active", "pending"), 10, 1, [("rekey", 2), ("switch", 2)]),
    "begun, and a grace is over": (
        ("grace", "active", "pending"),
        10,
        -1,
        [("rekey", 3), ("switch", 3), ("retire", 1)],
    ),
    "a destroyed epoch is not used again": (
        ("destroyed", "retired", "active"),
        90,
        1,
        [("make", 4), ("rekey", 4), ("switch", 4)],
    ),
}


@pytest.mark.parametrize("case", DUE)
def test_what_is_due(case):
    states, age, rest, wanted = DUE[case]
    due = plan(ring(*states, age=age * DAY, grace=rest * DAY), {"oprf": POLICY}, NOW)
    assert actions([one.step for one in due]) == wanted
    begun = "pending" in states
    for one in due:
        is_grace = one.step.action is Action.RETIRE
        assert one.reason is (Reason.GRACE if is_grace else Reason.BEGUN if begun else Reason.AGE)


# name: keys, more arguments of plan -> purpose, action, epoch, reason, days since it is due
REASONED = {
    "just not old enough": ([key(1, "active", made=89)], {}, []),
    "old, without a row": (
        [key(1, "active", made=93)],
        {},
        [("oprf", action, 2, "age", 3) for action in ("make", "rekey", "switch")],
    ),
    "old, since its switch": (
        [key(1, "active", made=500, activated_at=NOW - 92 * DAY)],
        {},
        [("oprf", action, 2, "age", 2) for action in ("make", "rekey", "switch")],
    ),
    "begun": (
        [key(1, "active", made=10), key(2, "pending", made=4)],
        {},
        [("oprf", action, 2, "begun", 4) for action in ("rekey", "switch")],
    ),
    "a grace is over": (
        [key(1, "grace", grace_until=NOW - 5 * DAY), key(2, "active", made=10)],
        {},
        [("oprf", "retire", 1, "grace", 5)],
    ),
    "the last moment of a grace": (
        [key(1, "grace", grace_until=NOW), key(2, "active", made=10)],
        {},
        [],
    ),
    "a clock set back": (
        [key(2, "active", activated_at=NOW + 3 * DAY)],
        {},
        [("oprf", "make", 3, "clock", -3)],
    ),
    "a clock set back while a rotation is begun": (
        [key(2, "active", activated_at=NOW + DAY), key(3, "pending", made=-1)],
        {},
        [("oprf", "make", 4, "clock", -1)],
    ),
    "two active keys": (
        [key(1, "active"), key(2, "active"), key(1, "active", "signing", made=800)],
        {},
        [
            ("oprf", "make", 3, "state", 0),
            *(("signing", action, 2, "age", 710) for action in ("make", "rekey", "switch")),
        ],
    ),
    "no active key": ([key(1, "retired")], {}, [("oprf", "make", 2, "state", 0)]),
    "keys of sums, of which one is old": (
        [
            key(3, "active", "sum", made=60),
            key(3, "active", "paillier", made=60),
            key(3, "active", "sumcheck", made=60),
        ],
        {},
        [("sum", action, 4, "age", 10) for action in ("make", "rekey", "switch")],
    ),
    "keys without a policy": ([key(1, "active", "record", made=9_999), key(1, "active", "enrol")], {}, []),
    "a certificate before it ends": (
        [key(1, "active", "tls", made=1)],
        {"certificate_ends": NOW + BEFORE_END + DAY},
        [],
    ),
    "a certificate that ends": (
        [key(1, "active", "tls", made=1)],
        {"certificate_ends": NOW + BEFORE_END - 2 * DAY},
        [("tls", "make", 2, "certificate", 2)],
    ),
    "an old TLS key": (
        [key(1, "active", "tls", made=95)],
        {"certificate_ends": NOW + BEFORE_END - DAY},
        [("tls", "make", 2, "age", 5)],
    ),
    "a TLS key that waits for its certificate": (
        [key(1, "active", "tls", made=95), key(2, "pending", "tls", made=3)],
        {"certificate_ends": NOW - DAY},
        [("tls", "switch", 2, "begun", 3)],
    ),
    "before a home has joined": ([key(1, "active", "tls", made=9_999)], {}, []),
    "TLS keys from before": (
        [key(1, "grace", "tls", made=800), key(2, "active", "tls", made=1)],
        {"certificate_ends": NOW + 300 * DAY},
        [],
    ),
    "an old salt": ([key(1, "active", "salt", made=4_000)], {}, [("salt", "make", 2, "age", 350)]),
    "a salt that was brought": (
        [key(1, "active", "salt"), key(2, "pending", "salt", made=2), key(1, "active", made=5)],
        {"whole": False},
        [
            ("oprf", "make", 2, "begun", 2),
            ("oprf", "import", 2, "begun", 2),
            ("oprf", "switch", 2, "begun", 2),
            ("salt", "switch", 2, "begun", 2),
        ],
    ),
    "a salt that everything has": (
        [
            key(1, "active", "salt"),
            key(2, "pending", "salt", made=2),
            key(1, "active", made=95, salt_version=1),
            key(2, "pending", made=2, salt_version=2),
        ],
        {},
        [("oprf", "switch", 2, "begun", 2), ("salt", "switch", 2, "begun", 2)],
    ),
    "a salt that waits for another rotation": (
        [
            key(1, "active", "salt"),
            key(2, "pending", "salt", made=2),
            key(1, "active", made=5, salt_version=1),
            key(2, "pending", made=1, salt_version=1),
        ],
        {},
        [("oprf", action, 2, "begun", 1) for action in ("rekey", "switch")],
    ),
    "an older salt than the one in use": (
        [key(1, "pending", "salt"), key(2, "active", "salt"), key(1, "active", made=5)],
        {},
        [],
    ),
    "the grace of a salt": (
        [
            key(1, "grace", "salt", grace_until=NOW - DAY),
            key(2, "active", "salt"),
            key(1, "grace", grace_until=NOW - DAY, salt_version=1),
            key(2, "active", made=5, salt_version=2),
        ],
        {},
        [("oprf", "retire", 1, "grace", 1), ("salt", "retire", 1, "grace", 1)],
    ),
    "groups in their order": (
        [
            key(1, "active", "tls", made=95),
            key(1, "active", "signing", made=800),
            key(1, "active", made=95),
        ],
        {"certificate_ends": NOW + 300 * DAY},
        [
            *(("oprf", action, 2, "age", 5) for action in ("make", "rekey", "switch")),
            *(("signing", action, 2, "age", 710) for action in ("make", "rekey", "switch")),
            ("tls", "make", 2, "age", 5),
        ],
    ),
}
POLICIES = {
    "oprf": POLICY,
    "sum": RotationPolicy(50 * DAY, 7 * DAY),
    "paillier": RotationPolicy(365 * DAY, 9 * DAY),
    "signing": POLICY,
    "tls": POLICY,
    "salt": RotationPolicy(3_650 * DAY, 90 * DAY),
}


@pytest.mark.parametrize("case", REASONED)
def test_why_it_is_due_and_since_when(case):
    keys, more, wanted = REASONED[case]
    due = plan(keys, POLICIES, NOW, **more)
    found = [
        (
            one.step.purpose,
            one.step.action.value,
            one.step.epoch,
            one.reason.value,
            (NOW - one.since) / DAY,
        )
        for one in due
    ]
    assert found == wanted
    kinds = {one.kind for one in due}
    assert kinds <= {group[0] for group in GROUPS}
    assert all(one.kind in (one.step.purpose, "salt") for one in due)
    assert ("salt" in kinds) == any(one.step.purpose == "salt" for one in due)


def test_keys_of_sums_have_the_longest_grace():
    keys = [key(1, "active", purpose, made=60) for purpose in GROUPS[1]]
    *_, switch = plan(keys, POLICIES, NOW)
    assert switch == Due("sum", Step(Action.SWITCH, "sum", 2, NOW + 9 * DAY), Reason.AGE, NOW - 10 * DAY)


def test_nothing_is_done_by_planning_again():
    """Steps that are due are applied, and are then no longer due."""
    keys = (key(1, "active", made=95), key(2, "pending", made=1))
    *_, switch = plan(keys, POLICIES, NOW)
    assert plan(apply(keys, switch.step, NOW), POLICIES, NOW) == ()


def test_a_newer_salt_is_needed():
    keys = [key(1, "active", "salt"), key(1, "active")]
    with pytest.raises(KeyStateError, match="no newer salt than version 1"):
        plan_newest_salt(keys, POLICY, NOW, whole=True)


def test_only_what_is_for_another_salt_is_abandoned():
    keys = [
        key(1, "active", salt_version=1),
        key(2, "pending", salt_version=2),
        key(1, "active", "signing"),
        key(2, "pending", "signing"),
        key(1, "active", "salt"),
        key(2, "pending", "salt"),
    ]
    assert plan_abandonment(keys, ("oprf", "signing")) == (Step(Action.ABANDON, "oprf", 2),)


def test_a_salt_takes_what_is_under_it_along():
    keys = [
        key(1, "grace", "salt", grace_until=NOW - DAY),
        key(2, "active", "salt"),
        key(1, "grace", grace_until=NOW - DAY, salt_version=1),
        key(2, "grace", grace_until=NOW + DAY, salt_version=2),
        key(3, "active", salt_version=2),
    ]
    assert actions(plan_salt_retirement(keys, NOW)) == [("retire", 1), ("retire", 1)]
    assert [step.purpose for step in plan_salt_retirement(keys, NOW)] == ["salt", "oprf"]
    unnamed = [replace(one, salt_version=0) if one.epoch == 1 else one for one in keys]
    assert plan_salt_retirement(unnamed, NOW) == plan_salt_retirement(keys, NOW)


def test_a_life():
    keys = ring("active", "pending")
    *_, switch = plan_rotation(keys, "oprf", POLICY, NOW)
    assert switch == Step(Action.SWITCH, "oprf", 2, NOW + 7 * DAY)
    keys = apply(keys, switch, NOW)
    assert [one.state for one in keys] == [KeyState.GRACE, KeyState.ACTIVE]
    assert [one.is_answered(NOW + 7 * DAY) for one in keys] == [True, True]
    assert [one.is_answered(NOW + 8 * DAY) for one in keys] == [False, True]
    later = NOW + 8 * DAY
    assert plan_retirement(keys, "oprf", NOW) == ()
    (retire,) = plan_retirement(keys, "oprf", later)
    assert plan_retirement(keys, "oprf", NOW, early=True) == (retire,)
    (retired,) = apply(keys, retire, later)
    assert (retired.state, retired.retired_at) == (KeyState.RETIRED, later)
    (destroy,) = plan_destruction((retired, keys[1]), "oprf", 1)
    (destroyed,) = apply((retired, keys[1]), destroy, later)
    assert (destroyed.state, destroyed.destroyed_at) == (KeyState.DESTROYED, later)
    assert plan_destruction((destroyed, keys[1]), "oprf", 1) == ()


@pytest.mark.parametrize("state", ["pending", "active", "grace"])
def test_a_key_in_use_is_not_destroyed(state):
    keys = (replace(ring("active")[0], epoch=9), key(1, state))
    with pytest.raises(KeyStateError, match="cannot become destroyed"):
        plan_destruction(keys, "oprf", 1)


@pytest.mark.parametrize("state", KeyState)
@pytest.mark.parametrize("action", [Action.SWITCH, Action.RETIRE, Action.DESTROY])
def test_no_step_out_of_order(state, action):
    allowed = {
        Action.SWITCH: KeyState.PENDING,
        Action.RETIRE: KeyState.GRACE,
        Action.DESTROY: KeyState.RETIRED,
    }
    keys = (replace(ring("active")[0], epoch=9), key(1, state))
    if state is allowed[action]:
        assert apply(keys, Step(action, "oprf", 1), NOW)
        return
    with pytest.raises(KeyStateError):
        apply(keys, Step(action, "oprf", 1), NOW)


def test_a_clock_set_back_is_refused():
    with pytest.raises(KeyStateError, match="clock is before"):
        plan_rotation(ring("active", age=-DAY), "oprf", POLICY, NOW)


def test_keys_that_are_not_there():
    with pytest.raises(KeyStateError, match="0 keys are active"):
        plan_rotation(ring("retired"), "oprf", POLICY, NOW)
    with pytest.raises(KeyStateError, match="no such key"):
        plan_destruction(ring("active"), "oprf", 7)
    with pytest.raises(KeyStateError, match="no such key"):
        apply(ring("active"), Step(Action.RETIRE, "oprf", 7), NOW)


@pytest.mark.parametrize("days", [(0, 0), (5, 6), (5, -1)])
def test_bad_policies(days):
    with pytest.raises(ValueError, match="grace"):
        RotationPolicy(days[0] * DAY, days[1] * DAY)
