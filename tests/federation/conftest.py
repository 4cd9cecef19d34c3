"""What the tests of whole federations share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
