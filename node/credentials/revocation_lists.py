"""The revocation list of a node: a file, checked before every call, so that changes apply at once."""

import threading
from pathlib import Path

from keys import KeyringError
from keys.pki.revocation import NOTHING_REVOKED, RevocationList, load_list, serial_of
from node.errors import UnknownCallerError
from node.telemetry import log

_Stamp = tuple[int, int, int]
_UNREAD: _Stamp = (-1, -1, -1)  # of no file


class Revocations:
    """The list in a file, read again whenever the file has changed.

    A list that cannot be used, or is older than the one read before, is ignored: revoked certificates
    stay revoked until the node is started again.
    """

    def __init__(self, path: Path | None = None, ca: Path | None = None) -> None:
        """Read the list, if there is one; without a path there is none. Raises KeyringError when it
        cannot be used.
        """
        self._path, self._ca = path, ca
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
