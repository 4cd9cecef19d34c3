"""Ends a stream without messages: no thread waits forever for a peer (design.md section 8)."""

import threading
import time
from collections.abc import Callable
from typing import Final, Self

_LOOK_EVERY_S: Final = 0.25


class IdleGuard:
    """Calls `cancel` once `limit_s` pass without `moved()`, or at once when `stopped()` holds.

    gRPC has a deadline for a whole call only. A county's stream may take an hour, but the next message
    must come within seconds. `clock` counts seconds.
    """

    def __init__(
        self,
        cancel: Callable[[], object],
        limit_s: float,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cancel, self._limit_s, self._stopped, self._clock = cancel, limit_s, stopped, clock
        self._done = threading.Event()
        self._last = clock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="idle-guard", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def moved(self) -> None:
        """A message came or went."""
        self._last = self._clock()

    def look(self) -> bool:
        """Cancel the stream if it is due to end; return whether it was."""
        if not self._stopped() and self._clock() - self._last <= self._limit_s:
            return False
        self._cancel()
        return True

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_EVERY_S):
            if self.look():
                return
