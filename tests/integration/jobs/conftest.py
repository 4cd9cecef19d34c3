"""What the tests of jobs and leases share: databases of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.database import Store, open_store
from tests.support.cluster import silence_log
from tests.support.postgresql import postgres, url  # noqa: F401  fixtures


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty database of a node: of SQLite, then of PostgreSQL."""
    silence_log(tmp_path)
    found = open_store(url)
    yield found
    found.dispose()
