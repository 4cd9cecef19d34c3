"""Whether a peer's modulus is fit for Paillier: a proof, and its check (design.md section 5).

Goldberg, Reyzin, Sagga, Baldimtsi, "Efficient noninteractive certification of RSA moduli and beyond"
(2019), the proof for Paillier: if a prime divides both n and phi(n), then at most one number in that prime
has an n-th root modulo n. The holder shows n-th roots of ROOTS numbers that a hash of n chooses; the verifier
has excluded every prime below 2^16 by division, so a false proof exists for one try in 2^128.

A good proof assures the requester that x -> x^n is one to one modulo n, so a re-randomised ciphertext reveals
nothing but its plaintext. It does not prove that n has two primes only; that concerns only the key holder.
"""

import functools
from typing import Any, Final

import gmpy2
from blake3 import blake3

from matcher.errors import ModulusError, PaillierKeyError
from matcher.sums.paillier import DEFAULT_BITS, PrivateKey, PublicKey

CONTEXT = "heqiao v1 modulus proof"
BOUND = 1 << 16  # n has no prime factor below
ROOTS = 8  # times 16 bits of soundness each
MAX_BITS = 8192  # a longer modulus would only cost computing time
REASONS: Final = (
    "too_short",
    "too_long",
    "padded",
    "even",
    "square",
    "power",
    "small_factor",
    "prime",
    "proof",
)
_SPARE = 16  # bytes drawn beyond n, so that the remainder is uniform up to 2^-128


def prove(private: PrivateKey) -> bytes:
    """The proof for a key's modulus: ROOTS numbers of the modulus' length, big endian. Public, made once.

    Raises PaillierKeyError for a modulus that `verify` would refuse with any proof.
    """
    public = private.public
    order = (private.p - 1) * (private.q - 1)
    exponent = gmpy2.invert(public.n, order)
    modulus = modulus_bytes(public)
    try:
        _require_form(modulus, 0)
        challenges = _challenges(public.n)
    except ModulusError:
        raise PaillierKeyError("there is no proof for this modulus") from None
    roots = (gmpy2.powmod_sec(challenge, exponent, public.n) for challenge in challenges)
    return b"".join(int(root).to_bytes(public.size, "big") for root in roots)


def verify(modulus: bytes, proof: bytes, min_bits: int = DEFAULT_BITS) -> PublicKey:
    """The public key of a peer's modulus (big endian), checked; about 0.1 s at 3,072 bits, so once per key.

    Raises ModulusError whose `reason` is one of REASONS; the cheap checks come first.
    """
    public = _require_form(modulus, min_bits)
    if len(proof) != ROOTS * public.size:
        raise ModulusError("proof", "the proof of a modulus has the wrong size")
    n = public.n
    for at, challenge in enumerate(_challenges(n)):
        root = int.from_bytes(proof[at * public.size : (at + 1) * public.size], "big")
        if not 0 < root < n or gmpy2.powmod(root, n, n) != challenge:
            raise ModulusError("proof", "the proof of a modulus does not hold")
    return public


def modulus_bytes(public: PublicKey) -> bytes:
    """The modulus as transmitted: big endian, without leading zeros."""
    return public.n.to_bytes(public.size, "big")


def _require_form(modulus: bytes, min_bits: int) -> PublicKey:
    """The checks that need no proof."""
    if 8 * len(modulus) > MAX_BITS:
        raise ModulusError("too_long", f"a modulus is longer than {MAX_BITS} bits")
    n = int.from_bytes(modulus, "big")
    if n.bit_length() < max(min_bits, 2):
        raise ModulusError("too_short", f"a modulus is shorter than {min_bits} bits")
    if modulus[0] == 0:
        raise ModulusError("padded", "a modulus starts with zeros")
    if n % 2 == 0:
        raise ModulusError("even", "a modulus is even")
    if gmpy2.is_square(n):
        raise ModulusError("square", "a modulus is a square")
    if gmpy2.is_power(n):
        raise ModulusError("power", "a modulus is a perfect power")
    if gmpy2.gcd(n, _small_primes()) != 1:
        raise ModulusError("small_factor", f"a modulus has a prime factor below {BOUND}")
    if gmpy2.is_prime(n):
        raise ModulusError("prime", "a modulus is prime")
    return PublicKey(n)


def _challenges(n: int) -> list[Any]:
    """ROOTS numbers modulo n that the modulus itself chooses: one BLAKE3 stream, cut into equal parts."""
    size = (n.bit_length() + 7) // 8
    part = size + _SPARE
    stream = blake3(n.to_bytes(size, "big"), derive_key_context=CONTEXT).digest(length=ROOTS * part)
    found = [int.from_bytes(stream[at : at + part], "big") % n for at in range(0, len(stream), part)]
    if any(gmpy2.gcd(challenge, n) != 1 for challenge in found):
        raise ModulusError("proof", "the proof of a modulus does not hold")
    return found


@functools.cache
def _small_primes() -> Any:
    """The product of all primes below BOUND: one gcd with it is the division by each."""
    return gmpy2.primorial(BOUND)
