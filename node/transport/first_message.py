"""Waits for the first message of a call, for a bounded time (design.md section 8).

gRPC gives a call to a worker thread when its headers arrive, and that thread waits for the message without
end: eight calls that never sent theirs blocked a whole node.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, Final

from node.errors import InvalidRequestError

FIRST_MESSAGE_S: Final = 10.0


class FirstMessages:
    """Threads that receive first messages, one for each worker thread, which then waits only a while.

    gRPC's iterator of messages has no time-out; a thread that waits in vain is free when its call ends.
    """

    def __init__(self, threads: int, limit_s: float = FIRST_MESSAGE_S) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="first-message")
        self._limit_s = limit_s

    def only(self, messages: Iterator[Any]) -> Any:
        """The message of a method that takes one. Raises InvalidRequestError for none, late, or several."""
        found = self._receive(messages, 2)  # one, and the end
        if len(found) != 1:
            raise InvalidRequestError("this method takes one message", "send one message and end the request")
        return found[0]

    def begin(self, messages: Iterator[Any]) -> Iterator[Any]:
        """The messages of a stream, once the first or the end is there. Raises InvalidRequestError."""
        return chain(self._receive(messages, 1), messages)

    def close(self) -> None:
        """End the threads; those that wait end with their calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _receive(self, messages: Iterator[Any], most: int) -> list[Any]:
        waiting = self._pool.submit(lambda: list(islice(messages, most)))
        try:
            return waiting.result(self._limit_s)
        except TimeoutError:
            raise InvalidRequestError(
                "no message came in time", "send the first message with the call", {"limit": "first_message"}
            ) from None
