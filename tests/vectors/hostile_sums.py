"""Vectors of encrypted sums: a key with its proof, and every modulus and ciphertext that must be refused.

Plain Python integers, like `reference.py`. The key is far too short for use; it keeps the files small.
"""

import reference as ref

BITS = 1024
ROOTS = 8


def vectors():
    """File name to content."""
    p, q = sorted((prime("p", 512), prime("q", 512)))
    r = number("r", 1000)
    n = p * q
    good = prove(n, (p - 1) * (q - 1))
    key = {"p": hexed(p, 512), "q": hexed(q, 512), "modulus": hexed(n), "proof": good.hex()}
    sums = [
        {
            "value": str(value),
            "ciphertext": hexed(pow(1 + n, value, n * n) * pow(r, n, n * n) % (n * n), 2048),
        }
        for value in (0, 1, 2**128 + 5, n - 1)
    ]
    return {
        "paillier.json": {**key, "min_bits": BITS, "sums": sums},
        "modulus_bad.json": [*bad_forms(n, good), *bad_proofs(n, good, (p - 1) * (q - 1))],
        "ciphertext_bad.json": {"modulus": hexed(n), "cases": bad_ciphertexts(n, p, sums[0]["ciphertext"])},
    }


def bad_forms(n, good):
    """Moduli of a wrong form, with a proof of the right size."""
    half, third, whole = prime("square", 512), prime("cube", 342), prime("prime", 1024)
    yield case("even", 2 * prime("even", 1023), good, "even")
    yield case("power_of_two", 1 << 1023, good, "even")
    yield case("p_is_q", half * half, good, "square")
    yield case("cube", third**3, good[: len(good) // 128 * 129].ljust(ROOTS * 129, b"\0"), "power")
    yield case("prime", whole, prove(whole, whole - 1), "prime")
    for small in (3, 251, 65521):
        large = prime(f"beside {small}", 1030 - small.bit_length())
        yield case(
            f"factor_{small}", small * large, prove(small * large, (small - 1) * (large - 1)), "small_factor"
        )
    short = sorted((prime("short p", 504), prime("short q", 504)))
    yield case(
        "too_short",
        short[0] * short[1],
        prove(short[0] * short[1], (short[0] - 1) * (short[1] - 1)),
        "too_short",
    )
    yield {"name": "nothing", "modulus": "", "proof": "", "reason": "too_short"}
    yield {"name": "zeros", "modulus": "00" * 128, "proof": good.hex(), "reason": "too_short"}
    yield {"name": "one", "modulus": "01", "proof": good.hex(), "reason": "too_short"}
    yield {"name": "leading_zero", "modulus": "00" + hexed(n), "proof": good.hex(), "reason": "padded"}
    yield {"name": "too_long", "modulus": "ff" * 1025, "proof": good.hex(), "reason": "too_long"}


def bad_proofs(n, good, order):
    """Invalid proofs. In place of a root that does not exist they have the number itself."""
    inner = prime("divides", 340)
    outer = prime("one above", 686, step=2 * inner)
    yield case("p_divides_q_less_1", inner * outer, prove(inner * outer, (inner - 1) * (outer - 1)), "proof")
    twice, once = prime("twice", 342), prime("once", 342)
    yield case("p_twice", twice**2 * once, prove(twice**2 * once, twice * (twice - 1) * (once - 1)), "proof")
    p, q = prime("other p", 512), prime("other q", 512)
    yield case("proof_of_another_key", n, prove(p * q, (p - 1) * (q - 1)), "proof")
    size = len(good) // ROOTS
    yield case("no_proof", n, b"", "proof")
    yield case("a_root_missing", n, good[:-size], "proof")
    yield case("a_root_too_many", n, good + good[-size:], "proof")
    yield case("roots_of_zero", n, bytes(len(good)), "proof")
    yield case("roots_of_one", n, (bytes(size - 1) + b"\1") * ROOTS, "proof")
    yield case("roots_exchanged", n, good[size : 2 * size] + good[:size] + good[2 * size :], "proof")
    yield case("last_bit", n, good[:-1] + bytes([good[-1] ^ 1]), "proof")
    yield case("roots_above_n", n, b"\xff" * len(good), "proof")
    yield case(
        "roots_negated", n, b"".join((n - root).to_bytes(size, "big") for root in roots(n, order)), "proof"
    )


def bad_ciphertexts(n, p, good):
    """Bytes that are not a ciphertext under n."""
    square, size = n * n, 2048 // 4
    numbers = {"zero": 0, "n": n, "multiple_of_n": 77 * n, "factor": p, "multiple_of_a_factor": p * (n + 2),
               "square_of_a_factor": p * p, "n_squared": square, "above_n_squared": square + 1,
               "n_squared_less_n": square - n, "all_ones": (1 << 2048) - 1}  # fmt: skip
    return [
        *({"name": name, "ciphertext": hexed(number, 2048)} for name, number in numbers.items()),
        {"name": "nothing", "ciphertext": ""},
        {"name": "a_byte_short", "ciphertext": good[: size - 2]},
        {"name": "a_byte_long", "ciphertext": "00" + good},
        {"name": "length_of_n", "ciphertext": hexed(5)},
    ]


def prove(n, order):
    """The proof, where one exists."""
    size = (n.bit_length() + 7) // 8
    return b"".join(root.to_bytes(size, "big") for root in roots(n, order))


def roots(n, order):
    """n-th roots of the challenges; for a modulus without roots, the challenges."""
    size = (n.bit_length() + 7) // 8
    stream = ref.blake3(n.to_bytes(size, "big"), ROOTS * (size + 16), context="heqiao v1 modulus proof")
    parts = [stream[at : at + size + 16] for at in range(0, len(stream), size + 16)]
    try:
        exponent = pow(n, -1, order)
    except ValueError:
        exponent = 1
    return [pow(int.from_bytes(part, "big") % n, exponent, n) for part in parts]


def case(name, n, proof, reason):
    return {"name": name, "modulus": hexed(n, n.bit_length()), "proof": proof.hex(), "reason": reason}


def prime(label, bits, step=2):
    """The first prime that is 1 modulo `step` above a number of `bits` bits chosen by the label."""
    start = number(label, bits)
    found = start - start % step + 1
    while not is_prime(found):
        found += step
    return found


def number(label, bits):
    stream = ref.blake3(f"sums/{label}".encode(), (bits + 7) // 8, context="heqiao test vectors")
    return int.from_bytes(stream, "big") >> -bits % 8 | 3 << bits - 2


def is_prime(n):
    """Miller-Rabin with the bases below 40, after division by small numbers."""
    if any(n % small == 0 for small in range(3, 2000, 2)):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, odd, n)
        if x not in (1, n - 1) and all((x := x * x % n) != n - 1 for _ in range(twos - 1)):
            return False
    return True


def hexed(value, bits=BITS):
    return value.to_bytes((bits + 7) // 8, "big").hex()
