"""The group operation, in batches, over two well-kept libraries that compute the same bytes.

Points are passed as one bytes object of n * 32 bytes (u coordinates, little endian), never as lists
of objects. Backends: `openssl` (through `cryptography`, runs everywhere) and `intel` (the multi-buffer
kernel of ipp-crypto, eight lanes at once, needs AVX-512 IFMA). Both run RFC 7748's function; this
file holds no curve arithmetic beyond the Legendre symbol that tells curve from twist.
"""

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, cast

import gmpy2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
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
_SPREAD_FROM = 512  # points; below, handing over costs more than it saves
_CORES = os.cpu_count() or 1


class Backend(Protocol):
    """One library's batch multiplication. `exact` says that it is right on every input there is."""

    name: str
    exact: bool

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """Multiply every point by the clamped scalar; raise PointError where a result is zero."""


class OpenSslBackend:
    """X25519 of OpenSSL, one point at a time."""

    name = "openssl"
    exact = True

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """See Backend. OpenSSL itself refuses the all-zero result (RFC 7748 section 6.1)."""
        key = X25519PrivateKey.from_private_bytes(_require_scalar(scalar))
        load = X25519PublicKey.from_public_bytes
        _require_length(points)
        try:
            return b"".join(
                key.exchange(load(points[at : at + POINT_SIZE])) for at in range(0, len(points), POINT_SIZE)
            )
        except ValueError:
            raise PointError("a point is of low order") from None


class IntelBackend:
    """Multi-buffer X25519 of Intel's cryptography primitives, eight points a call.

    Not exact: its subtraction corrects once where twice may be needed, so it is wrong on a few inputs that
    chance never finds (about 2^-60) but a peer can choose, and whether it is wrong may depend on the scalar
    (docs/protocol.md, "Edge values"). `oprf.evaluate` takes care of that.
    """

    name = "intel"
    exact = False
    lanes = 8

    def __init__(self) -> None:
        self._kernel = _load_intel_kernel()

    def multiply(self, scalar: bytes, points: bytes) -> bytes:
        """See Backend. A short last block is filled up with the base point, whose results are dropped."""
        key = ctypes.create_string_buffer(_require_scalar(scalar), POINT_SIZE)
        count = _require_length(points)
        padding = -count % self.lanes
        source = np.frombuffer(points + (b"\x09" + bytes(31)) * padding, dtype=np.uint8)
        target = np.zeros(len(source), dtype=np.uint8)
        offsets = np.arange(count + padding, dtype=np.uint64) * np.uint64(POINT_SIZE)
        sources = np.ascontiguousarray(offsets + np.uint64(source.ctypes.data))
        targets = np.ascontiguousarray(offsets + np.uint64(target.ctypes.data))
        keys = (ctypes.c_void_p * self.lanes)(*[ctypes.addressof(key)] * self.lanes)
        keys_at, sources_at, targets_at = ctypes.addressof(keys), sources.ctypes.data, targets.ctypes.data

        def run(first: int, last: int) -> None:
            kernel = self._kernel
            for at in range(first * 8, last * 8, self.lanes * 8):
                kernel(targets_at + at, keys_at, sources_at + at)

        self._spread(run, count + padding)
        ctypes.memset(key, 0, POINT_SIZE)
        result = target[: count * POINT_SIZE]
        # The per-lane status is not needed: the only failure of a well-formed lane is the zero result.
        if count and not result.reshape(-1, POINT_SIZE).any(axis=1).all():
            raise PointError("a point is of low order")
        return result.tobytes()

    def _spread(self, run: Callable[[int, int], None], count: int) -> None:
        """Run over all cores when it pays: the kernel lets other threads go on while it computes.

        A small batch runs at once in its caller's thread, so that a single check never waits for a bulk
        query's turn.
        """
        if count < _SPREAD_FROM or _CORES < 2:
            run(0, count)
            return
        share = -(-count // (_CORES * self.lanes)) * self.lanes
        parts = [(at, min(at + share, count)) for at in range(0, count, share)]
        for done in [_threads().submit(run, *part) for part in parts]:
            done.result()


def backend(name: str | None = None) -> Backend:
    """The backend called `name`, or HEQIAO_X25519's, or the fastest this machine can run.

    Raises BackendError when a backend that was asked for by name cannot run here.
    """
    wanted = name or os.environ.get(ENVIRONMENT) or "auto"
    if wanted == "auto":
        try:
            return _backends("intel")
        except BackendError:
            return _backends("openssl")
    return _backends(wanted)


def available() -> dict[str, str]:
    """Every backend and, where it cannot run here, why ("" when it can)."""
    found = {}
    for name in ("intel", "openssl"):
        try:
            _backends(name)
            found[name] = ""
        except BackendError as error:
            found[name] = str(error)
    return found


def validate(points: bytes) -> int:
    """Check points from outside and return how many there are (design.md section 2, step 4).

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


def are_on_curve(points: bytes) -> NDArray[np.bool_]:
    """Which of n candidates (n * 32 bytes) are canonical and on the curve."""
    count = _require_length(points)
    # As one number, cut into 256 bits each; the last byte keeps leading zeros from being dropped.
    numbers = gmpy2.unpack(gmpy2.from_binary(_POSITIVE + points + b"\x01"), 256)[:count]
    prime, a, symbol = _P, _A, gmpy2.jacobi
    symbols = [symbol(((u + a) * u + 1) * u, prime) for u in numbers]
    return np.asarray((np.array(symbols, dtype=np.int8) == 1) & _are_canonical(points))


def _are_canonical(points: bytes) -> NDArray[np.bool_]:
    words = np.frombuffer(points, dtype="<u8").reshape(-1, 4)
    high = words[:, 3]
    at_top = (high == _TOP_WORD) & (words[:, 1] == _FULL_WORD) & (words[:, 2] == _FULL_WORD)
    return np.asarray((high <= _TOP_WORD) & ~(at_top & (words[:, 0] >= _LOWEST_NON_CANONICAL)))


@functools.cache
def _backends(name: str) -> Backend:
    if name == "openssl":
        return OpenSslBackend()
    if name == "intel":
        return IntelBackend()
    raise BackendError(f"{ENVIRONMENT} must be auto, intel or openssl")


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


def _require_scalar(scalar: bytes) -> bytes:
    if len(scalar) != POINT_SIZE:
        raise ScalarError("a scalar must be 32 bytes")
    if scalar[0] & 7 or scalar[31] & 192 != 64:  # both libraries would clamp it in silence (RFC 7748)
        raise ScalarError("a scalar must be clamped")
    return scalar
