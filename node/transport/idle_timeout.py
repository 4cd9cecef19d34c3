"""Ends a stream that stops, or is too slow or too long: no thread waits forever (design.md 7 and 8)."""

import threading
import time
from collections.abc import Callable
from typing import Final, Self

LONGEST_S: Final = 3_600.0
POINTS_A_SECOND: Final = 16
BYTES_A_SECOND: Final = 65_536
_SLOW_AFTER_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.25


class IdleGuard:
    """Calls `cancel` once `limit_s` pass without `moved()`, or at once when `stopped()` holds.

    gRPC has a deadline for a whole call only. A county's stream may take an hour, and not longer, but the
    next message must come within seconds. After its first minute it must have moved `pace` units (points,
    bytes) in each second on average: a message just before each time-out would hold a thread for that hour.
    `clock` counts seconds.
    """

    def __init__(
        self,
        cancel: Callable[[], object],
        limit_s: float,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        pace: int = 0,
    ) -> None:
        self._cancel, self._limit_s, self._stopped, self._clock = cancel, limit_s, stopped, clock
        self._pace, self._moved = pace, 0
        self._done = threading.Event()
        self._began = self._last = clock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="idle-guard", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def moved(self, amount: int = 0) -> None:
        """A message came or went, with so many units."""
        self._moved += amount
        self._last = self._clock()

    def look(self) -> bool:
        """Cancel the stream if it is due to end; return whether it was."""
        now = self._clock()
        age = now - self._began
        idle, late = now - self._last > self._limit_s, age > LONGEST_S
        slow = age > _SLOW_AFTER_S and self._moved < self._pace * age
        if not (idle or late or slow or self._stopped()):
            return False
        self._cancel()
        return True

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_EVERY_S):
            if self.look():
                return
