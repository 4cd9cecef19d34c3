"""Paillier of another library, run in its own environment: `... LIBRARY BITS`, prints one JSON object.

`encrypt_us` is CPU time for a ciphertext, calls one after the other; `batch_us` is wall time for a ciphertext
where the library encrypts many at once on all cores. Values are 32-bit amounts; sums are opened and checked.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

RUNS = 3
BATCH = 2_000
rng = random.Random(7)  # not for keys
VALUES = [rng.getrandbits(32) for _ in range(BATCH)]


def timed(work: Callable[[], Any], runs: int = RUNS) -> tuple[float, float, Any]:
    """Wall and CPU seconds (all threads), the medians of some runs, and the last result."""
    walls, cpus = [], []
    for _ in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        result = work()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return sorted(walls)[runs // 2], sorted(cpus)[runs // 2], result


def phe(bits: int) -> dict[str, Any]:
    """CSIRO's phe; with gmpy2."""
    from phe import paillier, util  # type: ignore[import-untyped,unused-ignore]

    if not util.HAVE_GMP:
        raise SystemExit("phe has no gmpy2 here")
    public, private = paillier.generate_paillier_keypair(n_length=bits)
    some = VALUES[:60]
    wall, cpu, made = timed(lambda: [public.encrypt(value) for value in some])
    added, _, total = timed(lambda: sum(made[1:], made[0]))
    opened, _, plain = timed(lambda: private.decrypt(total))
    return figures(some, wall, cpu, added, opened, plain)


def heu(bits: int) -> dict[str, Any]:
    """SecretFlow's heu, schema ZPaillier; a batch goes over all cores."""
    import numpy as np
    from heu import numpy as hnp  # type: ignore[import-not-found]  # its own environment
    from heu import phe as heu_phe

    kit = heu_phe.setup(heu_phe.SchemaType.ZPaillier, bits)
    encryptor, evaluator, decryptor = kit.encryptor(), kit.evaluator(), kit.decryptor()
    some = VALUES[:300]
    plain = [kit.plaintext(value) for value in some]
    wall, cpu, made = timed(lambda: [encryptor.encrypt(value) for value in plain])

    def add() -> Any:
        total = made[0]
        for one in made[1:]:
            total = evaluator.add(total, one)
        return total

    added, _, total = timed(add)
    opened, _, result = timed(lambda: decryptor.decrypt(total))
    many = hnp.HeKit(kit)
    coded = many.array(np.array(VALUES, dtype=np.int64), heu_phe.IntegerEncoderParams(1))
    batch = timed(lambda: many.encryptor().encrypt(coded))
    wrong = int(str(many.decryptor().decrypt(many.evaluator().sum(batch[2])))) != sum(VALUES)
    return figures(some, wall, cpu, added, opened, int(str(result)), batch, wrong)


def pypaillier(bits: int) -> dict[str, Any]:
    """pypaillier (Rust); a batch goes over all cores."""
    import paillier  # type: ignore[import-not-found]  # its own environment

    public, private = paillier.generate_keypair(bits)
    some = VALUES[:100]
    wall, cpu, made = timed(lambda: [paillier.encrypt_integers(public, [value])[0] for value in some])
    made = [bytes(one) for one in made]
    added, _, total = timed(lambda: paillier.add_many(public, made))
    opened, _, plain = timed(lambda: paillier.decrypt_many(private, [bytes(total)]))
    batch = timed(lambda: paillier.encrypt_integers(public, VALUES))
    total = paillier.add_many(public, [bytes(one) for one in batch[2]])
    wrong = int(paillier.decrypt_many(private, [bytes(total)])[0]) != sum(VALUES)
    return figures(some, wall, cpu, added, opened, int(plain[0]), batch, wrong)


def figures(
    values: Sequence[int],
    wall: float,
    cpu: float,
    added: float,
    opened: float,
    plain: int,
    batch: tuple[float, float, Any] | None = None,
    batch_wrong: bool = False,
) -> dict[str, Any]:
    """The JSON object."""
    count = len(values)
    return {
        "encrypt_us": 1e6 * cpu / count,
        "encrypt_wall_us": 1e6 * wall / count,
        "add_us": 1e6 * added / count,
        "decrypt_ms": 1e3 * opened,
        "batch_us": 1e6 * batch[0] / BATCH if batch else None,
        "batch_cpu_us": 1e6 * batch[1] / BATCH if batch else None,
        "wrong": int(plain != sum(values)) + int(batch_wrong),
    }


if __name__ == "__main__":
    library, bits = sys.argv[1], int(sys.argv[2])
    print(json.dumps({"phe": phe, "heu": heu, "pypaillier": pypaillier}[library](bits)))
