"""Secrets under a key-encryption key (KEK): passphrase -> KEK by Argon2id -> sealed bytes.

    sealed = "HEQIAO" || version (1 byte) || nonce (12 random bytes) || ChaCha20-Poly1305 ciphertext

The marker and the name of the entry are the associated data, so that an entry neither opens under
another name nor pretends to be of another version (design.md section 6). The version byte
names the cipher: 2 is AES-GCM in a PKCS#11 token (pkcs11.py).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keys.errors import StoreDamagedError, StoreVersionError

MAGIC: Final = b"HEQIAO"
VERSION: Final = 1
KEK_BYTES: Final = 32
SALT_BYTES: Final = 16  # RFC 9106 section 3.1: 16 bytes are recommended for password hashing
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEAD: Final = len(MAGIC) + 1


@dataclass(frozen=True, slots=True)
class KdfCost:
    """Argon2id parameters; the default is the second recommended option of RFC 9106 section 4.

    The parameters have bounds because they are read from a file: a header must not be able
    to make the node allocate all its memory.

    Raises:
        ValueError: a parameter is outside its bounds.
    """

    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 65_536

    def __post_init__(self) -> None:
        if not 1 <= self.iterations <= 100:
            raise ValueError("iterations must be 1 to 100")
        if not 1 <= self.lanes <= 64:
            raise ValueError("lanes must be 1 to 64")
        if not 8 * self.lanes <= self.memory_kib <= 4_194_304:
            raise ValueError("memory_kib must be 8 * lanes to 4194304")


class Kek:
    """A key-encryption key. Its repr shows nothing of it, and it is never stored."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        """Take 32 bytes."""
        self._aead = ChaCha20Poly1305(key)

    def __repr__(self) -> str:
        return "Kek(****)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key-encryption key is not pickled")

    def seal(
        self, name: str, secret: bytes, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> bytes:
        """Seal `secret` (any length) for the entry `name`; 35 bytes longer than the secret."""
        marker = MAGIC + bytes([VERSION])
        nonce = random_bytes(_NONCE_BYTES)
        return marker + nonce + self._aead.encrypt(nonce, secret, marker + name.encode())

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` made for the same name.

        Raises:
            StoreVersionError: written by a newer Heqiao.
            StoreDamagedError: not sealed bytes, altered, of another name, or under another KEK.
        """
        if len(sealed) < _HEAD + _NONCE_BYTES + _TAG_BYTES or not sealed.startswith(MAGIC):
            raise StoreDamagedError(f"{name}: not a sealed key", _RESTORE)
        version = sealed[len(MAGIC)]
        if version > VERSION:
            raise StoreVersionError(
                f"{name}: sealed in version {version}, this Heqiao knows up to {VERSION}",
                "use the Heqiao release that wrote the key store, or a later one",
            )
        nonce, ciphertext = sealed[_HEAD : _HEAD + _NONCE_BYTES], sealed[_HEAD + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, ciphertext, sealed[:_HEAD] + name.encode())
        except InvalidTag:
            raise StoreDamagedError(f"{name}: the sealed key does not open", _RESTORE) from None


_RESTORE: Final = "the file was altered or replaced; restore it from the backup of the key store"


def derive_kek(passphrase: bytes, salt: bytes, cost: KdfCost) -> Kek:
    """Passphrase and 16-byte salt -> KEK by Argon2id (RFC 9106)."""
    kdf = Argon2id(
        salt=salt,
        length=KEK_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return Kek(kdf.derive(passphrase))
