"""Expensive test data, made once in each process of the tests."""

import secrets
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path

from keys.store.kinds import _draw_paillier
from node.database import open_store

_DRAWN = 8  # more than the homes of a test and their rotations
_numbers = count()


@cache
def paillier_key(_of: str) -> bytes:
    """A Paillier key, the same for the same name; making one takes half a second."""
    return _draw_paillier(secrets.token_bytes)


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
