"""The key store: a folder with a header and one sealed file per key (design.md section 6).

    keys/            0700
      store.json     version, how it is sealed (header.py), the sealed data keys, digest
      oprf.1.key     the sealed secret of `oprf`, epoch 1, 0600

The digest of the header is no protection: it distinguishes a damaged header from a wrong passphrase. The
seal of the data keys protects the header, which is its associated data: with other parameters it does not
open.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from keys.errors import (
    KeyExistsError,
    KeyMissingError,
    PassphraseError,
    PermissionsError,
    StoreBusyError,
    StoreDamagedError,
    StoreExistsError,
    StoreMissingError,
)
from keys.store.atomic_files import (
    PRIVATE,
    check_private,
    read_private,
    replace,
    require_owner,
    sync_folder,
    write_new,
)
from keys.store.header import (
    ByPassphrase,
    Header,
    KeyWrapping,
    by_passphrase,
    make_header,
    new_data_key,
    open_data_keys,
    parse_header,
)
from keys.store.locks import hold_lock
from keys.store.pkcs11 import by_token
from keys.store.wrap import KdfCost, Kek, derive_kek

HEADER: Final = "store.json"
_SUFFIX: Final = ".key"
# `<purpose>.<epoch>`; states (pending, active, grace, retired) are in the node's database.
_NAME: Final = re.compile(r"([a-z][a-z0-9-]{0,31})\.([1-9][0-9]{0,8})")


@contextlib.contextmanager
def lock_store(folder: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Exclude all other commands that lock this store; the lock of a killed command is freed.

    Raises:
        StoreMissingError: there is no such folder.
        StoreBusyError: another command still has the lock after `wait_s` seconds.
    """
    busy = StoreBusyError(f"{folder}: another command is changing this key store", "wait until it has ended")
    with contextlib.ExitStack() as held:
        try:
            found = folder.is_dir()
            if found:
                held.enter_context(hold_lock(folder, busy, wait_s=wait_s))
        except PermissionError:
            raise PermissionsError(
                f"{folder}: this account may not enter it", "run as the account that owns the store"
            ) from None
        if not found:
            raise StoreMissingError(f"{folder}: no key store here", "correct the path")
        yield


class KeyStore:
    """An open key store. Sealed files are read once and kept in memory; repr shows names only."""

    def __init__(self, folder: Path, header: Header, data_keys: Sequence[bytes]) -> None:
        """Not for callers: use `create` or `open`."""
        self.folder = folder
        self._header = header
        self._data_keys = tuple(data_keys)
        self._keks = tuple(map(Kek, data_keys))
        self._secrets: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"KeyStore({self.folder})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key store is not pickled: open it again in the other process")

    @classmethod
    def create(cls, folder: Path, passphrase: bytes, *, cost: KdfCost | None = None) -> Self:
        """Make an empty store in a folder that does not exist yet (or is empty).

        Raises:
            StoreExistsError: the folder holds something.
            PassphraseError: the passphrase is empty.
            PermissionsError: the folder belongs to another account.
        """
        wrapping = by_passphrase(passphrase, cost)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            require_owner(folder)
            folder.chmod(0o700)
            occupied = any(folder.iterdir())
        except FileExistsError:
            occupied = True
        if occupied:
            raise StoreExistsError(f"{folder}: not empty", "keys are never overwritten; choose a new folder")
        data_keys = [new_data_key()]
        header = make_header(wrapping, data_keys)
        write_new(folder / HEADER, header.to_json())
        sync_folder(folder.parent)
        return cls(folder, header, data_keys)

    @classmethod
    def open(cls, folder: Path, passphrase: bytes, module: Path | None = None) -> Self:
        """Open a store by its passphrase, or by the PIN of the token that seals it, whose PKCS#11 library
        is `module`.

        Raises:
            StoreMissingError: no store there.
            PermissionsError: the folder or the header is open to other accounts.
            StoreDamagedError: the header is not as it was written.
            StoreVersionError: the store is of a newer Heqiao.
            PassphraseError: the passphrase does not open it, or the token refuses the PIN.
            TokenError: the token is missing or does not have the key.
        """
        header = _read_header(folder)
        return cls(folder, header, _open_header(folder, header, passphrase, module))

    @classmethod
    def take_over(cls, folder: Path, data_keys: Sequence[bytes]) -> Self:
        """A store that this node's own process has open, by what its `hand_over` gave.

        It needs no passphrase, whose medium may be away by now, and no token. Raises StoreMissingError,
        PermissionsError, StoreDamagedError, StoreVersionError.
        """
        return cls(folder, _read_header(folder), data_keys)

    def hand_over(self) -> tuple[bytes, ...]:
        """What opens the store, for another process of this node: only through a pipe between the two."""
        return self._data_keys

    def unread(self) -> Self:
        """The same store with no secret in memory: each is read from its file again."""
        return type(self)(self.folder, self._header, self._data_keys)

    @property
    def token(self) -> str:
        """Label of the token that seals this store; empty where a passphrase does."""
        return "" if isinstance(self._header.kek, ByPassphrase) else self._header.kek.token

    def rewrap(self, wrapping: KeyWrapping) -> None:
        """Seal the store in another way from now on; the keys stay. One atomic write: after a crash either
        the old way or the new one opens the whole store.

        Raises:
            StoreBusyError: another process rewraps it, or has done so since it was opened.
            PermissionsError: as for `add`.
        """
        require_owner(self.folder)
        with self.locked():
            now = parse_header(self.folder / HEADER, read_private(self.folder / HEADER))
            if now != self._header:
                raise StoreBusyError(
                    f"{self.folder}: the key store was rewrapped meanwhile",
                    "find out who did it, then try again",
                )
            data_keys = (new_data_key(), *self._data_keys)
            header = make_header(wrapping, data_keys)
            open_data_keys(header, wrapping.sealer)  # a token that cannot open the store must not seal it
            replace(self.folder / HEADER, header.to_json(), PRIVATE)
        self._header, self._data_keys, self._keks = header, data_keys, tuple(map(Kek, data_keys))

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """`lock_store` of this store."""
        return lock_store(self.folder)

    def add(self, name: str, secret: bytes) -> None:
        """Seal a secret under a new name `<purpose>.<epoch>`.

        Raises:
            KeyExistsError: the name is taken.
            PermissionsError: the store belongs to another account; root counts as another one.
            ValueError: the name is not of that form, or the secret is empty.
        """
        split_name(name)
        if not secret:
            raise ValueError("an empty secret")
        require_owner(self.folder)
        try:
            write_new(self.path_of(name), self._keks[0].seal(name, secret))
        except KeyExistsError:
            raise KeyExistsError(f"{name}: the key store holds this key already", "it is kept") from None
        self._secrets[name] = secret

    def get(self, name: str) -> bytes:
        """The secret of a name.

        Raises:
            KeyMissingError: no such key.
            StoreDamagedError, StoreVersionError, PermissionsError: as for `open`.
        """
        secret = self._secrets.get(name)
        if secret is None:
            split_name(name)
            try:
                secret = self._unseal(name, read_private(self.path_of(name)))
            except FileNotFoundError:
                raise KeyMissingError(
                    f"{name}: the key store has no such key", "`heqiao init` and `heqiao join` make the keys"
                ) from None
            self._secrets[name] = secret
        return secret

    def forget(self, name: str) -> None:
        """Drop a secret from memory; its file stays."""
        self._secrets.pop(name, None)

    def remove(self, name: str) -> bool:
        """Destroy a key: its file and the copy in memory. Returns whether it existed.

        Backups of the key store still hold it. Raises PermissionsError as `add`.
        """
        self.forget(name)
        split_name(name)
        require_owner(self.folder)
        try:
            self.path_of(name).unlink()
        except FileNotFoundError:
            return False
        sync_folder(self.folder)
        return True

    def _unseal(self, name: str, sealed: bytes) -> bytes:
        for kek in self._keks[:-1]:
            with contextlib.suppress(StoreDamagedError):
                return kek.unseal(name, sealed)
        return self._keks[-1].unseal(name, sealed)

    def names(self) -> list[str]:
        """Names of all keys, by purpose and epoch."""
        try:  # without `glob`, which takes many times as long: every look at health asks a dozen times
            files = [path.name for path in self.folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            files = []
        found = (file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX))
        return sorted((name for name in found if _NAME.fullmatch(name)), key=split_name)

    def epochs(self, purpose: str) -> list[int]:
        """Epochs of a purpose, oldest first."""
        return [epoch for found, epoch in map(split_name, self.names()) if found == purpose]

    def newest(self, purpose: str) -> tuple[int, bytes]:
        """Highest epoch of a purpose, and its secret.

        Raises:
            KeyMissingError: there is none.
        """
        epochs = self.epochs(purpose)
        if not epochs:
            raise KeyMissingError(f"{purpose}: the key store has no such key", _WHICH.get(purpose, ""))
        return epochs[-1], self.get(f"{purpose}.{epochs[-1]}")

    def path_of(self, name: str) -> Path:
        """The sealed file of a name."""
        return self.folder / f"{name}{_SUFFIX}"


_WHICH: Final = {
    "salt": "the salt comes from the federation: run `heqiao join` with the bundle of its CA",
    "sum": "this home was made before there were sums: make another with `heqiao init`, and import",
    "oprf": "only a home made with --role node holds records and this key",
}


def split_name(name: str) -> tuple[str, int]:
    """Purpose and epoch of a key's name.

    Raises:
        ValueError: it is not `<purpose>.<epoch>`.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError("a key's name is <purpose>.<epoch>, as in oprf.1")
    return match[1], int(match[2])


def _read_header(folder: Path) -> Header:
    try:
        check_private(folder, folder.stat().st_mode)
        content = read_private(folder / HEADER)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreMissingError(
            f"{folder}: no key store here", "make one with `heqiao init`, or correct [keys] store"
        ) from None
    except PermissionError:
        raise PermissionsError(
            f"{folder}: this account may not enter it", "run as the account that owns the store"
        ) from None
    return parse_header(folder / HEADER, content)


def _open_header(folder: Path, header: Header, secret: bytes, module: Path | None) -> list[bytes]:
    if isinstance(header.kek, ByPassphrase):
        sealer = derive_kek(secret, header.kek.salt, header.kek.cost())
    else:
        return open_data_keys(header, by_token(module, header.kek.token, header.kek.key, secret).sealer)
    try:
        return open_data_keys(header, sealer)
    except StoreDamagedError:
        raise PassphraseError(
            f"{folder}: the passphrase does not open this key store",
            "check [keys] passphrase_file; the store itself is intact",
        ) from None
