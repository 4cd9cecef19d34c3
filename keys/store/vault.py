"""What a node stores is sealed under its storage key, which rotates: the seal names the key's epoch."""

import secrets
from collections.abc import Callable, Mapping
from typing import Final

from keys.errors import StoreDamagedError
from keys.store.wrap import Kek

EPOCH_BYTES: Final = 2  # before the seal, big endian
OVERHEAD: Final = EPOCH_BYTES + 35  # bytes that a seal is longer than its content


class Vault:
    """Seals under the active storage key, and opens under each one that a home has. Its repr shows none."""

    __slots__ = ("_keks", "active")

    def __init__(self, storage_keys: Mapping[int, bytes], active: int) -> None:
        """Take keys of 32 bytes by epoch; `active` is one of the epochs."""
        self._keks = {epoch: Kek(key) for epoch, key in storage_keys.items()}
        self.active = active

    def __repr__(self) -> str:
        return "Vault(****)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a vault is not pickled")

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epochs of the keys that are here, ascending."""
        return tuple(sorted(self._keks))

    def seal(
        self, name: str, plain: bytes, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> bytes:
        """Seal bytes for the place `name`; OVERHEAD bytes longer."""
        return prefix_of(self.active) + self._keks[self.active].seal(name, plain, random_bytes=random_bytes)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` made for the same place, under whichever storage key.

        Raises:
            StoreVersionError: written by a newer Heqiao.
            StoreDamagedError: not sealed bytes, altered, of another place, or under a key that is not here.
        """
        kek = self._keks.get(int.from_bytes(sealed[:EPOCH_BYTES]))
        if kek is None:
            raise StoreDamagedError(
                f"{name}: sealed under a storage key that this home does not have",
                "restore the database and the key store from one backup",
            )
        return kek.unseal(name, sealed[EPOCH_BYTES:])


def prefix_of(epoch: int) -> bytes:
    """How everything begins that is sealed under the storage key of an epoch."""
    return epoch.to_bytes(EPOCH_BYTES)
