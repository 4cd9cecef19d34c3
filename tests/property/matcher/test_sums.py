"""Encrypted sums from end to end, without nodes: rows, cohort, one ciphertext, decrypted by phe."""

from functools import cache

import phe
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.sums import disclosure, modulus_proof, paillier, slots
from matcher.sums.disclosure import Released, Rules, Suppressed
from matcher.sums.slots import CheckKey, Layout
from tests.support.effort import examples

BITS = 1536
LAYOUT = Layout.of((1000, 50_000), BITS)
CHECK = CheckKey.derive(bytes(range(32)), "wages", LAYOUT)
VALUES = st.lists(st.integers(0, 100_000) | st.integers(0, LAYOUT.max_value), min_size=1, max_size=25)


@cache
def holder():
    private = paillier.generate(BITS)
    return private, paillier.Encryptor(private), paillier.Encryptor(private, 256)


@cache
def shown():
    private = holder()[0]
    return modulus_proof.verify(
        modulus_proof.modulus_bytes(private.public), modulus_proof.prove(private), BITS
    )


@cache
def theirs():
    private = holder()[0]
    public = phe.PaillierPublicKey(private.public.n)
    return public, phe.PaillierPrivateKey(public, private.p, private.q)


@given(VALUES, st.data(), st.booleans())
@settings(max_examples=examples(40))
def test_the_sum_of_a_cohort_is_the_plain_sum(values, data, short):
    private, full, few = holder()
    rows = (few if short else full).encrypt(
        slots.pack(LAYOUT, CHECK, value, at % 256) for at, value in enumerate(values)
    )
    matched = data.draw(st.lists(st.sampled_from(range(len(values))), unique=True, min_size=1))
    public = shown()
    chosen = paillier.require_ciphertexts(public, [rows[at] for at in matched])
    sent = paillier.to_bytes(public, paillier.rerandomise(public, paillier.add(public, chosen)))
    plain = paillier.decrypt(private, paillier.require_ciphertext(private.public, sent))
    assert plain == theirs()[1].raw_decrypt(int.from_bytes(sent, "big"))
    totals = slots.unpack(LAYOUT, plain)
    slots.require_consistent(CHECK, totals)
    wanted = [values[at] for at in matched]
    assert (totals.count, totals.total) == (len(wanted), sum(wanted))
    assert totals.guards == tuple(sum(at >> bit & 1 for at in matched) for bit in range(8))
    judged = disclosure.judge(totals, Rules())
    if len(wanted) < 10:
        assert judged == Suppressed("min_cohort")
    elif isinstance(judged, Released):
        assert judged.total == sum(wanted)


@given(VALUES)
@settings(max_examples=examples(25))
def test_rows_of_phe_add_to_own_rows(values):
    private, full, _ = holder()
    ours = [int.from_bytes(one, "big") for one in full.encrypt(values)]
    mixed = [*ours, *(theirs()[0].raw_encrypt(value) for value in values)]
    assert paillier.decrypt(private, paillier.add(private.public, mixed)) == 2 * sum(values)
