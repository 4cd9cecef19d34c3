"""One federation and its consoles for all tests of this folder: 45, which asks, and 44, which answers."""

from collections.abc import Iterator

import pytest

from node.client.platform import Platform
from node.console.app import make_app
from tests.support.cluster import Province, World, serve_all
from tests.support.console import THEIRS, UPLOAD, WHO, Browser, add_accounts, sign_in_all
from tests.support.console_site import Site, served_site
from tests.support.federation import set_config


@pytest.fixture(scope="package")
def provinces(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Province]]:
    homes = world.copy(tmp_path_factory.mktemp("console"))
    for code in ("45", "44"):
        set_config(homes[code], "users", required=True)
    with serve_all(homes) as found:
        yield found


@pytest.fixture(scope="package")
def node(provinces: dict[str, Province]) -> Province:
    return provinces["45"]


@pytest.fixture(scope="package")
def answering(provinces: dict[str, Province]) -> Province:
    return provinces["44"]


@pytest.fixture(scope="package")
def app(node: Province) -> Iterator[object]:
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform:
        yield make_app(platform, UPLOAD)


@pytest.fixture(scope="package")
def browsers(app: object, node: Province) -> dict[str, Browser]:
    return sign_in_all(app, add_accounts(node.node, WHO))


@pytest.fixture(scope="package")
def theirs(answering: Province) -> Iterator[dict[str, Browser]]:
    """The administrators of 44, each signed in."""
    with Platform.open(answering.home, f"127.0.0.1:{answering.platform_port}") as platform:
        yield sign_in_all(make_app(platform, UPLOAD), add_accounts(answering.node, THEIRS))


@pytest.fixture(scope="package")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Another one, with the trial's people and the work of a county."""
    with served_site(world, tmp_path_factory.mktemp("trial")) as found:
        yield found


@pytest.fixture(scope="package")
def li(site: Site) -> Browser:
    """The preparer's browser at that one."""
    return site.browser("li")
