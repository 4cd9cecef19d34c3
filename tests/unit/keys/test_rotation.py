"""Planning of rotations: pure data, from states and a date."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.errors import KeyStateError
from keys.rotation import (
    Action,
    Step,
    apply,
    plan,
    plan_destruction,
    plan_retirement,
    plan_rotation,
)
from keys.types import EpochKey, KeyState, RotationPolicy

NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = RotationPolicy(every=90 * DAY, grace=7 * DAY)


def key(epoch, state, **dates):
    return EpochKey("oprf", epoch, KeyState(state), f"{epoch:016x}", NOW - 100 * DAY, **dates)


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
    assert actions(plan(ring(*states, age=age * DAY, grace=rest * DAY), POLICY, NOW)) == wanted


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
