"""One served console for the modules of this folder that share the trial's people and work."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import World
from tests.support.console import Browser
from tests.support.console_site import Site, served_site


@pytest.fixture(scope="package")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served_site(world, tmp_path_factory.mktemp("trial")) as found:
        yield found


@pytest.fixture(scope="package")
def li(site: Site) -> Browser:
    """The preparer's browser."""
    return site.browser("li")
