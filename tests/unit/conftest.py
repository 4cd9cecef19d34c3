"""What several modules of unit tests share."""

from collections.abc import Iterator

import pytest
from killing import Killer


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    """Runs commands and kills them."""
    found = Killer()
    yield found
    found.close()
