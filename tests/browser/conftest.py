"""One browser and one served federation for all tests of this folder."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cluster import World, silence_log
from tests.support.console_site import Site, chromium, launched, served_site
from tests.support.worlds import world  # noqa: F401  a fixture


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chromium()  # nothing is made where it is missing
    folder = tmp_path_factory.mktemp("site")
    silence_log(folder)
    with served_site(world, folder) as found:
        yield found
