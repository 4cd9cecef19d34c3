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
_REST_S: Final = 10.0  # a thread with nothing to look at ends after so long


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
        self._began = self._last = clock()

    def __enter__(self) -> Self:
        _WATCH.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _WATCH.remove(self)

    def end(self) -> None:
        """Cancel the stream."""
        self._cancel()

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


class Watch:
    """One thread that looks at all guards of this process: a thread for each stream costs a short one more
    than its answer. It runs while there are guards, and a while longer.
    """

    def __init__(self, rest_s: float = _REST_S) -> None:
        self._guards = set[IdleGuard]()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._rest_s = rest_s

    def add(self, guard: IdleGuard) -> None:
        """Look at a guard from now on."""
        with self._changed:
            self._guards.add(guard)
            if self._thread is None or not self._thread.is_alive():  # it does not live on in a forked process
                self._thread = threading.Thread(target=self._run, name="idle-guard", daemon=True)
                self._thread.start()
            elif len(self._guards) == 1:
                self._changed.notify()

    def remove(self, guard: IdleGuard) -> None:
        """Look at it no more."""
        with self._changed:
            self._guards.discard(guard)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._guards and not self._changed.wait(self._rest_s) and not self._guards:
                    self._thread = None
                    return
            time.sleep(_LOOK_EVERY_S)
            with self._changed:
                found = list(self._guards)
            for guard in found:
                if _has_ended(guard):
                    self.remove(guard)


def _has_ended(guard: IdleGuard) -> bool:
    try:
        return guard.look()
    except Exception:  # noqa: BLE001  whatever is wrong with one stream ends that one, and no other
        guard.end()
        return True


_WATCH = Watch()
