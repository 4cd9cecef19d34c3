"""The federation that the cluster tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import World, make_world, serve_all, silence_log


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    silence_log(folder)
    return make_world(folder)


@pytest.fixture(autouse=True)
def _quiet_log(tmp_path: Path) -> Iterator[None]:
    silence_log(tmp_path)
    return


@pytest.fixture(scope="session")
def served(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """Three provinces at work, for tests that change nothing of them."""
    with serve_all(world.copy(tmp_path_factory.mktemp("served"))) as provinces:
        yield provinces
