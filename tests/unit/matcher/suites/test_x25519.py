"""The backends: equality, validation, choice and fallback."""

import random
import threading

import pytest

from matcher import oprf
from matcher.errors import BackendError, PointError, ScalarError
from matcher.suites import x25519
from tests.vectors import reference

BASE = bytes([9]) + bytes(31)
SCALAR = bytes(31) + b"\x40"

RUNNING = [name for name, why in x25519.available().items() if not why]
needs_intel = pytest.mark.skipif(bool(x25519.available()["intel"]), reason=x25519.available()["intel"])


def le(number):
    return number.to_bytes(32, "little")


def random_points(count, seed):
    """Points of curve and twist: the function is defined on both."""
    draw = random.Random(seed)
    return b"".join(le(draw.randrange(2, x25519.PRIME)) for _ in range(count))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 255, 256, 257, 1000])
def test_backends_are_equal(count):
    points = random_points(count, count)
    scalar = oprf.clamp(random.Random(-count).randbytes(32))
    (result,) = {x25519.backend(name).multiply(scalar, points) for name in RUNNING}
    assert len(result) == 32 * count
    if count:
        assert result[-32:] == reference.x25519(scalar, points[-32:])


def test_backends_are_equal_on_many_scalars():
    draw, points = random.Random(1), random_points(9, 2)
    for _ in range(200):
        scalar = oprf.clamp(draw.randbytes(32))
        assert len({x25519.backend(name).multiply(scalar, points) for name in RUNNING}) == 1


def random_scalars(count, seed):
    draw = random.Random(seed)
    return b"".join(oprf.clamp(draw.randbytes(32)) for _ in range(count))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 255, 257, 1000])
def test_backends_are_equal_with_a_scalar_a_point(count):
    """On several threads too; each result is that of its own scalar, by a second implementation."""
    points, scalars = random_points(count, count), random_scalars(count, count)
    (result,) = {x25519.backend(name).multiply_each(scalars, points) for name in RUNNING}
    assert len(result) == 32 * count
    for at in {0, count // 2, count - 1} if count else ():
        place = slice(32 * at, 32 * at + 32)
        assert result[place] == reference.x25519(scalars[place], points[place])


@pytest.mark.parametrize("name", x25519.NAMES)
class TestScalarForEachPoint:
    @pytest.fixture
    def backend(self, name):
        if why := x25519.available()[name]:
            pytest.skip(why)
        return x25519.backend(name)

    def test_equal_scalars_are_one_scalar(self, backend):
        points, scalar = random_points(1100, 7), random_scalars(1, 8)
        assert backend.multiply_each(scalar * 1100, points) == backend.multiply(scalar, points)

    def test_neighbours_do_not_mix(self, backend):
        """Each lane and each thread takes its own scalar: one point under many scalars, one by one."""
        scalars, point = random_scalars(1100, 9), random_points(1, 10)
        each = [backend.multiply(scalars[at : at + 32], point) for at in range(0, len(scalars), 32)]
        assert len(set(each)) == 1100
        assert backend.multiply_each(scalars, point * 1100) == b"".join(each)

    @pytest.mark.parametrize("place", [0, 7, 8, 511, 700, 1099])
    def test_low_order_is_refused_anywhere(self, backend, place):
        points = [BASE] * 1100
        points[place] = le(1)
        with pytest.raises(PointError):
            backend.multiply_each(random_scalars(1100, 11), b"".join(points))

    @pytest.mark.parametrize(
        "scalars",
        [b"", SCALAR, SCALAR * 3, SCALAR * 2 + b"\0", SCALAR + bytes(32), SCALAR + b"\x01" + SCALAR[1:],
         SCALAR + bytes(31) + b"\xc0", bytes(32) + SCALAR],
        ids=["none", "one", "three", "ragged", "zero", "low bit", "bit 255", "first is zero"],
    )  # fmt: skip
    def test_each_point_needs_a_clamped_scalar(self, backend, scalars):
        with pytest.raises(ScalarError):
            backend.multiply_each(scalars, BASE * 2)

    @pytest.mark.parametrize("length", [1, 31, 33, 63])
    def test_ragged_points(self, backend, length):
        with pytest.raises((PointError, ScalarError)):
            backend.multiply_each(bytes(length), bytes(length))


@pytest.mark.parametrize("count", [0, 1, 2, 9])
@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_numbers_and_back(count, byte):
    rows = byte * 32 * count
    assert x25519.pack(x25519.unpack(rows)) == rows
    assert x25519.unpack(rows) == [int.from_bytes(byte * 32, "little")] * count


@pytest.mark.parametrize("name", x25519.NAMES)
class TestBackend:
    @pytest.fixture
    def multiply(self, name):
        if why := x25519.available()[name]:
            pytest.skip(why)
        return x25519.backend(name).multiply

    def test_batch_equals_one_by_one(self, multiply):
        points = random_points(11, 3)
        each = b"".join(multiply(SCALAR, points[at : at + 32]) for at in range(0, len(points), 32))
        assert multiply(SCALAR, points) == each

    @pytest.mark.parametrize("place", range(9))
    @pytest.mark.parametrize("u", reference.LOW_ORDER[:4])
    def test_low_order_is_refused_anywhere(self, multiply, u, place):
        points = [BASE] * 9
        points[place] = le(u)
        with pytest.raises(PointError):
            multiply(SCALAR, b"".join(points))

    @pytest.mark.parametrize("place", [0, 255, 256, 700, 1299])
    def test_low_order_is_refused_anywhere_in_a_large_batch(self, multiply, place):
        points = [BASE] * 1300
        points[place] = le(1)
        with pytest.raises(PointError):
            multiply(SCALAR, b"".join(points))

    def test_twist_is_computed_as_rfc7748_says(self, multiply):
        twist = [u for u in range(2, 60) if not x25519.on_curve(u)]
        for u in twist:
            assert multiply(SCALAR, le(u)) == reference.x25519(SCALAR, le(u))

    @pytest.mark.parametrize("length", [1, 31, 33, 63])
    def test_ragged_lengths(self, multiply, length):
        with pytest.raises(PointError):
            multiply(SCALAR, bytes(length))

    @pytest.mark.parametrize(
        "scalar",
        [b"", bytes(31), bytes(33), bytes(32), b"\x01" + SCALAR[1:], bytes(31) + b"\xc0", b"\xff" * 32],
        ids=["empty", "31", "33", "zero", "low bit", "bit 255", "all ones"],
    )
    def test_scalars_must_be_clamped(self, multiply, scalar):
        with pytest.raises(ScalarError):
            multiply(scalar, BASE)


def test_on_curve_agrees_with_eulers_criterion():
    draw = random.Random(4)
    numbers = [*range(200), *reference.LOW_ORDER, *(draw.randrange(x25519.PRIME) for _ in range(300))]
    assert [x25519.on_curve(u) for u in numbers] == [reference.is_on_curve(u) for u in numbers]


def test_validate_counts_and_accepts_the_highest_canonical_points():
    high = [le(x25519.PRIME - d) for d in range(1, 60) if reference.is_on_curve(x25519.PRIME - d)]
    assert x25519.validate(b"".join(high)) == len(high) > 10
    assert x25519.validate(b"") == 0
    # words 1 and 2 full but not the top one, and the other way round: canonical all the same
    for number in (2**192 - 1 + (2**62 << 192), (2**63 - 1) << 192):
        while not reference.is_on_curve(number):
            number += 1
        assert x25519.validate(le(number)) == 1


@pytest.mark.parametrize("excess", range(19))
def test_validate_refuses_every_number_from_p_to_2_255(excess):
    with pytest.raises(PointError, match="canonical"):
        x25519.validate(BASE + le(x25519.PRIME + excess))


# --- choice -------------------------------------------------------------------------------------------


def test_a_system_without_lib25519_says_so(monkeypatch):
    monkeypatch.setattr(x25519.ctypes.util, "find_library", lambda _name: None)
    with pytest.raises(BackendError, match="no lib25519"):
        x25519.Lib25519Backend()


def test_what_cannot_run_is_searched_for_once(monkeypatch):
    """The search starts processes, and a single check asks for the backend several times."""
    x25519.available()
    monkeypatch.setattr(x25519, "_backends", lambda name: pytest.fail(f"searched for {name} again"))
    assert tuple(x25519.available()) == x25519.NAMES


@pytest.mark.parametrize("name", [name for name in RUNNING if name != "openssl"])
def test_other_threads_go_on_while_a_large_batch_is_computed(name):
    """A single check must not wait for the end of a large list."""
    points, ended = random_points(20_000, 6), threading.Event()

    def compute():
        x25519.backend(name).multiply(SCALAR, points)
        ended.set()

    thread = threading.Thread(target=compute)
    thread.start()
    turns = 0
    while not ended.wait(0.002):
        turns += 1
    thread.join()
    assert turns >= 3


def test_available_names_all_in_order():
    found = x25519.available()
    assert tuple(found) == x25519.NAMES == ("intel", "lib25519", "sodium", "openssl")
    assert found["sodium"] == found["openssl"] == ""


def test_backend_by_name_ignores_the_environment(monkeypatch):
    monkeypatch.setenv(x25519.ENVIRONMENT, "nonsense")
    assert x25519.backend("openssl").name == "openssl"
    with pytest.raises(BackendError):
        x25519.backend()
