"""The group operation, in batches, over maintained libraries that compute the same bytes.

Points are passed as one bytes object of n * 32 bytes (u coordinates, little endian), never as lists
of objects. All backends run RFC 7748's function; this file holds no curve arithmetic beyond the Legendre
symbol that distinguishes curve and twist. In the order in which they are chosen:

    intel      multi-buffer kernel of ipp-crypto, eight lanes at once; needs AVX-512 IFMA
    lib25519   four lanes at once with AVX2; where the system has the library (Debian 13: lib25519-1)
    sodium     libsodium through PyNaCl; runs everywhere, and other threads run meanwhile
    openssl    through `cryptography`; runs everywhere, one thread at a time
"""

import ctypes
import ctypes.util
import functools
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar, cast

import gmpy2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError
from numpy.typing import NDArray

from matcher.errors import BackendError, PointError, ScalarError

POINT_SIZE = 32
PRIME = 2**255 - 19
_P = gmpy2.mpz(PRIME)
_A = gmpy2.mpz(486662)
_ONE = gmpy2.mpz(1)
_POSITIVE = b"\x01\x01"  # the head of a positive number in gmpy2's binary form
_TOP_WORD = 0x7FFFFFFFFFFFFFFF
_FULL_WORD = 0xFFFFFFFFFFFFFFFF
_LOWEST_NON_CANONICAL = 0xFFFFFFFFFFFFFFED
ENVIRONMENT = "HEQIAO_X25519"
NAMES = ("intel", "lib25519", "sodium", "openssl")  # fastest first
_SPREAD_FROM = 512  # points; below, starting threads costs more than it saves
_SLICE = 2_048  # points of one call into lib25519: some 50 ms, so that it seldom waits for the interpreter
_CORES = os.cpu_count() or 1
T = TypeVar("T")
Bytes = NDArray[np.uint8]


class Backend(Protocol):
    """One library's batch multiplication. `exact` says that it is right on every possible input."""

    name: str
    exact: bool

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """Multiply every point by the clamped scalar; raise PointError where a result is zero."""

    def multiply_each(self, scalars: bytes, points: bytes) -> bytes:
        """Multiply each point by its own clamped scalar (n * 32 bytes); raise PointError as `multiply`."""


class OpenSslBackend:
    """X25519 of OpenSSL, one point at a time."""

    name = "openssl"
    exact = True

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """See Backend. OpenSSL itself refuses the all-zero result (RFC 7748 section 6.1)."""
        key = X25519PrivateKey.from_private_bytes(_require_scalar(scalar))
        return self._exchange(points, lambda _at: key)

    def multiply_each(self, scalars: bytes, points: bytes) -> bytes:
        """See Backend. Each scalar costs OpenSSL a second multiplication, for its public half."""
        _require_scalars(scalars, points)
        read = X25519PrivateKey.from_private_bytes
        return self._exchange(points, lambda at: read(scalars[at : at + POINT_SIZE]))

    def _exchange(self, points: bytes, key_of: Callable[[int], X25519PrivateKey]) -> bytes:
        load = X25519PublicKey.from_public_bytes
        _require_length(points)
        try:
            return b"".join(
                key_of(at).exchange(load(points[at : at + POINT_SIZE]))
                for at in range(0, len(points), POINT_SIZE)
            )
        except ValueError:
            raise PointError("a point is of low order") from None


class SodiumBackend:
    """X25519 of libsodium, one point at a time over all cores: it computes without the interpreter lock."""

    name = "sodium"
    exact = True

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """See Backend. libsodium itself refuses the all-zero result."""
        key = _require_scalar(scalar)
        return self._spread(points, lambda at: crypto_scalarmult(key, points[at : at + POINT_SIZE]))

    def multiply_each(self, scalars: bytes, points: bytes) -> bytes:
        """See Backend."""
        _require_scalars(scalars, points)
        return self._spread(
            points, lambda at: crypto_scalarmult(scalars[at : at + POINT_SIZE], points[at : at + POINT_SIZE])
        )

    def _spread(self, points: bytes, product: Callable[[int], bytes]) -> bytes:
        def run(first: int, last: int) -> bytes:
            return b"".join(map(product, range(first * POINT_SIZE, last * POINT_SIZE, POINT_SIZE)))

        try:
            return b"".join(_spread(run, _require_length(points)))
        except CryptoError:
            raise PointError("a point is of low order") from None


class Lib25519Backend:
    """Batches of lib25519, four lanes at once where there is AVX2, over all cores."""

    name = "lib25519"
    exact = True

    def __init__(self) -> None:
        self._kernel = _load_lib25519()

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """See Backend."""
        return self._run(_require_scalar(scalar) * _SLICE, 0, points)

    def multiply_each(self, scalars: bytes, points: bytes) -> bytes:
        """See Backend."""
        return self._run(_require_scalars(scalars, points), POINT_SIZE, points)

    def _run(self, scalars: bytes, step: int, points: bytes) -> bytes:
        """The scalar of a point is `step` bytes after that of the one before (0: slices share the same)."""
        keys = ctypes.create_string_buffer(scalars, max(len(scalars), 1))
        count = _require_length(points)
        target = ctypes.create_string_buffer(max(len(points), 1))
        source = ctypes.create_string_buffer(points, max(len(points), 1))
        keys_at, to, of = ctypes.addressof(keys), ctypes.addressof(target), ctypes.addressof(source)

        def run(first: int, last: int) -> None:
            for at in range(first, last, _SLICE):
                place = at * POINT_SIZE
                self._kernel(to + place, keys_at + at * step, of + place, min(_SLICE, last - at))

        _spread(run, count)
        ctypes.memset(keys, 0, len(scalars))
        return _require_nonzero(target.raw[: len(points)])


class IntelBackend:
    """Multi-buffer X25519 of Intel's cryptography primitives, eight points a call.

    Not exact: its subtraction corrects once where twice may be needed, so it is wrong on a few inputs that
    do not occur by chance (about 2^-60) but a peer can choose. Whether it is wrong may depend on the scalar
    (docs/protocol.md, "Edge values"). `oprf.evaluate` prevents that.
    """

    name = "intel"
    exact = False
    lanes = 8

    def __init__(self) -> None:
        self._kernel = _load_intel_kernel()

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """See Backend."""
        return self._run(_require_scalar(scalar), 0, points)

    def multiply_each(self, scalars: bytes, points: bytes) -> bytes:
        """See Backend. Each lane has its own scalar anyway, so this costs the same."""
        return self._run(_require_scalars(scalars, points), POINT_SIZE, points)

    def _run(self, scalars: bytes, step: int, points: bytes) -> bytes:
        """The scalar of a point is `step` bytes after that of the point before (0: one for all).

        A short last block is filled up with the base point and the first scalar; their results are dropped.
        """
        count = _require_length(points)
        padding = -count % self.lanes
        if step:
            scalars += scalars[:POINT_SIZE] * padding
        key = ctypes.create_string_buffer(scalars, max(len(scalars), 1))
        source = np.frombuffer(points + (b"\x09" + bytes(31)) * padding, dtype=np.uint8)
        target = np.zeros(len(source), dtype=np.uint8)
        places = np.arange(count + padding, dtype=np.uint64)
        sources, targets, keys = (
            np.ascontiguousarray(places * np.uint64(size) + np.uint64(start))
            for size, start in (
                (POINT_SIZE, source.ctypes.data),
                (POINT_SIZE, target.ctypes.data),
                (step, ctypes.addressof(key)),
            )
        )
        sources_at, targets_at, keys_at = sources.ctypes.data, targets.ctypes.data, keys.ctypes.data

        def run(first: int, last: int) -> None:
            kernel = self._kernel
            for at in range(first * 8, last * 8, self.lanes * 8):
                kernel(targets_at + at, keys_at + at, sources_at + at)

        _spread(run, count + padding, self.lanes)
        ctypes.memset(key, 0, len(scalars))
        # The per-lane status is not needed: the only failure of a well-formed lane is the zero result.
        return _require_nonzero(target[: count * POINT_SIZE].tobytes())


def backend(name: str | None = None) -> Backend:
    """The backend called `name`, or HEQIAO_X25519's, or the fastest this machine can run.

    Raises BackendError when a backend that was asked for by name cannot run here.
    """
    wanted = name or os.environ.get(ENVIRONMENT) or "auto"
    if wanted == "auto":
        wanted = next(each for each in NAMES if not _why_not(each))
    return _backends(wanted)


def available() -> dict[str, str]:
    """Every backend, fastest first, and, where it cannot run here, why ("" when it can)."""
    return {name: _why_not(name) for name in NAMES}


@functools.cache
def _why_not(name: str) -> str:
    """Why a backend cannot run here, found out once: the search for a library starts processes."""
    try:
        _backends(name)
    except BackendError as error:
        return str(error)
    return ""


def validate(points: bytes) -> int:
    """Check points from outside and return their number (design.md section 2, step 4).

    Raises PointError for a length that is not a multiple of 32, a non-canonical u, u = 0, and a u that
    is on the twist. Other points of low order show as the all-zero result of the multiplication.
    """
    count = _require_length(points)
    if not _are_canonical(points).all():
        raise PointError("a point is not canonical")
    if not np.frombuffer(points, dtype="<u8").reshape(-1, 4).any(axis=1).all():
        raise PointError("a point is of low order")
    if not are_on_curve(points).all():
        raise PointError("a point is not on the curve")
    return count


def on_curve(u: int) -> bool:
    """Whether u^3 + 486662 u^2 + u is a non-zero square, so that u is on Curve25519, not on its twist."""
    x = gmpy2.mpz(u)
    return bool(gmpy2.jacobi(((x + _A) * x + _ONE) * x % _P, _P) == 1)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_CORES, thread_name_prefix="x25519")


def unpack(rows: bytes) -> list[gmpy2.mpz]:
    """Numbers of 32 bytes each, little endian."""
    # As one number, cut into 256 bits each; the last byte keeps leading zeros from being dropped.
    found: list[gmpy2.mpz] = gmpy2.unpack(gmpy2.from_binary(_POSITIVE + rows + b"\x01"), 256)
    return found[: len(rows) // POINT_SIZE]


def pack(numbers: list[gmpy2.mpz]) -> bytes:
    """Numbers below 2^256 as n * 32 bytes, little endian."""
    packed: bytes = gmpy2.to_binary(gmpy2.pack(numbers, 256))
    return packed[len(_POSITIVE) :].ljust(POINT_SIZE * len(numbers), b"\0")


def are_on_curve(points: bytes) -> NDArray[np.bool_]:
    """Which of n candidates (n * 32 bytes) are canonical and on the curve."""
    _require_length(points)
    numbers = unpack(points)
    prime, a, symbol = _P, _A, gmpy2.jacobi
    symbols = [symbol(((u + a) * u + 1) * u, prime) for u in numbers]
    return np.asarray((np.array(symbols, dtype=np.int8) == 1) & _are_canonical(points))


def candidates(rows: Bytes) -> tuple[Bytes, NDArray[np.bool_]]:
    """Rows (n, 32) of a random stream as candidates, bit 255 cleared, and which of them are points."""
    found = rows.copy()
    found[:, 31] &= 0x7F
    return found, are_on_curve(found.tobytes())


def _are_canonical(points: bytes) -> NDArray[np.bool_]:
    words = np.frombuffer(points, dtype="<u8").reshape(-1, 4)
    high = words[:, 3]
    at_top = (high == _TOP_WORD) & (words[:, 1] == _FULL_WORD) & (words[:, 2] == _FULL_WORD)
    return np.asarray((high <= _TOP_WORD) & ~(at_top & (words[:, 0] >= _LOWEST_NON_CANONICAL)))


def _spread(run: Callable[[int, int], T], count: int, lanes: int = 1) -> list[T]:
    """The results of `run` for chunks of `count` points, on all cores where that is faster.

    A small batch runs in its caller's thread, so that a single check never waits for a bulk
    query. `run` must release the interpreter while it computes.
    """
    if count < _SPREAD_FROM or _CORES < 2:
        return [run(0, count)]
    share = -(-count // (_CORES * lanes)) * lanes
    parts = [(at, min(at + share, count)) for at in range(0, count, share)]
    return [done.result() for done in [_threads().submit(run, *part) for part in parts]]


@functools.cache
def _backends(name: str) -> Backend:
    match name:
        case "openssl":
            return OpenSslBackend()
        case "sodium":
            return SodiumBackend()
        case "lib25519":
            return Lib25519Backend()
        case "intel":
            return IntelBackend()
    raise BackendError(f"{ENVIRONMENT} must be auto, {', '.join(NAMES[:-1])} or {NAMES[-1]}")


def _load_lib25519() -> Callable[[int, int, int, int], None]:
    try:
        # Without a path, this program itself is searched, which has no such function.
        library = ctypes.CDLL(ctypes.util.find_library("25519"))
        kernel = library.lib25519_nPbatch_montgomery25519
    except (OSError, AttributeError):
        raise BackendError("the system has no lib25519 of 2024 or newer") from None
    kernel.restype = None
    kernel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_longlong]
    return cast(Callable[[int, int, int, int], None], kernel)


def _load_intel_kernel() -> Callable[[int, int, int], int]:
    """Load the kernel from the environment's lib folder, without any LD_LIBRARY_PATH.

    Its runtime libraries are loaded first, by absolute path, so that the loader finds them already
    present by name when it resolves the kernel's own dependencies. Not globally: they bring a second
    set of the C library's mathematics, which nothing else in the process should bind to.
    """
    folder = Path(sys.prefix) / "lib"
    try:
        for name in ("libintlc.so.5", "libirng.so", "libimf.so", "libsvml.so"):
            ctypes.CDLL(str(folder / name))
        library = ctypes.CDLL(str(folder / "libcrypto_mb.so"))
    except OSError:
        raise BackendError(
            "the Intel multi-buffer library is not installed; install the extra `fast`"
        ) from None
    library.mbx_is_crypto_mb_applicable.restype = ctypes.c_int
    library.mbx_is_crypto_mb_applicable.argtypes = [ctypes.c_uint64]
    if not library.mbx_is_crypto_mb_applicable(0):
        raise BackendError("this processor has no AVX-512 IFMA")
    kernel = library.mbx_x25519_mb8
    kernel.restype = ctypes.c_uint32
    kernel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return cast(Callable[[int, int, int], int], kernel)


def _require_length(points: bytes) -> int:
    if len(points) % POINT_SIZE:
        raise PointError("points must be a multiple of 32 bytes")
    return len(points) // POINT_SIZE


def _require_nonzero(result: bytes) -> bytes:
    if result and not np.frombuffer(result, dtype="<u8").reshape(-1, 4).any(axis=1).all():
        raise PointError("a point is of low order")
    return result


def _require_scalar(scalar: bytes) -> bytes:
    if len(scalar) != POINT_SIZE:
        raise ScalarError("a scalar must be 32 bytes")
    if scalar[0] & 7 or scalar[31] & 192 != 64:  # both libraries would clamp it in silence (RFC 7748)
        raise ScalarError("a scalar must be clamped")
    return scalar


def _require_scalars(scalars: bytes, points: bytes) -> bytes:
    """As many clamped scalars as points."""
    if len(scalars) != len(points) or len(scalars) % POINT_SIZE:
        raise ScalarError("each point needs a scalar of 32 bytes")
    rows = np.frombuffer(scalars, dtype=np.uint8).reshape(-1, POINT_SIZE)
    if not bool(((rows[:, 0] & 7 == 0) & (rows[:, 31] & 192 == 64)).all()):
        raise ScalarError("a scalar must be clamped")
    return scalars
