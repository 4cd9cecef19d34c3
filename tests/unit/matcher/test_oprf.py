"""Scalars and the steps of the OPRF; vectors and property tests check the points."""

import random
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nacl import bindings

from matcher import oprf, vectorised
from matcher.errors import PointError, ScalarError
from matcher.suites import x25519
from matcher.suites.suite import CURRENT
from tests.vectors import reference

LOWEST = bytes(31) + b"\x40"
HIGHEST = b"\xf8" + b"\xff" * 30 + b"\x7f"


def le(number):
    return number.to_bytes(32, "little")


@pytest.mark.parametrize(
    ("raw", "clamped"),
    [(bytes(32), LOWEST), (b"\xff" * 32, HIGHEST), (LOWEST, LOWEST), (HIGHEST, HIGHEST)],
)
def test_clamp(raw, clamped):
    assert oprf.clamp(raw) == clamped == reference.clamp(raw)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_clamp_refuses_other_lengths(length):
    with pytest.raises(ScalarError):
        oprf.clamp(bytes(length))


@pytest.mark.parametrize("scalar", [LOWEST, HIGHEST, *(random.Random(i).randbytes(32) for i in range(50))])
def test_inverse_is_plus_or_minus_one_over_the_scalar(scalar):
    scalar = oprf.clamp(scalar)
    inverse = oprf.invert(scalar)
    product = int.from_bytes(scalar, "little") * int.from_bytes(inverse, "little") % oprf.ORDER
    assert product in (1, oprf.ORDER - 1)
    assert oprf.clamp(inverse) == inverse == reference.inverse(scalar)


@pytest.mark.parametrize(
    "function", [oprf.invert, lambda s: oprf.ratio(s, LOWEST), lambda s: oprf.blind(s, b"")]
)
@pytest.mark.parametrize("scalar", [bytes(32), b"\x01" + LOWEST[1:], b"\xff" * 32])
def test_unclamped_scalars_are_refused(function, scalar):
    with pytest.raises(ScalarError):
        function(scalar)


def scalar_without_inverse():
    """A clamped r for which neither 1/r nor -1/r modulo 8 l is in [2^254, 2^255).

    Clamped numbers stop at 2^255 while 8 l is about 2^255 + 2^127.8, so only about one scalar in 2^126
    has this fault: it is built from an inverse in the gap, not found.
    """
    for step in range(1, 1000):
        inverse = (2**255 + 8 * step) % oprf.ORDER
        wanted = pow(inverse, -1, oprf.ORDER)
        scalar = reference._clamped(wanted)
        if scalar and reference.inverse(scalar) is None:
            return scalar
    raise AssertionError


def test_scalar_without_inverse_is_refused():
    missing = scalar_without_inverse()
    with pytest.raises(ScalarError):
        oprf.invert(missing)
    with pytest.raises(ScalarError):
        oprf.finalize(missing, b"")


def as_rows(scalars):
    return np.frombuffer(b"".join(scalars), dtype=np.uint8).reshape(-1, 32)


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_inverses_of_many_are_those_of_each(count):
    raw = [random.Random(at).randbytes(32) for at in range(count)]
    scalars, inverses, good = oprf.invert_each(as_rows(raw))
    assert good.all()
    for row, scalar, inverse in zip(raw, scalars, inverses, strict=True):
        assert scalar.tobytes() == reference.clamp(row)
        assert inverse.tobytes() == reference.inverse(scalar.tobytes()) == oprf.invert(scalar.tobytes())


@pytest.mark.parametrize("place", range(5))
def test_a_row_without_inverse_does_not_disturb_the_others(place):
    rows = [oprf.clamp(random.Random(at).randbytes(32)) for at in range(5)]
    rows[place] = scalar_without_inverse()
    _, inverses, good = oprf.invert_each(as_rows(rows))
    assert good.tolist() == [at != place for at in range(5)]
    for at in set(range(5)) - {place}:
        assert inverses[at].tobytes() == reference.inverse(rows[at])


class GapHash:
    """The suite's hash, except that some first tries have no inverse: a search would take 2^126 seeds."""

    def __init__(self, places):
        self.places, self.asked = places, []

    def derive_stream(self, context, messages, size, at=0):
        found = vectorised.derive_stream(context, messages, size, at).copy()
        for row, message in enumerate(messages):
            place, t = int.from_bytes(message[32:40], "big"), int.from_bytes(message[40:], "big")
            self.asked.append((place, t))
            if t < self.places.get(place, 0):
                found[row] = as_rows([scalar_without_inverse()])[0]
        return found


def test_a_blind_without_inverse_is_derived_again_with_the_next_t():
    seed = bytes(range(32))
    gaps = GapHash({0: 1, 3: 2, 6: 1})
    found = replace(CURRENT, hash=gaps).point_blinds(seed, 7)
    for place in range(7):
        t = gaps.places.get(place, 0)
        message = seed + place.to_bytes(8, "big") + t.to_bytes(4, "big")
        expected = reference.clamp(reference.blake3(message, context="heqiao v1 point blind"))
        assert found.scalars[place].tobytes() == expected
        assert found.inverses[place].tobytes() == reference.inverse(expected)
    assert gaps.asked == [*((place, 0) for place in range(7)), (0, 1), (3, 1), (6, 1), (3, 2)]


def test_key_pair_without_ratio_is_refused():
    """new/old is in the gap exactly when old/new is 1/lacking."""
    missing = int.from_bytes(scalar_without_inverse(), "little")
    for step in range(100):
        new = le(2**254 + 8 * step)
        old = reference._clamped(int.from_bytes(new, "little") * missing)
        if old:
            assert reference.ratio(new, old) is None
            with pytest.raises(ScalarError):
                oprf.rekey(new, old, b"")
            return
    raise AssertionError


@pytest.mark.parametrize(("length", "most", "count"), [(0, 0, 0), (32, 1, 1), (64, 5, 2)])
def test_require_count(length, most, count):
    assert oprf.require_count(bytes(length), most) == count


@pytest.mark.parametrize(("length", "most"), [(1, 9), (33, 9), (32, 0), (96, 2)])
def test_require_count_refuses(length, most):
    with pytest.raises(PointError):
        oprf.require_count(bytes(length), most)


def test_empty_batches_pass_through():
    for step in (oprf.blind, oprf.evaluate, oprf.finalize, oprf.evaluate_own):
        assert step(LOWEST, b"") == b""
    assert oprf.blind_each(b"", b"") == oprf.finalize_each(b"", b"") == b""
    assert oprf.rekey(HIGHEST, LOWEST, b"") == b""


@pytest.mark.skipif(bool(x25519.available()["intel"]), reason=x25519.available()["intel"])
@pytest.mark.parametrize("key", [LOWEST, HIGHEST, bytes(31) + b"\x60"], ids=["00", "11", "10"])
def test_a_chosen_point_reveals_nothing_of_the_key(key):
    """The kernel is wrong on p - 2 exactly when bit 253 of the scalar is 0: a peer could learn it.

    Evaluated through `oprf.evaluate`, right and wrong answers come for every key, as the mask falls.
    """
    backend, draw, point = x25519.backend("intel"), random.Random(5), le(x25519.PRIME - 2)
    expected = reference.x25519(key, point)
    answers = [oprf.evaluate(key, point, backend, draw.randbytes) == expected for _ in range(200)]
    if backend.multiply(LOWEST, point) == reference.x25519(LOWEST, point):
        assert all(answers), "the kernel has been repaired: `exact` may become True"
    else:
        assert 60 < sum(answers) < 140


def test_evaluate_is_the_same_whatever_the_mask():
    draw = random.Random(6)
    point = reference.first_point(lambda length: reference.blake3(b"mask", length))
    for name in [name for name, why in x25519.available().items() if not why]:
        for key in (LOWEST, HIGHEST, draw.randbytes(32)):
            answer = oprf.evaluate(key, point * 9, x25519.backend(name), draw.randbytes)
            assert answer == reference.x25519(key, point) * 9


@pytest.mark.parametrize("scalar", [LOWEST, HIGHEST, *(random.Random(i).randbytes(32) for i in range(20))])
def test_a_commitment_is_an_eighth_of_the_blind_times_the_base_point(scalar):
    """Held against X25519 of OpenSSL: u of 8 R is that of r times its base point."""
    scalar = oprf.clamp(scalar)
    commitment = oprf.commit(scalar)
    eight = bindings.crypto_scalarmult_ed25519_noclamp(le(8), commitment)
    public = X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()
    assert bindings.crypto_sign_ed25519_pk_to_curve25519(eight) == public
    assert oprf.is_commitment(commitment)
    assert not oprf.is_commitment(commitment + b"\0")


def test_only_a_clamped_scalar_is_committed_to():
    with pytest.raises(ScalarError):
        oprf.commit(bytes(32))
