"""The keys with which a responder encrypts rows and opens sums (design.md section 5).

Three keys make one epoch and rotate together (docs/adr/0009): the sum key k_s, the Paillier key, and the
secret of the check slot.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, Self

from keys import KeyStore
from keys.types import EpochKey, KeyState
from matcher.suites.suite import CURRENT
from matcher.sums import modulus_proof, paillier
from matcher.sums.paillier import Encryptor, PrivateKey

SUM_PURPOSES: Final = ("sum", "paillier", "sumcheck")


@dataclass(frozen=True, slots=True)
class SumKeys:
    """The keys of one epoch. No repr shows them.

    `sum_key` is the 32-byte key k_s of the rows' points, `primes` the Paillier key as it is stored, `check`
    the 32-byte secret of the check slot; `salt_version` is the salt of the identities in their rows (0: the
    oldest salt).
    """

    epoch: int
    sum_key: bytes = field(repr=False)
    primes: bytes = field(repr=False)
    check: bytes = field(repr=False)
    salt_version: int = 0

    @classmethod
    def of(cls, store: KeyStore, epoch: int, salt_version: int = 0) -> Self:
        """The keys of an epoch. Raises KeyMissingError unless the store has all three."""
        sum_key, primes, check = (store.get(f"{purpose}.{epoch}") for purpose in SUM_PURPOSES)
        return cls(epoch, sum_key, primes, check, salt_version)

    @property
    def private(self) -> PrivateKey:
        """The Paillier key."""
        return _private(self.primes)

    @property
    def modulus(self) -> bytes:
        """n, big endian."""
        return modulus_proof.modulus_bytes(self.private.public)

    @property
    def proof(self) -> bytes:
        """The proof that is sent with the modulus; made once in a process."""
        return _proof(self.primes)

    @property
    def canaries(self) -> bytes:
        """k_s * M_c of the public constants, 32 bytes each."""
        return CURRENT.canary_tokens(self.sum_key)


@dataclass(frozen=True, slots=True)
class GraceSums:
    """Keys whose epoch is still answered until `until`."""

    keys: SumKeys
    until: datetime | None


def active_sums(store: KeyStore, found: Iterable[EpochKey]) -> SumKeys | None:
    """The active keys by the database; before any rotation, those of the lowest epoch of the key store.

    None where a home was made before there were sums. Raises KeyMissingError where one of three is missing.
    """
    known = [key for key in found if key.purpose == SUM_PURPOSES[0] and key.state is KeyState.ACTIVE]
    held = [set(store.epochs(purpose)) for purpose in SUM_PURPOSES]
    if not known and not all(held):
        return None
    if known:
        return SumKeys.of(store, known[0].epoch, known[0].salt_version)
    return SumKeys.of(store, min(set.intersection(*held)))


def grace_sums(store: KeyStore, found: Iterable[EpochKey]) -> dict[int, GraceSums]:
    """The keys of epochs in grace. Keys of older epochs are dropped from memory."""
    found = [key for key in found if key.purpose == SUM_PURPOSES[0]]
    if any(key.state in (KeyState.RETIRED, KeyState.DESTROYED) for key in found):
        for kept in (_private, _proof, encryptor):
            kept.cache_clear()
    return {
        key.epoch: GraceSums(SumKeys.of(store, key.epoch, key.salt_version), key.grace_until)
        for key in found
        if key.state is KeyState.GRACE
    }


def pending_sums(store: KeyStore, found: Iterable[EpochKey], salt_version: int) -> SumKeys | None:
    """The keys of the pending epoch under a salt, None where there is none."""
    wanted = (SUM_PURPOSES[0], KeyState.PENDING, salt_version)
    waits = (key.epoch for key in found if (key.purpose, key.state, key.salt_version) == wanted)
    epoch = next(waits, None)
    return None if epoch is None else SumKeys.of(store, epoch, salt_version)


@lru_cache(maxsize=4)
def _private(primes: bytes) -> PrivateKey:
    return paillier.private_from_bytes(primes)


@lru_cache(maxsize=4)
def _proof(primes: bytes) -> bytes:
    return modulus_proof.prove(_private(primes))


@lru_cache(maxsize=2)
def encryptor(primes: bytes) -> Encryptor:
    """Encrypts in bulk under a stored key. Its tables take a second to build, so a process keeps them."""
    return Encryptor(_private(primes))
