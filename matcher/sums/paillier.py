"""Paillier's cryptosystem with g = n + 1 (Paillier 1999), for sums over rows (design.md section 5).

    responder (key holder)                        requester
    Encryptor.encrypt    x_i -> c_i
                              ---- c_i ---->      require_ciphertexts, add, rerandomise
                              <---- c -----
    require_ciphertext, decrypt

c = (1 + n)^x * R mod n^2, where R is a uniform n-th residue. Ciphertexts are the numbers that `phe` computes
(`raw_encrypt`, `raw_decrypt`); on the wire they are big endian, always `ciphertext_size` bytes. gmpy2 (GMP)
does the arithmetic, which is not constant in time except for the exponents of the private key.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import gmpy2

from matcher.errors import CiphertextError, PaillierKeyError, PlaintextError

RandomBytes = Callable[[int], bytes]
DEFAULT_BITS = 3072
LEAST_BITS = 512  # for tests; real keys have DEFAULT_BITS
_SPARE = 16  # bytes drawn beyond a bound, so that the remainder is uniform up to 2^-128
_ROUNDS = 40  # GMP: Baillie-PSW and 16 rounds of Miller-Rabin
_COFACTOR_BITS = 17
_COFACTORS_TRIED = 8192
_NUMBER_OVERHEAD = 56  # bytes of an mpz besides its limbs, and its place in a list
_AT_ONCE = 128  # values encrypted side by side


@dataclass(frozen=True)
class PublicKey:
    """The modulus n. A peer's comes from `modulus_proof.verify`, never directly from the wire."""

    n: int

    @cached_property
    def n_squared(self) -> int:
        """n^2, the modulus of ciphertexts."""
        return self.n * self.n

    @cached_property
    def bits(self) -> int:
        """The length of n in bits."""
        return self.n.bit_length()

    @cached_property
    def size(self) -> int:
        """The length of n in bytes."""
        return (self.bits + 7) // 8

    @property
    def ciphertext_size(self) -> int:
        """The length of a ciphertext in bytes."""
        return 2 * self.size


@dataclass(frozen=True)
class PrivateKey:
    """The two primes of n, in ascending order; repr shows neither."""

    p: int = field(repr=False)
    q: int = field(repr=False)

    def __post_init__(self) -> None:
        if not 2 < self.p < self.q or gmpy2.gcd(self.p * self.q, (self.p - 1) * (self.q - 1)) != 1:
            raise PaillierKeyError("not the primes of a Paillier key")

    @cached_property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.p * self.q)


def generate(bits: int = DEFAULT_BITS, random_bytes: RandomBytes = secrets.token_bytes) -> PrivateKey:
    """A fresh key with an n of exactly `bits` bits, a multiple of 32; about 1 s at 3,072.

    Each prime is 2 k l + 1 with l prime and k below 2^17: so p - 1 can be factored by the holder of p, and
    a base of full order be proven (see `cofactor_primes`). Raises PaillierKeyError for other sizes.
    """
    if bits % 32 or bits < LEAST_BITS:
        raise PaillierKeyError("the length of a modulus must be a multiple of 32, at least 512")
    first = second = _draw_prime(bits // 2, random_bytes)
    while first == second:
        second = _draw_prime(bits // 2, random_bytes)
    return PrivateKey(min(first, second), max(first, second))


def private_bytes(private: PrivateKey) -> bytes:
    """Both primes, big endian, half of the modulus' length each. Secret: seal it."""
    half = (private.q.bit_length() + 7) // 8
    return private.p.to_bytes(half, "big") + private.q.to_bytes(half, "big")


def private_from_bytes(data: bytes) -> PrivateKey:
    """Read `private_bytes`; raises PaillierKeyError unless it holds two primes of one length."""
    half = len(data) // 2
    p, q = int.from_bytes(data[:half], "big"), int.from_bytes(data[half:], "big")
    if len(data) % 2 or p.bit_length() != q.bit_length() or (q.bit_length() + 7) // 8 != half or not p < q:
        raise PaillierKeyError("not the bytes of a private key")
    if not (gmpy2.is_prime(p, _ROUNDS) and gmpy2.is_prime(q, _ROUNDS)):
        raise PaillierKeyError("not the bytes of a private key")
    return PrivateKey(p, q)


def encrypt(public: PublicKey, value: int, random_bytes: RandomBytes = secrets.token_bytes) -> int:
    """One ciphertext, without the private key; a key holder encrypts many with Encryptor."""
    _require_plaintext(public, value)
    return int((1 + value * public.n) * _residue(public, random_bytes) % public.n_squared)


def decrypt(private: PrivateKey, ciphertext: int) -> int:
    """The plaintext in [0, n), by the Chinese remainder theorem. Raises CiphertextError."""
    _require_units(private.public, [ciphertext])
    p, q = private.p, private.q
    low, high = _open_half(ciphertext, p, q), _open_half(ciphertext, q, p)
    return int(low + p * ((high - low) * gmpy2.invert(p, q) % q))


def to_bytes(public: PublicKey, ciphertext: int) -> bytes:
    """A ciphertext as `ciphertext_size` bytes, big endian."""
    return int(ciphertext).to_bytes(public.ciphertext_size, "big")


def require_ciphertext(public: PublicKey, data: bytes) -> int:
    """The number in bytes from outside; raises CiphertextError unless 1 <= c < n^2 and gcd(c, n) = 1."""
    return require_ciphertexts(public, [data])[0]


def require_ciphertexts(public: PublicKey, data: Iterable[bytes]) -> list[int]:
    """The numbers in many bytes from outside: as `require_ciphertext`, with one gcd for all of them."""
    size = public.ciphertext_size
    found = []
    for one in data:
        if len(one) != size:
            raise CiphertextError("a ciphertext has the wrong size")
        found.append(int.from_bytes(one, "big"))
    _require_units(public, found)
    return found


def add(public: PublicKey, ciphertexts: Iterable[int]) -> int:
    """A ciphertext of the sum of the plaintexts: their product. Of nothing: 1, an unrandomised zero."""
    total, square = gmpy2.mpz(1), gmpy2.mpz(public.n_squared)
    for one in ciphertexts:
        total = total * one % square
    return int(total)


def rerandomise(public: PublicKey, ciphertext: int, random_bytes: RandomBytes = secrets.token_bytes) -> int:
    """A ciphertext of the same plaintext that is independent of the one given, if gcd(n, phi(n)) = 1.

    Under a modulus without that property it is not independent (docs/threat-model.md), hence
    `modulus_proof.verify`.
    """
    return int(ciphertext * _residue(public, random_bytes) % public.n_squared)


def cofactor_primes(p: int) -> list[int] | None:
    """All prime factors of p - 1, ascending, if it is a prime times a number below 2^18; otherwise None."""
    rest, found, prime = gmpy2.mpz(p - 1), [], gmpy2.mpz(2)
    while prime < 1 << _COFACTOR_BITS + 1:
        if rest % prime == 0:
            found.append(int(prime))
            while rest % prime == 0:
                rest //= prime
        prime = gmpy2.next_prime(prime)
    if (p - 1) // rest >> _COFACTOR_BITS + 1 or not gmpy2.is_prime(rest, _ROUNDS):
        return None
    return [*found, int(rest)]


class Encryptor:
    """A key holder's encryption in bulk: fixed-base tables modulo p^2 and q^2.

    Modulo p^2 the n-th residues are the cyclic group of order p - 1, and likewise modulo q^2. A base of
    each is chosen at random and *proven* to generate it (p - 1 can be factored for keys of `generate`), and
    exponents are uniform in [0, p - 1) and [0, q - 1). So R is exactly uniform among the n-th residues
    modulo n^2, the distribution of Paillier's r^n, and no assumption is added.

    With `exponent_bits` (256 is usual) R is h^e mod n^2 with one short exponent e and h a random square of
    full order (Damgard, Jurik, Nielsen 2010). That adds an assumption: such h^e cannot be distinguished
    from h^e with full exponents. Faster, hence an option; never the default.

    The tables are built once, here: about 1 s and 49 MB at 3,072 bits, 8 MB with short exponents
    (`table_bytes`). Immutable afterwards, so threads may share one and forked processes inherit it.
    """

    def __init__(
        self,
        private: PrivateKey,
        exponent_bits: int | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        """Raises PaillierKeyError for a key that `generate` did not make, or an unfit `exponent_bits`."""
        half = private.p.bit_length()
        if half % 16 or private.q.bit_length() != half:
            raise PaillierKeyError("the primes must be of one length, a multiple of 16 bits")
        if exponent_bits is not None and (exponent_bits % 16 or not 224 <= exponent_bits <= half):
            raise PaillierKeyError("short exponents must be a multiple of 16 bits, 224 or more")
        self.public = private.public
        self.exponent_bits = exponent_bits
        self._digits = (exponent_bits or half) // 8
        self._random_bytes = random_bytes
        self._p, self._q = (
            _Powers(prime, other, self._digits, exponent_bits is not None, random_bytes)
            for prime, other in ((private.p, private.q), (private.q, private.p))
        )
        self._inverse = gmpy2.invert(self._p.square, self._q.square)

    @property
    def table_bytes(self) -> int:
        """The memory of the tables: for both primes, each digit and digit value two numbers."""
        number = self.public.size // 2 + _NUMBER_OVERHEAD
        return 2 * self._digits * 256 * 2 * number

    def encrypt(self, values: Iterable[int]) -> list[bytes]:
        """A ciphertext (`ciphertext_size` bytes) for each value. Raises PlaintextError before any work."""
        values = list(values)
        for value in values:
            _require_plaintext(self.public, value)
        made: list[bytes] = []
        for at in range(0, len(values), _AT_ONCE):
            made += self._encrypt([gmpy2.mpz(value) for value in values[at : at + _AT_ONCE]])
        return made

    def _encrypt(self, values: list[Any]) -> list[bytes]:
        if self.exponent_bits is None:
            for_p, for_q = ([side.draw(self._random_bytes) for _ in values] for side in (self._p, self._q))
        else:
            for_p = for_q = [self._random_bytes(self._digits) for _ in values]
        square, other, inverse = self._p.square, self._q.square, self._inverse
        size = self.public.ciphertext_size
        halves = zip(self._p.encrypt(values, for_p), self._q.encrypt(values, for_q), strict=True)
        return [
            (low + square * ((high - low) * inverse % other)).to_bytes(size, "big") for low, high in halves
        ]


class _Powers:
    """Powers of one base h of order p - 1 modulo p^2, by digits of eight bits.

    Every power t = h^(d * 256^i) is kept as c = t mod p and f with t = c * (1 + p * f) mod p^2. A product
    of such is (the product of all c) * (1 + p * (the sum of all f)): additions, and multiplications by
    numbers of half the length, which takes little more than half the time.
    """

    def __init__(self, prime: int, other: int, digits: int, squared: bool, random_bytes: RandomBytes) -> None:
        self.prime, self.square = gmpy2.mpz(prime), gmpy2.mpz(prime) ** 2
        self._other = gmpy2.mpz(other)
        self._order = (prime - 1).to_bytes((prime.bit_length() + 7) // 8, "big")
        base = _draw_base(prime, random_bytes)
        power = gmpy2.powmod(base, 2 * self.prime if squared else self.prime, self.square)
        rows = []
        for _ in range(digits):
            row, power = self._row(power)
            rows.append(row)
        self._rows = rows[::-1]  # exponents are big endian

    def draw(self, random_bytes: RandomBytes) -> bytes:
        """A uniform exponent in [0, p - 1), big endian."""
        while (exponent := random_bytes(len(self._order))) >= self._order:
            pass
        return exponent

    def encrypt(self, values: list[Any], exponents: list[bytes]) -> list[Any]:
        """(1 + n)^value * h^exponent mod p^2 for each; the first factor is 1 + p * (value * q).

        Two digits a step, and one step for all values before the next: its two rows then stay in the cache.
        """
        prime, square = self.prime, self.square
        products, logs = [gmpy2.mpz(1)] * len(values), [value * self._other for value in values]
        digits = list(zip(*exponents, strict=True))
        for at in range(0, len(self._rows), 2):
            (first, first_logs), (second, second_logs) = self._rows[at : at + 2]
            pairs = list(zip(digits[at], digits[at + 1], strict=True))
            products = [
                x * (first[a] * second[b]) % square for x, (a, b) in zip(products, pairs, strict=True)
            ]
            logs = [x + first_logs[a] + second_logs[b] for x, (a, b) in zip(logs, pairs, strict=True)]
        return [x * (1 + prime * (log % prime)) % square for x, log in zip(products, logs, strict=True)]

    def _row(self, base: Any) -> tuple[tuple[list[Any], list[Any]], Any]:
        """All c and all f of base^0 to base^255, and base^256."""
        prime, square = self.prime, self.square
        step = gmpy2.invert(base, prime)
        residues, logs = [], []
        power, inverse = gmpy2.mpz(1), gmpy2.mpz(1)
        for _ in range(256):
            high, residue = gmpy2.f_divmod(power, prime)
            residues.append(residue)
            logs.append(high * inverse % prime)
            power, inverse = power * base % square, inverse * step % prime
        return (residues, logs), power


def _draw_prime(bits: int, random_bytes: RandomBytes) -> int:
    """A prime 2 k l + 1 of `bits` bits, both top bits set: a product of two has twice the length."""
    length = bits - _COFACTOR_BITS
    while True:
        large = gmpy2.next_prime(_below(1 << length - 1, random_bytes) | 1 << length - 1)
        least, bound = (3 << bits - 2) // (2 * large) + 1, ((1 << bits) - 1) // (2 * large)
        for _ in range(_COFACTORS_TRIED):
            found = 2 * (least + _below(int(bound - least), random_bytes)) * large + 1
            if gmpy2.is_prime(found, _ROUNDS):
                return int(found)


def _draw_base(prime: int, random_bytes: RandomBytes) -> int:
    """A random generator modulo `prime`: no power (p - 1) / l of it is 1, for any prime factor l of p - 1."""
    factors = cofactor_primes(prime)
    if factors is None:
        raise PaillierKeyError("this key was not generated here: no base can be proven to have full order")
    while True:
        base = 2 + _below(prime - 3, random_bytes)
        if all(gmpy2.powmod(base, (prime - 1) // factor, prime) != 1 for factor in factors):
            return base


def _below(bound: int, random_bytes: RandomBytes) -> int:
    """A number in [0, bound), uniform up to 2^-128."""
    return int.from_bytes(random_bytes((bound.bit_length() + 7) // 8 + _SPARE), "big") % bound


def _residue(public: PublicKey, random_bytes: RandomBytes) -> Any:
    """r^n mod n^2 with r uniform among the units modulo n."""
    while gmpy2.gcd(r := _below(public.n, random_bytes), public.n) != 1:
        pass
    return gmpy2.powmod(r, public.n, public.n_squared)


def _open_half(ciphertext: int, prime: int, other: int) -> Any:
    """The plaintext modulo `prime`: c^(p-1) = 1 - p * (x * q) mod p^2."""
    power = gmpy2.powmod_sec(ciphertext % prime**2, prime - 1, prime**2)
    return (power - 1) // prime * gmpy2.invert(-other, prime) % prime


def _require_plaintext(public: PublicKey, value: int) -> None:
    if not 0 <= value < public.n:
        raise PlaintextError("a plaintext must be in [0, n)")


def _require_units(public: PublicKey, ciphertexts: list[int]) -> None:
    """All in [1, n^2), and units modulo n: their product is one exactly when each of them is."""
    product, n, square = gmpy2.mpz(1), gmpy2.mpz(public.n), public.n_squared
    for one in ciphertexts:
        if not 1 <= one < square:
            raise CiphertextError("a ciphertext is out of range")
        product = product * (one % n) % n
    if gmpy2.gcd(product, n) != 1:
        raise CiphertextError("a ciphertext is not a unit modulo n^2")
