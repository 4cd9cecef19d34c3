"""The leases that this process holds, renewed while their work runs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from node.database import Connection, Store
from node.database import leases as lease_rows
from node.database.leases import Lease
from node.errors import NodeError
from node.telemetry import log

RENEWALS = 3  # in the time for which a lease lasts: one may fail


class Leases:
    """Takes, renews and gives back leases of `lease_s` seconds; one thread renews them all.

    A lease is lost when another process has taken it over, and also when it could not be renewed for as long
    as it lasts, because another process may have taken it by now. Then its work must stop.
    """

    def __init__(self, store: Store, lease_s: float, ticks: Callable[[], float] = time.monotonic) -> None:
        """`ticks` are seconds of this process, which it compares with its own only."""
        self._store, self._lease_s, self._ticks = store, lease_s, ticks
        self._held: dict[Lease, float] = {}  # and when it was renewed
        self._lock = threading.Lock()
        self._interrupted, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name="leases", daemon=True)

    def start(self) -> None:
        """Begin to renew in the background."""
        self._thread.start()

    @contextmanager
    def hold(self, name: str) -> Iterator[Lease | None]:
        """A lease for the time of the block; None where another process holds it, or this one is stopping.

        Raises UnavailableError when the database is unreachable.
        """
        lease = None if self._interrupted.is_set() else self._acquire(name)
        try:
            yield lease
        finally:
            if lease is not None:
                self._release(lease)

    def renew(self) -> None:
        """Renew all held leases, and signal the work of lost ones to stop."""
        with self._lock:
            held = list(self._held)
        for lease in held:
            began = self._ticks()
            try:
                renewed = self._store.retry_write("renew lease", partial(self._renew, lease=lease))
            except NodeError as error:
                log.get_logger().error("lease_not_renewed", code=error.code, where=log.where(error))
                self._drop(lease, unless_after=began - self._lease_s)
            else:
                self._note(lease, began) if renewed else self._drop(lease)

    def interrupt(self) -> None:
        """Signal all work to stop, and take no more leases; leases are renewed until their work has ended."""
        self._interrupted.set()
        with self._lock:
            for lease in self._held:
                lease.stopping.set()

    def close(self) -> None:
        """End the background, after all work has ended."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _acquire(self, name: str) -> Lease | None:
        began = self._ticks()
        number = self._store.retry_write(
            "acquire lease", lambda tx: lease_rows.acquire(tx, name, self._lease_s)
        )
        if number is None:
            return None
        lease = Lease(self._store, name, number)
        with self._lock:
            self._held[lease] = began
            if self._interrupted.is_set():
                lease.stopping.set()
        return lease

    def _release(self, lease: Lease) -> None:
        with self._lock:
            self._held.pop(lease, None)
        with suppress(NodeError):  # while the database is unreachable it can only expire
            self._store.retry_write(
                "release lease", lambda tx: lease_rows.release(tx, lease.name, lease.number)
            )

    def _renew(self, tx: Connection, lease: Lease) -> bool:
        return lease_rows.renew(tx, lease.name, lease.number, self._lease_s)

    def _note(self, lease: Lease, began: float) -> None:
        with self._lock:
            if lease in self._held:  # its work may have ended in between
                self._held[lease] = began

    def _drop(self, lease: Lease, unless_after: float | None = None) -> None:
        """Give a lease up, unless it was renewed after a moment."""
        with self._lock:
            renewed = self._held.get(lease)
            if renewed is None or (unless_after is not None and renewed > unless_after):
                return
            del self._held[lease]
        lease.stopping.set()
        log.get_logger().warning("lease_lost")

    def _keep_renewing(self) -> None:
        while not self._closed.wait(self._lease_s / RENEWALS):
            self.renew()
