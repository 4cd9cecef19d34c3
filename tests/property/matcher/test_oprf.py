"""Properties of the points: both backends, blinding, rotation."""

import contextlib
import random

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import identity, oprf
from matcher.errors import PointError, ScalarError
from matcher.suites import tokens as token
from matcher.suites import x25519
from matcher.suites.suite import CURRENT
from matcher.types import Identity
from tests.support.effort import examples
from tests.vectors import reference

SALT = bytes(range(32))
NAMES = [name for name, why in x25519.available().items() if not why]

scalars = st.binary(min_size=32, max_size=32).map(oprf.clamp)
identities = st.builds(
    Identity, st.sampled_from(identity.TYPES), st.text("0123456789X", min_size=1, max_size=18)
)
# Uniform u, on the curve or not; values with long runs of equal bits are tested by edge.json.
points = st.integers(0, 2**64).map(
    lambda seed: random.Random(seed).randrange(2, x25519.PRIME).to_bytes(32, "little")
)


@given(scalar=scalars, batch=st.lists(points, max_size=20).map(b"".join))
def test_backends_agree(scalar, batch):
    results = {x25519.backend(name).multiply(scalar, batch) for name in NAMES}
    assert len(results) == 1


@settings(max_examples=examples(15))
@given(scalar=scalars, point=points)
def test_backend_agrees_with_reference(scalar, point):
    assert x25519.backend().multiply(scalar, point) == reference.x25519(scalar, point)


@pytest.mark.parametrize("name", NAMES)
@given(key=scalars, blind=scalars, who=st.lists(identities, min_size=1, max_size=5))
def test_finalize_undoes_blind(name, key, blind, who):
    backend = x25519.backend(name)
    mapped = b"".join(token.map_to_curve(SALT, one) for one in who)
    evaluated = oprf.evaluate(key, oprf.blind(blind, mapped, backend), backend)
    assert oprf.finalize(blind, evaluated, backend) == oprf.evaluate_own(key, mapped, backend)


seeds = st.binary(min_size=32, max_size=32)
people = st.lists(identities, min_size=1, max_size=6, unique=True)


def rows(points):
    return [points[at : at + 32] for at in range(0, len(points), 32)]


@pytest.mark.parametrize("name", NAMES)
@given(key=scalars, seed=seeds, who=people)
def test_tokens_under_a_blind_a_point_are_those_of_an_independent_library(name, key, seed, who):
    """T_i = k * M_i by `cryptography`, from the one point and the key alone."""
    backend, blinds = x25519.backend(name), CURRENT.point_blinds(seed, len(who))
    mapped = b"".join(token.map_to_curve(SALT, one) for one in who)
    blinded = oprf.blind_each(blinds.scalars.tobytes(), mapped, backend)
    evaluated = oprf.evaluate(key, blinded, backend)
    found = oprf.finalize_each(blinds.inverses.tobytes(), evaluated, backend)
    private = X25519PrivateKey.from_private_bytes(key)
    expected = [private.exchange(X25519PublicKey.from_public_bytes(point)) for point in rows(mapped)]
    assert rows(found) == expected


@given(seed=seeds, who=people)
def test_opening_one_blind_does_not_open_another_point(seed, who):
    """Who learns r_i tests each person against B_i, and finds that person in no other point of the batch."""
    blinds = CURRENT.point_blinds(seed, len(who))
    mapped = [token.map_to_curve(SALT, one) for one in who]
    blinded = rows(oprf.blind_each(blinds.scalars.tobytes(), b"".join(mapped)))
    for place, opened in enumerate(blinds.scalars):
        guesses = rows(oprf.blind(opened.tobytes(), b"".join(mapped)))
        assert [guess in blinded for guess in guesses] == [at == place for at in range(len(who))]
    assert len(set(blinded)) == len(who)


@given(seed=seeds, count=st.integers(1, 40))
def test_blinds_depend_on_seed_and_place_only(seed, count):
    """So a resumed query is the very same, also when it is longer; no two blinds are equal."""
    blinds, longer = CURRENT.point_blinds(seed, count), CURRENT.point_blinds(seed, count + 3)
    assert np.array_equal(blinds.scalars, longer.scalars[:count])
    assert np.array_equal(blinds.inverses, longer.inverses[:count])
    made = {row.tobytes() for row in longer.scalars} | {CURRENT.cohort_blind(seed)}
    assert len(made) == count + 4
    for row in longer.scalars:
        assert oprf.clamp(row.tobytes()) == row.tobytes()


@given(seed=seeds)
def test_the_first_blind_is_the_reference_s(seed):
    assert CURRENT.point_blinds(seed, 2).scalars[1].tobytes() == reference.point_blind(seed, 1)


@pytest.mark.parametrize("name", NAMES)
@given(new=scalars, old=scalars, who=identities)
def test_rekey_is_evaluation_under_the_new_key(name, new, old, who):
    backend = x25519.backend(name)
    mapped = token.map_to_curve(SALT, who)
    tokens = oprf.evaluate_own(old, mapped, backend)
    assert oprf.rekey(new, old, tokens, backend) == oprf.evaluate_own(new, mapped, backend)


@given(first=scalars, second=scalars, third=scalars, who=identities)
def test_rekey_in_steps_is_rekey_at_once(first, second, third, who):
    tokens = oprf.evaluate_own(first, token.map_to_curve(SALT, who))
    stepwise = oprf.rekey(third, second, oprf.rekey(second, first, tokens))
    assert stepwise == oprf.rekey(third, first, tokens)
    assert oprf.rekey(first, third, stepwise) == tokens


@given(first=scalars, second=scalars, who=identities)
def test_blinding_is_fresh(first, second, who):
    """Two scalars give two blinded points, unless they are equal up to sign: x-only points have none."""
    one, other = (oprf.blind(scalar, token.map_to_curve(SALT, who)) for scalar in (first, second))
    a, b = (int.from_bytes(scalar, "little") for scalar in (first, second))
    assert (one == other) == ((a - b) % oprf.ORDER == 0 or (a + b) % oprf.ORDER == 0)


@given(scalar=scalars)
def test_inverse_is_its_own_inverse_up_to_sign(scalar):
    twice = int.from_bytes(oprf.invert(oprf.invert(scalar)), "little")
    number = int.from_bytes(scalar, "little")
    assert (twice - number) % oprf.ORDER == 0 or (twice + number) % oprf.ORDER == 0


@given(who=identities)
def test_mapped_points_are_valid_and_agree_with_reference(who):
    mapped = token.map_to_curve(SALT, who)
    assert x25519.validate(mapped) == 1
    assert mapped == reference.map_to_curve(SALT, who.id_type, who.value)


@given(one=identities, other=identities)
def test_different_identities_have_different_points_and_prefixes(one, other):
    same = one == other
    assert (token.map_to_curve(SALT, one) == token.map_to_curve(SALT, other)) == same
    assert (token.map_to_curve(SALT, one) == token.map_to_curve(bytes(32), one)) is False


@given(batch=st.binary(max_size=130), key=scalars)
def test_evaluate_survives_any_bytes(batch, key):
    with contextlib.suppress(PointError):
        assert len(oprf.evaluate(key, batch)) == len(batch)


@given(scalar=st.binary(max_size=40))
def test_invert_survives_any_bytes(scalar):
    with contextlib.suppress(ScalarError):
        assert oprf.clamp(oprf.invert(scalar)) == oprf.invert(scalar)


@given(
    secret=st.binary(min_size=32, max_size=32),
    epoch=st.integers(0, 2**32 - 2),
    item=st.sampled_from(["C21", "C22", "D3", "D32"]),
)
def test_items_and_epochs_have_keys_of_their_own(secret, epoch, item):
    tag, label_key = token.entry_keys(secret, item, epoch)
    assert (len(tag), len(label_key)) == (10, 32)
    assert (tag, label_key) == reference.entry_keys(secret, item, epoch)
    for other in (token.entry_keys(secret, item, epoch + 1), token.entry_keys(secret, item + "b", epoch)):
        assert tag != other[0]
        assert label_key != other[1]
