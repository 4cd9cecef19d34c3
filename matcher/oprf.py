"""The oblivious pseudorandom function over X25519 (design.md section 2, step 4).

    requester                                responder
    r_i <- random clamped scalar
    B_i = r_i * M_i           ---- B ---->
                              <--- E -----   E_i = k * B_i
    T_i = r_i' * E_i                         (T_i = k * M_i)

A verification has a blind for each point (`blind_each`, `finalize_each`), so that opening one opens no
other; a cohort of a sum has one for all (`blind`, `finalize`).

x-only arithmetic makes the sign of a scalar free: r and l - r give the same u coordinate. Every clamped
scalar is a multiple of 8, so a small-order component of M vanishes on both sides.
"""

import secrets
from collections.abc import Callable

import gmpy2
import numpy as np
from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_scalarmult_ed25519_base_noclamp
from numpy.typing import NDArray

from matcher.errors import PointError, ScalarError
from matcher.suites import x25519
from matcher.vectorised import Bytes

ORDER = 2**252 + 27742317777372353535851937790883648493
_ORDER = gmpy2.mpz(ORDER)
_ZERO = gmpy2.mpz(0)
_GROUP = 8 * ORDER
_LOW = 2**254
_HIGH = 2**255
RandomBytes = Callable[[int], bytes]


def clamp(raw: bytes) -> bytes:
    """Clamp 32 random bytes to an X25519 scalar (RFC 7748 section 5)."""
    if len(raw) != x25519.POINT_SIZE:
        raise ScalarError("a scalar must be 32 bytes")
    return bytes([raw[0] & 248]) + raw[1:31] + bytes([(raw[31] & 127) | 64])


def invert(scalar: bytes) -> bytes:
    """The clamped representative of +-1/scalar mod l. Raises ScalarError where none exists."""
    return _representative(pow(_value(scalar), -1, ORDER))


def invert_each(raw: Bytes) -> tuple[Bytes, Bytes, NDArray[np.bool_]]:
    """Random rows (n, 32), clamped; the clamped inverse of each; and which of them have one.

    The same as `clamp` and `invert`, with one modular inversion for all (Montgomery's trick): a third of a
    microsecond for each multiplication, three a row, beside 28 for an inversion.
    """
    scalars = raw.copy()
    scalars[:, 0] &= 248
    scalars[:, 31] = (scalars[:, 31] & 127) | 64
    numbers, before, product = x25519.unpack(scalars.tobytes()), list[gmpy2.mpz](), gmpy2.mpz(1)
    for number in numbers:
        before.append(product)
        product = product * number % _ORDER
    # Of the product of all rows up to the one at hand, times 8; no clamped scalar is 0 mod l.
    inverse = gmpy2.invert(8 * product, _ORDER)
    found, good = before, np.ones(len(numbers), dtype=bool)
    for at in range(len(numbers) - 1, -1, -1):
        candidate = (before[at] * inverse % _ORDER) << 3
        inverse = inverse * numbers[at] % _ORDER
        if candidate < _LOW:
            candidate = _GROUP - candidate
        if candidate >= _HIGH:
            good[at], candidate = False, _ZERO
        found[at] = candidate
    return scalars, np.frombuffer(x25519.pack(found), dtype=np.uint8).reshape(-1, 32), good


def ratio(new: bytes, old: bytes) -> bytes:
    """The clamped representative of +-new/old mod l: multiplies a point of `old` into one of `new`."""
    return _representative(_value(new) * pow(_value(old), -1, ORDER) % ORDER)


def blind(scalar: bytes, mapped: bytes, backend: x25519.Backend | None = None) -> bytes:
    """B = r * M for every mapped point (n * 32 bytes in and out)."""
    return (backend or x25519.backend()).multiply(scalar, mapped)


def blind_each(scalars: bytes, mapped: bytes, backend: x25519.Backend | None = None) -> bytes:
    """B_i = r_i * M_i, each point with its own scalar (n * 32 bytes)."""
    return (backend or x25519.backend()).multiply_each(scalars, mapped)


def evaluate(
    key: bytes,
    blinded: bytes,
    backend: x25519.Backend | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> bytes:
    """E = k * B, the responder's step. Validates all points first; raises PointError, computing nothing.

    A peer chooses the points. On a backend that is not exact it could choose them so that a wrong
    result reveals bits of k, so there E = (k/m) * (m * B) with a fresh m: the peer's points meet only m.
    """
    x25519.validate(blinded)
    engine = backend or x25519.backend()
    if engine.exact:
        return engine.multiply(clamp(key), blinded)
    mask, rest = _split(clamp(key), random_bytes)
    return engine.multiply(rest, engine.multiply(mask, blinded))


def finalize(blind_scalar: bytes, evaluated: bytes, backend: x25519.Backend | None = None) -> bytes:
    """T = r' * E, the requester's last step. Raises PointError for points no honest responder returns."""
    x25519.validate(evaluated)
    return (backend or x25519.backend()).multiply(invert(blind_scalar), evaluated)


def finalize_each(inverses: bytes, evaluated: bytes, backend: x25519.Backend | None = None) -> bytes:
    """T_i = r_i' * E_i with the inverses of the blinds. Raises PointError as `finalize`."""
    x25519.validate(evaluated)
    return (backend or x25519.backend()).multiply_each(inverses, evaluated)


def commit(blind_scalar: bytes) -> bytes:
    """R = (r/8) G on edwards25519: a commitment to the one blind of a cohort (design.md section 5).

    Every clamped scalar is a multiple of 8.
    """
    return crypto_scalarmult_ed25519_base_noclamp((_value(blind_scalar) >> 3).to_bytes(32, "little"))


def is_commitment(commitment: bytes) -> bool:
    """Whether bytes are a point of edwards25519 in canonical form, of prime order."""
    return len(commitment) == x25519.POINT_SIZE and crypto_core_ed25519_is_valid_point(commitment)


def evaluate_own(key: bytes, mapped: bytes, backend: x25519.Backend | None = None) -> bytes:
    """T = k * M for the responder's own records: mapped points come from tokens.map_to_curve."""
    return (backend or x25519.backend()).multiply(clamp(key), mapped)


def rekey(new: bytes, old: bytes, tokens: bytes, backend: x25519.Backend | None = None) -> bytes:
    """T' = (k'/k) * T: stored points under the next epoch's key, without source data (design.md 6).

    Raises ScalarError for the rare pair of keys whose ratio has no clamped representative: draw
    another new key.
    """
    return (backend or x25519.backend()).multiply(ratio(clamp(new), clamp(old)), tokens)


def require_count(points: bytes, most: int) -> int:
    """The number of points. Raises PointError for a ragged length or more than announced."""
    if len(points) % x25519.POINT_SIZE:
        raise PointError("points must be a multiple of 32 bytes")
    count = len(points) // x25519.POINT_SIZE
    if count > most:
        raise PointError("more points than announced")
    return count


def _split(key: bytes, random_bytes: RandomBytes) -> tuple[bytes, bytes]:
    """Two clamped scalars whose product is +-key mod l, the first one random."""
    while True:
        mask = clamp(random_bytes(x25519.POINT_SIZE))
        try:
            return mask, ratio(key, mask)
        except ScalarError:
            continue


def _value(scalar: bytes) -> int:
    if clamp(scalar) != scalar:
        raise ScalarError("a scalar must be clamped")
    return int.from_bytes(scalar, "little")


def _representative(wanted: int) -> bytes:
    """Find x = +-wanted mod l, x = 0 mod 8, bit 254 set, bit 255 clear (searched modulo 8 l)."""
    eighth = wanted * pow(8, -1, ORDER) % ORDER
    for candidate in (8 * eighth, _GROUP - 8 * eighth):
        if _LOW <= candidate < _HIGH:
            return candidate.to_bytes(32, "little")
    raise ScalarError("no clamped representative exists; draw another scalar")
