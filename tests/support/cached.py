"""Expensive test data, made once in each process of the tests, or once for all."""

import secrets
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path

from keys.store.kinds import _draw_paillier
from node.database import open_store

_DRAWN = 8  # more than the homes of a test and their rotations
_KEPT = Path(__file__).with_name("paillier_keys.txt")
_NAMES = ("44", "45", "33", "46", "drawn", "drawn next", *(f"drawn {number}" for number in range(_DRAWN)))
_numbers = count()


@cache
def paillier_key(of: str) -> bytes:
    """A Paillier key, the same for the same name; making one takes half a second, so most are kept."""
    return _kept().get(of) or _draw_paillier(secrets.token_bytes)


@cache
def _kept() -> dict[str, bytes]:
    """Keys of nobody, by name: `python -m tests.support.cached` draws others."""
    lines = (line.rpartition(" ") for line in _KEPT.read_text(encoding="ascii").splitlines())
    return {name: b64decode(key, validate=True) for name, _, key in lines}


def next_paillier_key(random_bytes: Callable[[int], bytes]) -> bytes:
    """For commands of this process, in the place of a new one: another than the last seven times."""
    if random_bytes is not secrets.token_bytes:
        return _draw_paillier(random_bytes)
    return paillier_key(f"drawn {next(_numbers) % _DRAWN}")


@cache
def empty_database() -> bytes:
    """The file of an SQLite database without rows, as migrations make it in a tenth of a second."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "heqiao.db"
        open_store(f"sqlite:///{file}").dispose()
        return file.read_bytes()


if __name__ == "__main__":
    drawn = [f"{name} {b64encode(_draw_paillier(secrets.token_bytes)).decode()}\n" for name in _NAMES]
    _KEPT.write_text("".join(drawn), encoding="ascii")
