"""What the tests of whole federations share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.credentials import keyring
from tests.support.cluster import silence_log
from tests.support.worlds import (  # noqa: F401  fixtures
    asked,
    few,
    few_mirrored,
    served,
    small,
    small_served,
    undisturbed,
    world,
)


@pytest.fixture(autouse=True)
def _quiet_log(tmp_path: Path) -> Iterator[None]:
    silence_log(tmp_path)
    return


@pytest.fixture
def keys_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes look for another epoch after a millisecond: what follows a rotation does not wait for it."""
    monkeypatch.setattr(keyring, "FRESH_S", 0.001)
