"""Bounded numbers of calls and of long streams, so that one caller cannot take all worker threads."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, Literal

from node.errors import LimitError

SOON: Final = timedelta(seconds=1)


class StreamLimits:
    """How many streams, or calls, each owner has open; an owner has at most `most` at once."""

    def __init__(self, most: int, what: Literal["streams", "calls", "renderings"] = "streams") -> None:
        self._most, self._what = most, what
        self._open, self._lock = Counter[str](), threading.Lock()

    @contextmanager
    def take(self, owner: str) -> Iterator[None]:
        """Hold one stream. Raises LimitError, with a time after which to try again."""
        with self._lock:
            if self._open[owner] >= self._most:
                raise LimitError(
                    f"too many {self._what} at once",
                    "end one, or wait",
                    {"rule": self._what},
                    retry_after=SOON,
                )
            self._open[owner] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[owner] -= 1
                if not self._open[owner]:
                    del self._open[owner]
