"""The opened keys of a running node, which adopts a rotation without a restart (design.md section 6)."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from blake3 import blake3

from keys.errors import KeyringError
from keys.store.vault import Vault
from keys.types import EpochKey
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.credentials.sum_keys import GraceSums, SumKeys
from node.errors import PreconditionError, UnavailableError

FRESH_S = 0.5  # seconds between two checks for another epoch
_UNREAD: Final = object()
Epochs = tuple[EpochKey, ...]


@dataclass(frozen=True, slots=True)
class GraceKey:
    """A key whose epoch is still answered until `until`, and the salt version of its data."""

    key: bytes = field(repr=False)
    until: datetime | None
    salt_version: int = 0


@dataclass(frozen=True, slots=True)
class NextKey:
    """The keys of an epoch under the next salt, which imports fill and which is not served yet."""

    epoch: int
    key: bytes = field(repr=False)
    salt_version: int
    sums: SumKeys | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The opened keys of a node. No repr shows any of them.

    `oprf` is the 32-byte OPRF key of `epoch`, from which the keys of the classes derive, `canaries` the
    evaluations of the public constants by class and `record` the key of the record numbers (all empty for the
    role platform); `salts` are the federation's salts by version; `signing` is the Ed25519 key; `vault` seals
    data in the database and `digest_key` keys digests of it;
    `tls_key`, `certificate` and `ca` are PEM; `grace` are the OPRF keys of earlier epochs, by epoch;
    `sums` are the keys of encrypted sums (None where there are none), `grace_sums` those of earlier epochs;
    `salt_in_use` is the salt version of the active epochs (0: the oldest salt), and `upcoming` the epoch
    under the next salt, while there is one.
    """

    epoch: int
    oprf: bytes = field(repr=False)
    canaries: Mapping[TokenClass, bytes] = field(repr=False)
    record: bytes = field(repr=False)
    salts: Mapping[int, bytes] = field(repr=False)
    signing: bytes = field(repr=False)
    vault: Vault = field(repr=False)
    digest_key: bytes = field(repr=False)
    tls_key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    ca: bytes = field(repr=False)
    grace: Mapping[int, GraceKey] = field(default_factory=dict, repr=False)
    sums: SumKeys | None = field(default=None, repr=False)
    grace_sums: Mapping[int, GraceSums] = field(default_factory=dict, repr=False)
    salt_in_use: int = 0
    upcoming: NextKey | None = field(default=None, repr=False)

    @property
    def lookup_key(self) -> bytes:
        """Key of the digests by which records of people are found (docs/adr/0027); it never rotates."""
        return blake3(self.record, derive_key_context="heqiao v1 lookup key").digest()

    @property
    def salt_version(self) -> int:
        """The salt version of the active epoch; a newer salt is used after `heqiao keys rotate salt`."""
        return self.salt_in_use or min(self.salts)

    @property
    def salt(self) -> bytes:
        """The salt of the active epoch, 32 bytes."""
        return self.salts[self.salt_version]

    def oprf_of(self, epoch: int, now: datetime) -> bytes | None:
        """The OPRF key of an epoch that is answered; None for any other."""
        if epoch == self.epoch:
            return self.oprf
        old = self._in_grace(now).get(epoch)
        return old.key if old else None

    def salt_version_of(self, epoch: int, now: datetime) -> int | None:
        """The salt version of an epoch that is answered; None for any other."""
        if epoch == self.epoch:
            return self.salt_version
        old = self._in_grace(now).get(epoch)
        return self._version(old.salt_version) if old else None

    def under_salt(self, versions: Collection[int], now: datetime) -> "NodeKeys | None":
        """The keys for a requester that has these salt versions (none given: the active one).

        The active epoch where its salt is among them, else the newest in grace under one of them.
        """
        if not versions or self.salt_version in versions:
            return self
        for epoch, old in sorted(self._in_grace(now).items(), reverse=True):
            if self._version(old.salt_version) in versions:
                return self.of_epoch(epoch, now)
        return None

    def of_epoch(self, epoch: int, now: datetime) -> "NodeKeys | None":
        """The keys of an epoch that is answered, as if it were the active one; None for any other."""
        if epoch == self.epoch:
            return self
        old = self._in_grace(now).get(epoch)
        if old is None:
            return None
        version = self._version(old.salt_version)
        return self._with_epoch(epoch, old.key, version, self._sums_under(version, now))

    def other_salts(self, now: datetime) -> "tuple[NodeKeys, ...]":
        """The keys for each epoch under another salt that imports must also write."""
        found: list[NodeKeys | None] = []
        if self.upcoming is not None:
            new = self.upcoming
            found.append(self._with_epoch(new.epoch, new.key, new.salt_version, new.sums))
        older = sorted({self._version(old.salt_version) for old in self._in_grace(now).values()})
        found += [self.under_salt({version}, now) for version in older if version != self.salt_version]
        return tuple(keys for keys in found if keys is not None)

    def _in_grace(self, now: datetime) -> Mapping[int, GraceKey]:
        return {epoch: old for epoch, old in self.grace.items() if old.until is None or now <= old.until}

    def _version(self, version: int) -> int:
        return version or min(self.salts)

    def _sums_under(self, version: int, now: datetime) -> SumKeys | None:
        """The newest keys of sums whose rows are under a salt."""
        found = [old.keys for old in self.grace_sums.values() if old.until is None or now <= old.until]
        found += [] if self.sums is None else [self.sums]
        fitting = [keys for keys in found if self._version(keys.salt_version) == version]
        return max(fitting, key=lambda keys: keys.epoch, default=None)

    def _with_epoch(self, epoch: int, key: bytes, salt_version: int, sums: SumKeys | None) -> "NodeKeys":
        """These keys with another epoch as the active one."""
        return replace(
            self,
            epoch=epoch,
            oprf=key,
            canaries=CURRENT.class_canaries(key),
            salt_in_use=salt_version,
            grace={},
            upcoming=None,
            sums=sums,
            grace_sums={},
        )

    def salt_version_of_sums(self, keys: SumKeys) -> int:
        """The salt version of the rows under some keys of sums."""
        return self._version(keys.salt_version)

    def sums_of(self, epoch: int, now: datetime) -> SumKeys | None:
        """The keys of sums of an epoch that is answered; None for any other."""
        if self.sums is not None and epoch == self.sums.epoch:
            return self.sums
        old = self.grace_sums.get(epoch)
        return old.keys if old and (old.until is None or now <= old.until) else None


class KeyRing:
    """Holds the keys, and opens them again when the states of epochs in the database, or the
    files of certificates, have changed.

    Code that needs several values of the keys for one answer reads `current` once, so that they fit together.
    """

    def __init__(
        self,
        read: Callable[[], Epochs],
        load: Callable[[Epochs], NodeKeys],
        stamp: Callable[[], object] = lambda: None,
    ) -> None:
        """Read the states, and open the keys at once. Raises what `read` and `load` raise.

        `stamp` returns a value that changes with the files of certificates.
        """
        self._read, self._load, self._stamp = read, load, stamp
        self._files: object = stamp()
        self._lock = threading.Lock()
        self._epochs = read()
        self._keys = load(self._epochs)
        self._failure: KeyringError | PreconditionError | None = None
        self._due = time.monotonic() + FRESH_S

    @classmethod
    def fixed(cls, keys: NodeKeys) -> "KeyRing":
        """A ring of keys that never change."""
        return cls(tuple, lambda _: keys)

    def __repr__(self) -> str:
        return "KeyRing(****)"

    @property
    def current(self) -> NodeKeys:
        """The keys, not older than FRESH_S; without an answer of the database, those opened last.

        Raises KeyringError while the keys that the database names do not open: others would be wrong.
        """
        if time.monotonic() >= self._due and self._lock.acquire(blocking=False):
            try:
                self._check_epochs()
            except UnavailableError:
                self._due = time.monotonic() + FRESH_S  # the caller's next statement will report the error
            finally:
                self._lock.release()
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        return self._keys

    def refresh(self) -> NodeKeys:
        """The keys of the epochs that are in the database now. Raises UnavailableError, KeyringError."""
        with self._lock:
            self._check_epochs()
            return self._keys

    def reload(self) -> None:
        """Open the keys and the certificates from their files, changed or not. Raises as `refresh` does."""
        with self._lock:
            self._files = _UNREAD
            self._check_epochs()

    def check(self) -> None:
        """Open the keys from their files, as the next start would, and drop them again.

        Raises KeyringError when one does not open, UnavailableError when the database does not answer.
        """
        found = self._read()
        with suppress(UnavailableError):  # with files that are being renewed this node goes on with its keys
            self._load(found)

    def _check_epochs(self) -> None:
        found, files = self._read(), self._stamp()
        self._due = time.monotonic() + FRESH_S
        try:
            if self._failure is not None or (found, files) != (self._epochs, self._files):
                self._keys = self._load(found)
                self._epochs, self._files = found, files
        except (KeyringError, PreconditionError) as error:
            self._failure = error
            raise
        self._failure = None
