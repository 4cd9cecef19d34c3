"""What holds for all tests."""

from collections.abc import Iterator

import pytest

from keys import KdfCost
from keys.store import header
from tests.support.killed_commands import Killer


@pytest.fixture(scope="session", autouse=True)
def _cheap_passphrases() -> Iterator[None]:
    """Key stores made in this process take the cheapest Argon2id, for nobody is to guess what opens them.

    Half of the time of a command went into it. Commands in processes of their own (the demo, the drill,
    test_cli_init) pay in full.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(header, "STANDARD_COST", KdfCost(iterations=1, lanes=1, memory_kib=8))
        yield


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    """Runs commands and kills them."""
    found = Killer()
    yield found
    found.close()
