"""The suite object: found by name, the same in another process, and independent of a suite's sizes."""

import pickle
import secrets

import numpy as np
import pytest

from matcher import batch, identity, oprf, vectorised
from matcher.errors import CountError, LabelError, PointError, SuiteError
from matcher.suites import suite as suites
from matcher.suites import tokens, x25519
from matcher.suites.points import Blinded, Evaluated
from matcher.suites.suite import CURRENT, Contexts, Sizes, Suite, choose, find
from matcher.types import SUITE

SALT = bytes(range(32))
PEOPLE = [identity.planted("test", "45", f"hit-{number}") for number in range(9)]
TYPES, VALUES = batch.pack_identities([(one.id_type, one.value) for one in PEOPLE])


class MarkedGroup:
    """Points of 33 bytes: a mark, and then a point of Curve25519."""

    MARK = b"\x02"

    def _strip(self, points: bytes) -> bytes:
        rows = [points[at : at + 33] for at in range(0, len(points), 33)]
        if not all(row.startswith(self.MARK) for row in rows):
            raise PointError("a point has another mark")
        return b"".join(row[1:] for row in rows)

    def _mark(self, points: bytes) -> bytes:
        return b"".join(self.MARK + points[at : at + 32] for at in range(0, len(points), 32))

    def clamp(self, raw):
        return oprf.clamp(raw)

    def invert_each(self, raw):
        return oprf.invert_each(raw)

    def blind_each(self, scalars, mapped):
        return self._mark(oprf.blind_each(scalars, self._strip(mapped)))

    def finalize_each(self, inverses, evaluated):
        return self._mark(oprf.finalize_each(inverses, self._strip(evaluated)))

    def blind(self, scalar, mapped):
        return self._mark(oprf.blind(scalar, self._strip(mapped)))

    def evaluate(self, key, blinded):
        return self._mark(oprf.evaluate(key, self._strip(blinded)))

    def finalize(self, blind_scalar, evaluated):
        return self._mark(oprf.finalize(blind_scalar, self._strip(evaluated)))

    def evaluate_own(self, key, mapped):
        return self._mark(oprf.evaluate_own(key, self._strip(mapped)))

    def rekey(self, new, old, tokens):
        return self._mark(oprf.rekey(new, old, self._strip(tokens)))


def marked_candidates(rows):
    found, good = x25519.candidates(rows[:, 1:])
    return np.hstack([np.full((len(rows), 1), 2, dtype=np.uint8), found]), good


OTHER = Suite(
    name="MARKED",
    sizes=Sizes(point=33, scalar=32, tag=10, label_key=32, overhead=16, salt_check=4, canaries=3),
    contexts=Contexts(
        b"test identity",
        b"test bucket",
        b"test class",
        "test token",
        "test canary",
        "test blind",
        "test cohort",
        "test check",
        b"name",
    ),
    group=MarkedGroup(),
    hash=vectorised,
    cipher=vectorised,
    candidates=marked_candidates,
)
BOTH = pytest.mark.parametrize("suite", [CURRENT, OTHER], ids=lambda suite: suite.name)


def test_a_suite_is_found_by_its_name_on_the_wire() -> None:
    assert find(SUITE) is CURRENT is choose(["SM2-SM3-SM4", SUITE])
    for call in (lambda: find("SM2-SM3-SM4"), lambda: find(""), lambda: choose([])):
        with pytest.raises(SuiteError):
            call()


def test_a_worker_process_has_the_very_same_suite() -> None:
    assert pickle.loads(pickle.dumps(CURRENT)) is CURRENT
    with pytest.raises(SuiteError):
        pickle.loads(pickle.dumps(OTHER))


def test_a_suite_is_frozen() -> None:
    with pytest.raises(AttributeError):
        CURRENT.name = "other"  # type: ignore[misc]


@BOTH
def test_all_steps_from_identity_to_label(suite: Suite) -> None:
    key, blind, count = (
        oprf.clamp(secrets.token_bytes(32)),
        suite.cohort_blind(secrets.token_bytes(32)),
        len(PEOPLE),
    )
    mapped = suite.map_to_curve(SALT, TYPES, VALUES)
    assert mapped.shape == (count, suite.sizes.point)
    sent = suite.blind(blind, mapped.tobytes())
    assert sent.count == count
    evaluated = suite.evaluate(key, suite.blinded(sent.points, count))
    own = suite.own_tokens(key, mapped)
    assert suite.finalize(blind, sent, evaluated) == own.tobytes()
    blinds = suite.point_blinds(bytes(range(32)), count)
    sent = suite.blind_each(blinds.scalars, mapped.tobytes())
    evaluated = suite.evaluate(key, suite.blinded(sent.points, count))
    assert suite.finalize_each(blinds.inverses, sent, evaluated) == own.tobytes()

    tags, keys = suite.entry_keys(own, "C21", 7)
    assert (tags.shape, keys.shape) == ((count, suite.sizes.tag), (count, suite.sizes.label_key))
    assert np.array_equal(suite.secret_keys(suite.token_secrets(own), "C21", 7)[0], tags)
    records = batch.pack_records(
        2, np.arange(count), np.full(count, 20_000), np.zeros((count, 6), np.uint8),
        np.zeros((count, 2), np.uint8), np.zeros(count, bool), np.zeros(count, bool),
    )  # fmt: skip
    places = batch.associated_data("C21", np.full(count, 45, np.uint8), 7, tags)
    sealed = suite.seal_labels(keys, records, places)
    assert sealed.shape == (count, suite.sizes.sealed(2))
    assert suite.read_labels(keys, sealed, places, 2, 1)["value"].tolist() == list(range(count))
    with pytest.raises(LabelError):
        suite.read_labels(keys, sealed[::-1], places, 2, 1)
    with pytest.raises(LabelError):
        suite.read_labels(keys, sealed, places[::-1], 2, 1)


@BOTH
def test_rekeying_is_evaluation_under_the_new_key(suite: Suite) -> None:
    old, new = oprf.clamp(bytes(range(32))), oprf.clamp(bytes(range(1, 33)))
    mapped = suite.map_to_curve(SALT, TYPES, VALUES)
    moved = suite.rekey(new, old, suite.own_tokens(old, mapped))
    assert np.array_equal(moved, suite.own_tokens(new, mapped))


@BOTH
def test_canaries_are_points_like_others(suite: Suite) -> None:
    key, blind = oprf.clamp(bytes(range(32))), suite.cohort_blind(secrets.token_bytes(32))
    points = suite.canary_points()
    assert len(points) == suite.sizes.canaries * suite.sizes.point
    sent = suite.blind(blind, points)
    assert suite.finalize(blind, sent, suite.evaluate(key, sent)) == suite.canary_tokens(key)
    assert len(suite.salt_check(SALT)) == suite.sizes.salt_check


def test_two_suites_have_nothing_in_common() -> None:
    assert not np.array_equal(CURRENT.digests(SALT, TYPES, VALUES), OTHER.digests(SALT, TYPES, VALUES))
    ours = CURRENT.map_to_curve(SALT, TYPES, VALUES)
    assert not np.array_equal(ours, OTHER.map_to_curve(SALT, TYPES, VALUES)[:, 1:])
    assert CURRENT.salt_check(SALT)[:4] != OTHER.salt_check(SALT)


def test_many_at_a_time_is_one_at_a_time() -> None:
    assert CURRENT.canary_points() == tokens.canary_points()
    assert CURRENT.salt_check(SALT) == tokens.salt_check(SALT)


# ---- typed points: as many are returned as were sent


@BOTH
def test_another_number_of_points_is_refused(suite: Suite) -> None:
    key, blind = oprf.clamp(bytes(range(32))), suite.cohort_blind(secrets.token_bytes(32))
    sent = suite.blind(blind, suite.map_to_curve(SALT, TYPES, VALUES).tobytes())
    good, blinds = suite.evaluate(key, sent).points, suite.point_blinds(SALT, len(PEOPLE))
    for wrong in (b"", good[: suite.sizes.point], good + good[: suite.sizes.point], good[:-1], good + b"\0"):
        with pytest.raises(CountError):
            suite.finalize(blind, sent, suite.evaluated(wrong))
        with pytest.raises(CountError):
            suite.finalize_each(blinds.inverses, sent, suite.evaluated(wrong))


@BOTH
def test_points_from_outside_are_counted_and_checked(suite: Suite) -> None:
    key, point = oprf.clamp(bytes(range(32))), suite.sizes.point
    good = suite.map_to_curve(SALT, TYPES, VALUES).tobytes()
    assert suite.blinded(good, 9).count == 9
    with pytest.raises(CountError):
        suite.blinded(good, 8)
    with pytest.raises(PointError) as ragged:
        suite.blinded(good[:-1], 9)
    assert not isinstance(ragged.value, CountError)
    with pytest.raises(PointError):
        suite.evaluate(key, suite.blinded(good + bytes(point)))


def test_parts_of_what_is_sent() -> None:
    sent = Blinded(bytes(range(64)) * 3, 32)
    parts = [sent.part(at, at + 4) for at in range(0, 6, 4)]
    assert [part.count for part in parts] == [4, 2]
    assert b"".join(part.points for part in parts) == sent.points
    assert sent.part(9, 12).count == 0


def test_points_are_not_shown() -> None:
    secret = b"secret-bytes-of-a-token-or-point"
    for shown in (Blinded(secret, 32), Evaluated(secret, 32)):
        assert "secret" not in f"{shown!r} {shown}"
    assert {CURRENT.name: CURRENT} == suites.SUITES
