"""The key store: a folder with a header and one sealed file per key (design.md section 6).

    keys/            0700
      store.json     version, Argon2id parameters and salt, check value, digest
      oprf.1.key     the sealed secret of `oprf`, epoch 1, 0600

The digest of the header is no protection: it tells a damaged header from a wrong passphrase. The
check value is, being sealed under the KEK with the rest of the header as its name: a header with
other parameters does not open.
"""

import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Final, Literal, Self

from keys.disk import check_private, read_private, sync_folder, write_new
from keys.documents import Base64, Document, canonical
from keys.errors import (
    KeyExistsError,
    KeyMissingError,
    PassphraseError,
    PermissionsError,
    StoreDamagedError,
    StoreExistsError,
    StoreMissingError,
    StoreVersionError,
)
from keys.wrap import SALT_BYTES, KdfCost, Kek, derive_kek

VERSION: Final = 1
HEADER: Final = "store.json"
_SUFFIX: Final = ".key"
# `<purpose>.<epoch>`; states (pending, active, grace, retired) are in the node's database.
_NAME: Final = re.compile(r"([a-z][a-z0-9-]{0,31})\.([1-9][0-9]{0,8})")


class _Header(Document):
    version: Literal[1]
    kdf: Literal["argon2id"]
    iterations: int
    lanes: int
    memory_kib: int
    salt: Base64
    check: Base64 = b""
    digest: str = ""

    def cost(self) -> KdfCost:
        return KdfCost(self.iterations, self.lanes, self.memory_kib)

    def binding(self) -> str:
        """What the check value is sealed for: everything that the KEK is derived from."""
        return self._text({"check", "digest"})

    def checksum(self) -> str:
        return hashlib.sha256(self._text({"digest"}).encode()).hexdigest()

    def _text(self, without: set[str]) -> str:
        return canonical(self.model_dump(mode="json", exclude=without)).decode()


class KeyStore:
    """An open key store. Sealed files are read once and kept in memory; repr shows names only."""

    def __init__(self, folder: Path, kek: Kek) -> None:
        """Not for callers: use `create` or `open`."""
        self.folder = folder
        self._kek = kek
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
        """
        if not passphrase:
            raise PassphraseError("the passphrase is empty", "give one that nobody can guess")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
            occupied = any(folder.iterdir())
        except FileExistsError:
            occupied = True
        if occupied:
            raise StoreExistsError(f"{folder}: not empty", "keys are never written over; choose a new folder")
        cost = cost or KdfCost()
        header = _Header(
            version=1,
            kdf="argon2id",
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_kib=cost.memory_kib,
            salt=secrets.token_bytes(SALT_BYTES),
        )
        kek = derive_kek(passphrase, header.salt, cost)
        header = header.model_copy(update={"check": kek.seal(header.binding(), b"")})
        header = header.model_copy(update={"digest": header.checksum()})
        write_new(folder / HEADER, header.to_json())
        sync_folder(folder.parent)
        return cls(folder, kek)

    @classmethod
    def open(cls, folder: Path, passphrase: bytes) -> Self:
        """Open a store.

        Raises:
            StoreMissingError: no store there.
            PermissionsError: the folder or the header is open to other accounts.
            StoreDamagedError: the header is not as it was written.
            StoreVersionError: the store is of a newer Heqiao.
            PassphraseError: the passphrase does not open it.
        """
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
        header = _read_header(folder / HEADER, content)
        kek = derive_kek(passphrase, header.salt, header.cost())
        try:
            kek.unseal(header.binding(), header.check)
        except StoreDamagedError:
            raise PassphraseError(
                f"{folder}: the passphrase does not open this key store",
                "check [keys] passphrase_file; the store itself is intact",
            ) from None
        return cls(folder, kek)

    def add(self, name: str, secret: bytes) -> None:
        """Seal a secret under a new name `<purpose>.<epoch>`.

        Raises:
            KeyExistsError: the name is taken.
            ValueError: the name is not of that form, or the secret is empty.
        """
        split_name(name)
        if not secret:
            raise ValueError("an empty secret")
        try:
            write_new(self.path_of(name), self._kek.seal(name, secret))
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
                secret = self._kek.unseal(name, read_private(self.path_of(name)))
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
        """Destroy a key: its file and the copy in memory. Return whether there was one.

        Backups of the key store still hold it.
        """
        self.forget(name)
        split_name(name)
        try:
            self.path_of(name).unlink()
        except FileNotFoundError:
            return False
        sync_folder(self.folder)
        return True

    def names(self) -> list[str]:
        """Names of all keys, by purpose and epoch."""
        found = (path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"[a-z]*{_SUFFIX}"))
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


def _read_header(path: Path, content: bytes) -> _Header:
    hint = "the file was altered or cut short; restore it from the backup of the key store"
    try:
        version = json.loads(content).get("version")
    except (ValueError, RecursionError, AttributeError):
        raise StoreDamagedError(f"{path}: not the header of a key store", hint) from None
    if isinstance(version, int) and version > VERSION:
        raise StoreVersionError(
            f"{path}: key store of version {version}, this Heqiao knows up to {VERSION}",
            "use the Heqiao release that wrote the key store, or a later one",
        )
    try:
        header = _Header.model_validate_json(content)
        header.cost()
    except ValueError:
        raise StoreDamagedError(f"{path}: not the header of a key store", hint) from None
    if len(header.salt) != SALT_BYTES or header.digest != header.checksum():
        raise StoreDamagedError(f"{path}: the header was altered", hint)
    return header
