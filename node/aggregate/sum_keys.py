"""The keys with which a responder makes and opens sums (design.md section 5)."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from keys import KeyStore
from matcher import modulus, oprf, paillier, token
from matcher.paillier import PrivateKey


@dataclass(frozen=True, slots=True)
class SumKeys:
    """One epoch of them. Nothing shows in a repr.

    `sum_key` is the 32-byte key k_s of the rows' points, `primes` the Paillier key as it is stored, `check`
    the 32-byte secret of the check slot.
    """

    epoch: int
    sum_key: bytes = field(repr=False)
    primes: bytes = field(repr=False)
    check: bytes = field(repr=False)

    @classmethod
    def of(cls, store: KeyStore) -> Self | None:
        """The newest keys of a store, None where a home was made before there were sums."""
        if not {"sum", "paillier", "sumcheck"} <= {name.partition(".")[0] for name in store.names()}:
            return None
        epoch, sum_key = store.newest("sum")
        return cls(epoch, sum_key, store.newest("paillier")[1], store.newest("sumcheck")[1])

    @property
    def private(self) -> PrivateKey:
        """The Paillier key."""
        return _private(self.primes)

    @property
    def modulus(self) -> bytes:
        """n, big endian."""
        return modulus.modulus_bytes(self.private.public)

    @property
    def proof(self) -> bytes:
        """The proof that travels with the modulus; made once in a process."""
        return _proof(self.primes)

    @property
    def canaries(self) -> bytes:
        """k_s * M_c of the public constants, 32 bytes each."""
        return oprf.evaluate_own(self.sum_key, token.canary_points())


@lru_cache(maxsize=4)
def _private(primes: bytes) -> PrivateKey:
    return paillier.private_from_bytes(primes)


@lru_cache(maxsize=4)
def _proof(primes: bytes) -> bytes:
    return modulus.prove(_private(primes))
