"""The share of its time that a caller gives to the next hop."""

import pytest

from node.transport.deadlines import RETURN_S, shortened

LEFT = {
    "a_stream": (3_600.0, 3_600.0 - RETURN_S),
    "a_call": (30.0, 30.0 - RETURN_S),
    "a_second": (1.0, 0.9),
    "a_moment": (0.01, 0.009),
    "nothing": (0.0, 0.0),
}


@pytest.mark.parametrize("name", LEFT)
def test_the_next_hop_has_a_little_less(name: str) -> None:
    left, given = LEFT[name]
    assert shortened(left) == pytest.approx(given)
    assert shortened(left) < left or left == 0


def test_a_call_without_a_deadline_has_none_further_on() -> None:
    assert shortened(float("inf")) == float("inf")
