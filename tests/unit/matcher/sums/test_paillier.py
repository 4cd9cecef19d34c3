"""Paillier against `phe`, both ways, and against every ciphertext that no honest peer sends."""

import random
import secrets
from functools import cache

import gmpy2
import phe
import pytest

from matcher.errors import CiphertextError, PaillierKeyError, PlaintextError
from matcher.sums import paillier

BITS = 1024


@cache
def key():
    return paillier.generate(BITS)


@cache
def encryptor(exponent_bits=None):
    return paillier.Encryptor(key(), exponent_bits)


@cache
def theirs():
    """A private key of this project as phe's."""
    public = phe.PaillierPublicKey(key().public.n)
    return public, phe.PaillierPrivateKey(public, key().p, key().q)


def values():
    n = key().public.n
    return [0, 1, 2, 2**128, n // 2, n - 1, *(random.randrange(n) for _ in range(10))]


@pytest.mark.parametrize("exponent_bits", [None, 256])
def test_phe_opens_what_the_encryptor_makes(exponent_bits):
    wanted = values()
    made = encryptor(exponent_bits).encrypt(wanted)
    assert {len(one) for one in made} == {key().public.ciphertext_size}
    assert [theirs()[1].raw_decrypt(int.from_bytes(one, "big")) for one in made] == wanted


def values_of(made):
    return [paillier.decrypt(key(), paillier.require_ciphertext(key().public, one)) for one in made]


@pytest.mark.parametrize("exponent_bits", [None, 256])
def test_the_encryptor_encrypts(exponent_bits):
    wanted = values()
    assert values_of(encryptor(exponent_bits).encrypt(wanted)) == wanted


def test_phe_opens_what_the_public_key_makes():
    for value in values():
        assert theirs()[1].raw_decrypt(paillier.encrypt(key().public, value)) == value


def test_what_phe_makes_is_opened():
    for value in values():
        assert paillier.decrypt(key(), theirs()[0].raw_encrypt(value)) == value


def test_a_key_of_phe_serves():
    public, private = phe.generate_paillier_keypair(n_length=BITS)
    ours = paillier.PrivateKey(private.p, private.q)
    assert paillier.decrypt(ours, public.raw_encrypt(77)) == 77
    assert private.raw_decrypt(paillier.encrypt(ours.public, 78)) == 78
    with pytest.raises(PaillierKeyError):
        paillier.Encryptor(ours)


def test_sums_and_fresh_randomness():
    public, summands = key().public, [random.randrange(2**300) for _ in range(50)]
    made = paillier.require_ciphertexts(public, encryptor().encrypt(summands))
    total = paillier.add(public, made)
    again = paillier.rerandomise(public, total)
    assert again != total
    assert paillier.decrypt(key(), total) == paillier.decrypt(key(), again) == sum(summands)
    assert theirs()[1].raw_decrypt(again) == sum(summands)
    assert paillier.decrypt(key(), paillier.add(public, [])) == 0
    assert len(paillier.to_bytes(public, 1)) == public.ciphertext_size


def test_equal_values_differ():
    assert {len(set(engine.encrypt([5] * 40))) for engine in (encryptor(), encryptor(256))} == {40}


def test_randomness_is_full():
    """The base generates all n-th residues: its powers are as often non-residues as uniform ones are."""
    p, q = key().p, key().q
    for engine, wanted in ((encryptor(), {(1, 1), (1, -1), (-1, 1), (-1, -1)}), (encryptor(256), {(1, 1)})):
        numbers = [int.from_bytes(one, "big") for one in engine.encrypt([9] * 100)]
        assert {(gmpy2.jacobi(c % p, p), gmpy2.jacobi(c % q, q)) for c in numbers} == wanted


@pytest.mark.parametrize("prime", ["p", "q"])
def test_the_base_has_full_order(prime):
    prime = getattr(key(), prime)
    factors = paillier.cofactor_primes(prime)
    assert gmpy2.is_prime(factors[-1])
    rest = prime - 1
    for factor in factors:
        assert rest % factor == 0
        while rest % factor == 0:
            rest //= factor
    assert rest == 1


def drawing(exponents):
    """An encryptor whose tables are random, and whose exponents are then these, first for p, then for q."""
    left, ready = iter(exponents), []
    made = paillier.Encryptor(
        key(),
        random_bytes=lambda size: next(left).to_bytes(size, "big") if ready else secrets.token_bytes(size),
    )
    ready.append(True)
    return made, left


@pytest.mark.parametrize("end", ["0", "1", "p - 2"])
def test_exponents_at_the_edge(end):
    """Exponent 0 (c is then 1 + n * x, still opened right), and the last one below p - 1."""
    exponent = {"0": 0, "1": 1, "p - 2": key().p - 2}[end]
    engine, left = drawing([exponent] * 4)
    assert values_of(engine.encrypt([4, 5])) == [4, 5]
    assert list(left) == []


@pytest.mark.parametrize("excess", [0, 1])
def test_an_exponent_above_the_order_is_drawn_again(excess):
    p, q = key().p - 1 + excess, key().q - 1 + excess
    engine, left = drawing([p, p, 7, q, 8])
    (cipher,) = engine.encrypt([5])
    assert list(left) == []
    again, _ = drawing([7, 8])
    assert values_of([cipher]) == values_of(again.encrypt([5])) == [5]


@pytest.mark.parametrize("value", [-1, "n"])
def test_plaintexts_out_of_range(value):
    value = key().public.n if value == "n" else value
    with pytest.raises(PlaintextError):
        encryptor().encrypt([1, value])
    with pytest.raises(PlaintextError):
        paillier.encrypt(key().public, value)


HOSTILE = {
    "zero": lambda n, p: 0,
    "n": lambda n, p: n,
    "a multiple of n": lambda n, p: 12 * n,
    "a factor": lambda n, p: p,
    "a multiple of a factor": lambda n, p: p * 12345,
    "n squared": lambda n, p: n * n,
    "above n squared": lambda n, p: n * n + 1,
    "the greatest bytes": lambda n, p: 2 ** (2 * BITS) - 1,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ciphertexts(name):
    public = key().public
    number = HOSTILE[name](public.n, key().p)
    data = number.to_bytes(public.ciphertext_size, "big")
    fine = encryptor().encrypt([1, 2])
    with pytest.raises(CiphertextError):
        paillier.require_ciphertext(public, data)
    with pytest.raises(CiphertextError):
        paillier.require_ciphertexts(public, [fine[0], data, fine[1]])
    with pytest.raises(CiphertextError):
        paillier.decrypt(key(), number)


@pytest.mark.parametrize(
    "change", [lambda c: c[:-1], lambda c: c + b"\0", lambda c: b"\0" + c, lambda c: b""]
)
def test_ciphertexts_of_another_size(change):
    with pytest.raises(CiphertextError):
        paillier.require_ciphertext(key().public, change(encryptor().encrypt([1])[0]))


def test_private_keys_as_bytes():
    data = paillier.private_bytes(key())
    assert len(data) == BITS // 8
    assert paillier.private_from_bytes(data) == key()
    half = len(data) // 2
    for wrong in (b"", data[1:], data + b"\0", data[half:] + data[:half], data[:half] * 2, b"\0" * len(data)):
        with pytest.raises(PaillierKeyError):
            paillier.private_from_bytes(wrong)
    composite = 3 * (int.from_bytes(data[half:], "big") // 3 | 1)  # odd, and about as large as the prime
    with pytest.raises(PaillierKeyError):
        paillier.private_from_bytes(data[:half] + composite.to_bytes(half, "big"))


def test_keys_do_not_show():
    assert str(key().p) not in repr(key())
    assert str(key().q) not in repr(key())


@pytest.mark.parametrize("bits", [0, 480, 1008])
def test_lengths_of_keys(bits):
    with pytest.raises(PaillierKeyError):
        paillier.generate(bits)


def test_generated_lengths_are_exact():
    assert {paillier.generate(512).public.bits for _ in range(5)} == {512}


@pytest.mark.parametrize("bits", [16, 208, 248, BITS])
def test_short_exponents_have_bounds(bits):
    with pytest.raises(PaillierKeyError):
        paillier.Encryptor(key(), bits)


def test_memory_is_stated():
    assert 30_000_000 > encryptor().table_bytes > 2 * 256 * 64 * (2 * 64)
    assert encryptor(256).table_bytes < encryptor().table_bytes
