"""How much of its time a caller gives to the next hop (boulder shortens deadlines in the same way).

The next hop gets a little less than there is, so that it can still report which of its own waits was too
long; otherwise the outer time-out would be all that anybody hears of.
"""

from typing import Final

RETURN_S: Final = 0.5  # for an error to come back between two provinces, and for busy machines


def shortened(left_s: float) -> float:
    """Seconds for the next hop of `left_s` seconds: RETURN_S less, but never less than nine tenths."""
    return max(left_s - RETURN_S, left_s * 0.9)
