"""What one ciphertext of a sum costs: our Paillier on one core and on all."""

import multiprocessing
import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, TypeVar

from bench.meter import quantile
from matcher.sums import modulus_proof, paillier, slots
from matcher.sums.paillier import Encryptor, PrivateKey

SHORT = 256  # bits of a short exponent
BANDS = (1_000_000, 3_000_000, 6_000_000, 10_000_000, 20_000_000)  # fen a year: six bands
RUNS = 5
_AT_ONCE = 200

T = TypeVar("T")


def run(bits: int) -> dict[str, Any]:
    """Figures of encryption, addition and opening, and how many results were wrong.

    Times "on one core" are CPU time of this process, the median of RUNS runs: on an idle machine the same as
    wall time, on a busy one still the cost. `..._all_cores` is wall time over one process for each core.
    """
    began = time.process_time()
    private = paillier.generate(bits)
    figures: dict[str, Any] = {"bits": bits, "generate_s": time.process_time() - began}
    layout = slots.Layout.of(BANDS, bits)
    check = slots.CheckKey.derive(secrets.token_bytes(slots.SECRET_SIZE), "bench", layout)
    values = [secrets.randbelow(layout.max_value) for _ in range(_AT_ONCE)]
    packed = [slots.pack(layout, check, value, secrets.randbelow(256)) for value in values]
    figures["values_per_ciphertext"] = 3 + layout.band_slots  # guards and check are ours
    wrong = 0
    for name, exponent_bits in (("full", None), ("short", SHORT)):
        more, made = _measure_encryptor(private, exponent_bits, name, packed)
        figures |= more
        sums, opened_wrong = _measure_sum(private, made)
        totals = slots.unpack(layout, sums.pop("plain"))
        slots.require_consistent(check, totals)
        wrong += opened_wrong + ((totals.count, totals.total) != (len(values), sum(values)))
        figures |= sums
    figures["encrypt_us_per_value"] = figures["encrypt_us_full"] / figures["values_per_ciphertext"]
    figures |= _measure_proof(private)
    return {**figures, "wrong": wrong}


def _measure_encryptor(
    private: PrivateKey, exponent_bits: int | None, name: str, values: list[int]
) -> tuple[dict[str, float], list[bytes]]:
    built, encryptor = _timed(partial(Encryptor, private, exponent_bits), 1)
    took, made = _timed(partial(encryptor.encrypt, values))
    return {
        f"table_s_{name}": built,
        f"table_mib_{name}": encryptor.table_bytes / 2**20,
        f"encrypt_us_{name}": 1e6 * took / len(values),
        f"encrypt_us_{name}_all_cores": 1e6 * _all_cores_s(encryptor, values) / len(values),
    }, made


def _measure_sum(private: PrivateKey, made: list[bytes]) -> tuple[dict[str, Any], int]:
    """Checking, adding, re-randomising and opening; and 1 if a sum and its re-randomised twin differ."""
    public = private.public
    checked_s, numbers = _timed(partial(paillier.require_ciphertexts, public, made))
    added_s, total = _timed(partial(paillier.add, public, numbers))
    again_s, fresh = _timed(partial(paillier.rerandomise, public, total))
    opened_s, plain = _timed(partial(paillier.decrypt, private, fresh))
    return {
        "check_us": 1e6 * checked_s / len(made),
        "add_us": 1e6 * added_s / len(made),
        "rerandomise_ms": 1e3 * again_s,
        "decrypt_ms": 1e3 * opened_s,
        "plain": plain,
    }, int(plain != paillier.decrypt(private, total))


def _measure_proof(private: PrivateKey) -> dict[str, float]:
    proved_s, proof = _timed(partial(modulus_proof.prove, private), 1)
    shown = modulus_proof.modulus_bytes(private.public)
    verified_s, _ = _timed(partial(modulus_proof.verify, shown, proof, private.public.bits), 1)
    return {"prove_ms": 1e3 * proved_s, "verify_ms": 1e3 * verified_s}


def _all_cores_s(encryptor: Encryptor, values: list[int]) -> float:
    """Wall seconds for one batch when every core works on one of its own, as an import's pool does."""
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("fork")  # the tables are inherited, not built again
    with ProcessPoolExecutor(cores, context, _keep, (encryptor,)) as pool:
        walls = []
        for _ in range(RUNS):
            began = time.perf_counter()
            list(pool.map(_encrypt_kept, [values] * (2 * cores)))
            walls.append((time.perf_counter() - began) / (2 * cores))
    return quantile(walls, 0.5)


_kept: list[Encryptor] = []


def _keep(encryptor: Encryptor) -> None:
    _kept[:] = [encryptor]


def _encrypt_kept(values: list[int]) -> int:
    return len(_kept[0].encrypt(values))


def _timed(work: Callable[[], T], runs: int = RUNS) -> tuple[float, T]:
    """CPU seconds of this process, the median of some runs, and the last result."""
    took = []
    for _ in range(runs):
        began = time.process_time()
        result = work()
        took.append(time.process_time() - began)
    return quantile(took, 0.5), result
