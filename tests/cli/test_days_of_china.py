"""Days that commands print for administrators: of China, of an instant that is said in UTC elsewhere."""

from datetime import UTC, datetime

import pytest

from keys.rotation import Action, Due, Reason, Step
from node.cli.keys_words import describe_due
from tests.support.zones import machine_zone

MOMENTS = [
    (datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC), "2026-06-30"),
    (datetime(2026, 6, 30, 16, 0, tzinfo=UTC), "2026-07-01"),
    (datetime(2026, 6, 30, 23, 52, tzinfo=UTC), "2026-07-01"),
]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize(("since", "day"), MOMENTS)
def test_since_when_a_key_is_due(zone, since, day):
    with machine_zone(zone):
        for reason in (Reason.AGE, Reason.CERTIFICATE):
            (said,) = describe_due([Due("oprf", Step(Action.MAKE, "oprf", 2), reason, since)])
            assert f"due since {day}" in said
        for reason in (Reason.BEGUN, Reason.GRACE, Reason.CLOCK):
            (said,) = describe_due([Due("oprf", Step(Action.MAKE, "oprf", 2), reason, since)])
            assert f"{since:%Y-%m-%d %H:%M} UTC" in said
