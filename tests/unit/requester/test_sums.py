"""The requester of a sum with hostile keys and rows; its messages reveal nothing about who matched."""

import json
import secrets
from collections import Counter

import pytest

from matcher import identity, oprf
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from matcher.sums import modulus_proof, paillier
from matcher.sums.cohort import choose_rows, shuffle
from node.domain.summation import Person
from node.errors import DishonestPeerError
from node.mirror.verified_groups import VerifiedGroups
from node.requester.point_cache import PointCache
from node.requester.sum_checkpoint import pack_product, pack_sum, unpack_product, unpack_sum
from node.requester.sum_context import PeerSum, Product
from node.requester.sum_products import check_rows
from node.requester.sums import check_modulus, lay_out
from node.wire.sum_messages import RowsSlice, SumAnswer
from tests.support.paths import VECTORS

MODULI = json.loads((VECTORS / "modulus_bad.json").read_text())
LEAST = json.loads((VECTORS / "paillier.json").read_text())["min_bits"]
CIPHERTEXTS = json.loads((VECTORS / "ciphertext_bad.json").read_text())
PUBLIC = paillier.PublicKey(int(CIPHERTEXTS["modulus"], 16))
SALT = bytes(range(32))
PEOPLE = [identity.planted("test", "00", f"{at:030x}") for at in range(60)]


@pytest.mark.parametrize("case", MODULI, ids=[case["name"] for case in MODULI])
def test_a_hostile_modulus_is_refused_by_name(case, monkeypatch):
    """At the length of the vectors, and at the length that nodes require."""
    n, proof = bytes.fromhex(case["modulus"]), bytes.fromhex(case["proof"])
    with pytest.raises(DishonestPeerError):
        check_modulus(n, proof)
    real = modulus_proof.verify
    monkeypatch.setattr(modulus_proof, "verify", lambda *given: real(*given, LEAST))
    with pytest.raises(DishonestPeerError) as refused:
        check_modulus(n, proof)
    assert refused.value.details["check"] == f"modulus_{case['reason']}"


@pytest.mark.parametrize("case", CIPHERTEXTS["cases"], ids=[case["name"] for case in CIPHERTEXTS["cases"]])
def test_a_hostile_row_is_refused_whether_it_matches_or_not(case):
    """One bad row among good ones; no earlier step depends on the cohort."""
    size = PUBLIC.ciphertext_size
    good = [paillier.to_bytes(PUBLIC, paillier.encrypt(PUBLIC, at)) for at in range(3)]
    bad = bytes.fromhex(case["ciphertext"]).rjust(size, b"\0")[-size:]
    check_rows(RowsSlice(0, bytes(96), b"".join(good)), PUBLIC)
    if len(bytes.fromhex(case["ciphertext"])) != size:
        return  # the decoder of messages refuses it: test_wire.py
    with pytest.raises(DishonestPeerError) as refused:
        check_rows(RowsSlice(0, bytes(128), b"".join([*good, bad])), PUBLIC)
    assert refused.value.details["check"] == "ciphertext"


def test_rows_of_the_cohort_are_kept():
    points = [secrets.token_bytes(32) for _ in range(8)]
    ciphertexts = b"".join(bytes([at]) * 4 for at in range(8))
    found = choose_rows(frozenset(points[2:4]), b"".join(points), ciphertexts, 32, 4)
    assert found == {points[2]: b"\2" * 4, points[3]: b"\3" * 4}


def test_a_batch_is_the_same_for_the_same_seed():
    people = PointCache({1: SALT}, (Person((one,)) for one in PEOPLE)).points(CURRENT, 1)
    first, again = lay_out(people, b"s" * 32), lay_out(people, b"s" * 32)
    other = lay_out(people, b"t" * 32)
    assert first == again
    assert other[0] != first[0]
    points = {first[0][at : at + 32] for at in range(0, len(first[0]), 32)}
    assert b"".join(tokens.map_to_curve(SALT, one) for one in PEOPLE[:1]) in points
    assert len(points) == len(first[0]) // 32 == 64


def test_the_requester_does_not_learn_who_matched():
    """All returned points of a cohort depend on the cohort alone, in a uniform order.

    No matter who is in the register, the requester sees the same points, and the place of a person's own
    point among them is spread over all places. So no row that matches a point of the answer can be laid to
    one of them.
    """
    key, blind = oprf.clamp(secrets.token_bytes(32)), CURRENT.cohort_blind(secrets.token_bytes(32))
    mapped = b"".join(tokens.map_to_curve(SALT, one) for one in PEOPLE[:16])
    evaluated = oprf.evaluate(key, oprf.blind(blind, mapped))
    answers = [oprf.finalize(blind, shuffle(evaluated, 32, secrets.token_bytes)) for _ in range(400)]
    assert len({frozenset(answer[at : at + 32] for at in range(0, 512, 32)) for answer in answers}) == 1
    mine = oprf.evaluate_own(key, mapped[:32])  # which the requester, without the key, cannot compute
    places = Counter(answer.index(mine) // 32 for answer in answers)
    assert len(places) == 16
    # Pearson's test over 16 equally likely places: above 50 once in 80,000 runs.
    assert sum((count - 25) ** 2 / 25 for count in places.values()) < 50
    # The points that the requester can compute, r * M and M, are never returned.
    known = {mapped[at : at + 32] for at in range(0, 512, 32)}
    assert not known & {answers[0][at : at + 32] for at in range(0, 512, 32)}


def test_groups_seen_before_are_known_and_forgotten_in_time():
    checked = VerifiedGroups(most=2)
    for at in range(3):
        checked.add(PUBLIC.n, bytes([at]) * 32)
    assert [checked.holds(PUBLIC.n, bytes([at]) * 32) for at in range(3)] == [False, True, True]
    assert not checked.holds(PUBLIC.n + 2, bytes([2]) * 32)


@pytest.mark.parametrize(
    "answer",
    [
        SumAnswer("B11", rule="min_cohort"),
        SumAnswer("B11", "", "exact", 12, 1 << 70, 1 << 90, (None, 4, 8), 0.0),
        SumAnswer("B11", "", "dp", -3, -(1 << 70), None, (-1, 4, 8), 0.5),
    ],
)
def test_a_checkpoint_is_read_as_it_was_written(answer):
    for as_of in (None, (1, 2)):
        assert unpack_sum(pack_sum(PeerSum(answer, 400, as_of))) == PeerSum(answer, 400, as_of)
        product = Product(b"abc", as_of, frozenset((b"r" * 16, b"s" * 16)), 12)
        assert unpack_product(pack_product(product)) == product
