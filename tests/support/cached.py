"""Expensive test data, made once in each process of the tests."""

import tempfile
from functools import cache
from pathlib import Path

from keys.store.kinds import generate_secret
from node.database import open_store


@cache
def paillier_key(_of: str) -> bytes:
    """A Paillier key, the same for the same name; making one takes half a second."""
    return generate_secret("paillier")


@cache
def empty_database() -> bytes:
    """The file of an SQLite database without rows, as migrations make it in a tenth of a second."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "heqiao.db"
        open_store(f"sqlite:///{file}").dispose()
        return file.read_bytes()
