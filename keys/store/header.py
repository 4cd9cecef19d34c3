"""The header of a key store: how its data keys are sealed, by a passphrase or by a token.

    keys    --- sealed under ---> data keys (in store.json)
    data keys --- sealed under ---> key-encryption key: Argon2id of a passphrase, or an AES key in a token

A new passphrase or token therefore takes one atomic write of the header (`heqiao keys rewrap`). Each
rewrap adds a data key, under which all later keys are sealed: a stolen old copy of the header opens no key
made after it. Older data keys stay, since older keys are sealed under them.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol

from pydantic import Field

from keys.errors import PassphraseError, StoreDamagedError, StoreVersionError
from keys.pki.documents import Base64, Document, canonical
from keys.store.wrap import KEK_BYTES, SALT_BYTES, KdfCost, derive_kek

VERSION: Final = 1
STANDARD_COST = KdfCost()
_DATA_KEYS: Final = 64  # of one store; far more rewraps than any home needs


class Sealer(Protocol):
    """A key-encryption key, in memory or in a token."""

    def seal(self, name: str, secret: bytes) -> bytes:
        """Seal `secret` for the entry `name`."""

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` made for the same name; StoreDamagedError where it does not open."""


class ByPassphrase(Document):
    """Argon2id parameters and salt."""

    kind: Literal["passphrase"] = "passphrase"
    iterations: int
    lanes: int
    memory_kib: int
    salt: Base64

    def cost(self) -> KdfCost:
        """The parameters; raises ValueError outside their bounds."""
        return KdfCost(self.iterations, self.lanes, self.memory_kib)


class ByToken(Document):
    """Labels of a PKCS#11 token and of the AES key in it. The library's path is configuration: a header
    must not be able to make a node load code.
    """

    kind: Literal["pkcs11"] = "pkcs11"
    token: Annotated[str, Field(min_length=1, max_length=32)]
    key: Annotated[str, Field(min_length=1, max_length=128)]


class Header(Document):
    """store.json. `data_keys` is sealed for the name `binding()`: with another `kek` it does not open."""

    version: Literal[1] = 1
    kek: Annotated[ByPassphrase | ByToken, Field(discriminator="kind")]
    data_keys: Base64 = b""
    digest: str = ""

    def binding(self) -> str:
        """The associated data of the data keys' seal."""
        return self._text({"data_keys", "digest"})

    def checksum(self) -> str:
        """Distinguishes a damaged header from a wrong passphrase; it is no protection."""
        return hashlib.sha256(self._text({"digest"}).encode()).hexdigest()

    def _text(self, without: set[str]) -> str:
        return canonical(self.model_dump(mode="json", exclude=without)).decode()


@dataclass(frozen=True, slots=True)
class KeyWrapping:
    """How a store is sealed: what the header records of it, and the key-encryption key."""

    kek: ByPassphrase | ByToken
    sealer: Sealer = field(repr=False)


def by_passphrase(passphrase: bytes, cost: KdfCost | None = None) -> KeyWrapping:
    """Seal a store by a passphrase, under a fresh salt.

    Raises:
        PassphraseError: the passphrase is empty.
    """
    if not passphrase:
        raise PassphraseError("the passphrase is empty", "give one that nobody can guess")
    cost = cost or STANDARD_COST
    salt = secrets.token_bytes(SALT_BYTES)
    section = ByPassphrase(
        iterations=cost.iterations, lanes=cost.lanes, memory_kib=cost.memory_kib, salt=salt
    )
    return KeyWrapping(section, derive_kek(passphrase, salt, cost))


def new_data_key() -> bytes:
    """A fresh data key, 32 bytes."""
    return secrets.token_bytes(KEK_BYTES)


def make_header(wrapping: KeyWrapping, data_keys: Sequence[bytes]) -> Header:
    """The header that seals data keys, newest first.

    Raises:
        StoreDamagedError: there are too many.
    """
    if not 1 <= len(data_keys) <= _DATA_KEYS:
        raise StoreDamagedError(
            f"a key store has at most {_DATA_KEYS} data keys", "restore its backup into a new home"
        )
    header = Header(kek=wrapping.kek)
    header = header.model_copy(
        update={"data_keys": wrapping.sealer.seal(header.binding(), b"".join(data_keys))}
    )
    return header.model_copy(update={"digest": header.checksum()})


def open_data_keys(header: Header, sealer: Sealer) -> list[bytes]:
    """The data keys, newest first.

    Raises:
        StoreDamagedError: they do not open with this key-encryption key.
    """
    found = sealer.unseal(header.binding(), header.data_keys)
    if not found or len(found) % KEK_BYTES:
        raise StoreDamagedError("the data keys are malformed", _RESTORE)
    return [found[i : i + KEK_BYTES] for i in range(0, len(found), KEK_BYTES)]


def parse_header(path: Path, content: bytes) -> Header:
    """The header in the bytes of store.json.

    Raises:
        StoreDamagedError: it is not as it was written.
        StoreVersionError: it is of a newer Heqiao.
    """
    try:
        version = json.loads(content).get("version")
    except (ValueError, RecursionError, AttributeError):
        raise StoreDamagedError(f"{path}: not the header of a key store", _RESTORE) from None
    if isinstance(version, int) and version > VERSION:
        raise StoreVersionError(
            f"{path}: key store of version {version}, this Heqiao knows up to {VERSION}",
            "use the Heqiao release that wrote the key store, or a later one",
        )
    try:
        header = Header.model_validate_json(content)
        if isinstance(header.kek, ByPassphrase):
            header.kek.cost()
    except ValueError:
        raise StoreDamagedError(f"{path}: not the header of a key store", _RESTORE) from None
    wrong_salt = isinstance(header.kek, ByPassphrase) and len(header.kek.salt) != SALT_BYTES
    if wrong_salt or header.digest != header.checksum():
        raise StoreDamagedError(f"{path}: the header was altered", _RESTORE)
    return header


_RESTORE: Final = "the file was altered or cut short; restore it from the backup of the key store"
