"""Groups of rows that a node has verified, so that a repeated sum need not verify them again."""

import threading


class VerifiedGroups:
    """Groups whose rows are all verified ciphertexts of a key, by the digest over every row.

    The digest is compared again before a sum is used, so other rows cannot be taken for them.
    """

    def __init__(self, most: int = 4_096) -> None:
        self._known: dict[tuple[int, bytes], None] = {}
        self._most, self._lock = most, threading.Lock()

    def holds(self, modulus: int, digest: bytes) -> bool:
        """Whether a group was verified under a key."""
        with self._lock:
            return (modulus, digest) in self._known

    def add(self, modulus: int, digest: bytes) -> None:
        """Store a group; when full, the oldest is dropped."""
        with self._lock:
            self._known[modulus, digest] = None
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
