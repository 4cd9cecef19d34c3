"""Bounded numbers of long streams, so that one caller cannot take all worker threads."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from node.errors import LimitError

SOON: Final = timedelta(seconds=1)


class StreamLimits:
    """How many streams each owner has open; an owner has at most `most` at once."""

    def __init__(self, most: int) -> None:
        self._most, self._open, self._lock = most, Counter[str](), threading.Lock()

    @contextmanager
    def take(self, owner: str) -> Iterator[None]:
        """Hold one stream. Raises LimitError, with a time after which to try again."""
        with self._lock:
            if self._open[owner] >= self._most:
                raise LimitError(
                    "too many streams at once", "end one, or wait", {"rule": "streams"}, retry_after=SOON
                )
            self._open[owner] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[owner] -= 1
