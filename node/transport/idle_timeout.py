"""Ends a stream on which nothing moves: no thread waits for ever on a peer (design.md section 8)."""

import threading
import time
from collections.abc import Callable
from typing import Self

_LOOK_EVERY_S = 0.25


class IdleGuard:
    """Calls `cancel` once `limit_s` pass without `moved()`, or at once when `stopped()` holds.

    gRPC has a deadline for a whole call only, and a county's stream may rightly take an hour; a message
    that does not come for half a minute is another matter.
    """

    def __init__(
        self,
        cancel: Callable[[], object],
        limit_s: float,
        stopped: Callable[[], bool] = lambda: False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cancel, self._limit_s, self._stopped, self._seconds = cancel, limit_s, stopped, seconds
        self._done = threading.Event()
        self._last = seconds()

    def __enter__(self) -> Self:
        threading.Thread(target=self._look, name="idle-guard", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def moved(self) -> None:
        """A message came or went."""
        self._last = self._seconds()

    def _look(self) -> None:
        while not self._done.wait(_LOOK_EVERY_S):
            if self._stopped() or self._seconds() - self._last > self._limit_s:
                self._cancel()
                return
