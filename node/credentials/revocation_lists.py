"""The revocation list of a node: a file, checked before every call, so that changes apply at once."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from keys import KeyringError
from keys.pki.certificates import load_certificate
from keys.pki.revocation import NOTHING_REVOKED, RevocationList, load_list, serial_of
from node.clock import Clock, utc_now
from node.errors import RevocationListError, UnknownCallerError
from node.telemetry import log

_Stamp = tuple[int, int, int]
_UNREAD: _Stamp = (-1, -1, -1)  # of no file
# A list is due every 30 days (keys.pki.revocation.LIST_DAYS): one that is five days late is asked for, and
# after three that did not come a node that was cut off from them serves nobody, rather than a revoked holder.
WARNED: Final = timedelta(days=35)
REFUSED: Final = timedelta(days=95)


class Revocations:
    """The list in a file, read again whenever the file has changed.

    A list that cannot be used, or is older than the one read before, is ignored: revoked certificates
    stay revoked until the node is started again. While a node has no list, the age of its own certificate
    counts as that of one: whoever keeps the lists from it gains no more than who keeps the next one.
    """

    def __init__(
        self,
        path: Path | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """Read the list, if there is one; without a path there is none. Raises KeyringError when it
        cannot be used.
        """
        self._path, self._ca, self._certificate, self._clock = path, ca, certificate, clock
        self._joined: tuple[_Stamp | None, datetime | None] = (_UNREAD, None)
        self._lock = threading.Lock()
        self._stamp = stamp_of(path)
        self._list = self._read() if self._stamp else NOTHING_REVOKED

    @property
    def current(self) -> RevocationList:
        """The current list."""
        stamp = stamp_of(self._path)
        if stamp != self._stamp:
            with self._lock:
                self._renew(stamp)
        return self._list

    def reload(self) -> None:
        """Read the list again, changed or not; one that cannot be used is ignored, as always."""
        with self._lock:
            self._stamp = _UNREAD
            self._renew(stamp_of(self._path))

    @property
    def age(self) -> timedelta | None:
        """How long ago the list was made, or without one the own certificate; None where there is neither."""
        found = self.current
        since = found.made_at if found.number else self._read_joined()
        return None if since is None else self._clock() - since

    def require_fresh(self) -> None:
        """Refuse to judge anybody by a list that is too old. Raises RevocationListError."""
        age = self.age
        if age is not None and age > REFUSED:
            raise RevocationListError(
                f"this node has had no new revocation list for more than {REFUSED.days} days",
                "its administrator takes the newest list of the federation's CA: `heqiao peers revocations`",
            )

    def require_admitted(self, certificate: bytes, whose: str) -> None:
        """Refuse a certificate that is on the list, and anybody where the list is too old.

        Raises RevocationListError, UnknownCallerError.
        """
        self.require_fresh()
        self.require_good(certificate, whose)

    def require_good(self, certificate: bytes, whose: str) -> None:
        """Refuse a certificate (PEM or DER) that is on the list. Raises UnknownCallerError."""
        revoked = self.current.serials
        if revoked and serial_of(certificate) in revoked:
            raise UnknownCallerError(
                f"the certificate of {whose} was revoked",
                "its administrator asks the federation's CA for a new one",
                {"rule": "revoked"},
            )

    def _renew(self, stamp: _Stamp | None) -> None:
        if stamp == self._stamp:  # another thread has read it
            return
        try:
            found = self._read() if stamp else NOTHING_REVOKED
            if found.number >= self._list.number:
                self._list = found
            else:
                log.get_logger().error("revocations", status="older list ignored")
        except (KeyringError, OSError):
            log.get_logger().error("revocations", status="unusable list ignored")
        self._stamp = stamp

    def _read_joined(self) -> datetime | None:
        stamp = stamp_of(self._certificate)
        if self._joined[0] != stamp:
            joined = None
            if stamp is not None and self._certificate is not None:
                joined = load_certificate(self._certificate.read_bytes()).not_valid_before_utc
            self._joined = stamp, joined
        return self._joined[1]

    def _read(self) -> RevocationList:
        if self._path is None or self._ca is None:
            return NOTHING_REVOKED
        return load_list(self._path.read_bytes(), self._ca.read_bytes())


def stamp_of(path: Path | None) -> _Stamp | None:
    """A value that changes when the file is replaced; None where there is no file."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
