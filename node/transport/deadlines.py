"""How much of its time a caller gives to the next hop (boulder shortens deadlines in the same way).

The next hop gets a little less than the time left, so that it can still report which of its waits took too
long; otherwise the caller would see only the outer time-out.
"""

from typing import Final

RETURN_S: Final = 0.5  # for an error to come back between two provinces, and for busy machines


def shortened(left_s: float) -> float:
    """Seconds for the next hop of `left_s` seconds: RETURN_S less, but never less than nine tenths."""
    return max(left_s - RETURN_S, left_s * 0.9)
