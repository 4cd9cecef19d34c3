"""The proof of a modulus, and the corpus of hostile moduli and ciphertexts of tests/vectors."""

import json
from functools import cache

import phe
import pytest

from matcher.errors import CiphertextError, ModulusError, PaillierKeyError
from matcher.sums import modulus_proof, paillier
from tests.support.paths import VECTORS

KEY, MODULI, CIPHERTEXTS = (
    json.loads((VECTORS / f"{name}.json").read_text())
    for name in ("paillier", "modulus_bad", "ciphertext_bad")
)
LEAST = KEY["min_bits"]


def named(cases):
    return [pytest.param(case, id=case["name"]) for case in cases]


@cache
def private():
    return paillier.PrivateKey(int(KEY["p"], 16), int(KEY["q"], 16))


def test_the_proof_is_the_reference():
    assert modulus_proof.prove(private()).hex() == KEY["proof"]
    assert modulus_proof.modulus_bytes(private().public).hex() == KEY["modulus"]


def test_a_good_modulus():
    found = modulus_proof.verify(bytes.fromhex(KEY["modulus"]), bytes.fromhex(KEY["proof"]), LEAST)
    assert found == private().public


@pytest.mark.parametrize("case", KEY["sums"], ids=range(len(KEY["sums"])))
def test_reference_ciphertexts_open(case):
    found = paillier.require_ciphertext(private().public, bytes.fromhex(case["ciphertext"]))
    assert paillier.decrypt(private(), found) == int(case["value"])


@pytest.mark.parametrize("case", named(MODULI))
def test_hostile_moduli(case):
    with pytest.raises(ModulusError) as caught:
        modulus_proof.verify(bytes.fromhex(case["modulus"]), bytes.fromhex(case["proof"]), LEAST)
    assert caught.value.reason == case["reason"]


def test_every_reason_has_a_case():
    assert {case["reason"] for case in MODULI} == set(modulus_proof.REASONS)


@pytest.mark.parametrize("case", named(CIPHERTEXTS["cases"]))
def test_hostile_ciphertexts(case):
    public = paillier.PublicKey(int(CIPHERTEXTS["modulus"], 16))
    with pytest.raises(CiphertextError):
        paillier.require_ciphertext(public, bytes.fromhex(case["ciphertext"]))


@pytest.mark.parametrize("least", [3072, LEAST + 1])
def test_the_least_length_is_the_callers(least):
    with pytest.raises(ModulusError) as caught:
        modulus_proof.verify(bytes.fromhex(KEY["modulus"]), bytes.fromhex(KEY["proof"]), least)
    assert caught.value.reason == "too_short"


def test_keys_of_phe_have_proofs():
    public, key = phe.generate_paillier_keypair(n_length=1024)
    ours = paillier.PrivateKey(key.p, key.q)
    assert (
        modulus_proof.verify(modulus_proof.modulus_bytes(ours.public), modulus_proof.prove(ours), 1024).n
        == public.n
    )


def test_no_proof_for_a_small_factor():
    prime = private().q
    with pytest.raises(PaillierKeyError):
        modulus_proof.prove(paillier.PrivateKey(65521, prime))


def test_no_key_whose_modulus_is_not_coprime_to_its_order():
    with pytest.raises(PaillierKeyError):
        paillier.PrivateKey(11, 23)


def test_proofs_at_full_length():
    key = paillier.generate(3072)
    assert key.public.bits == 3072
    proof = modulus_proof.prove(key)
    assert len(proof) == 8 * 384
    assert modulus_proof.verify(modulus_proof.modulus_bytes(key.public), proof) == key.public
