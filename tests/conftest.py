"""What holds for all tests."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys import KdfCost, passwords
from keys.store import header, kinds
from matcher.suites import x25519
from tests.support import effort, shared, unsynced  # noqa: F401  two work when imported
from tests.support.cached import next_paillier_key
from tests.support.postgresql import postgres_server  # noqa: F401  a fixture that modules share
from tests.support.refusals import DATABASE, NETWORK, PROCESS, SLEEP, refused

effort.register()
gc.set_threshold(50_000, 20, 100)  # as `heqiao` itself (node/cli): collecting 9,000 tests makes no garbage

x25519.available()  # processes search for the libraries, once: before a test that may start none
TESTS = Path(__file__).parent
ALONE = ("unit", "property")
LONG_S = 3_600


def pytest_collection_finish() -> None:
    """What was loaded and collected lives until the end: it is no garbage to look for after each test."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first, so that it does not run alone at the end. One marked long may take an hour: its
    minutes are those of a machine with nothing else to do.
    """
    for item in items:
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_S))
    items.sort(key=lambda item: item.path.name != "test_demo.py")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passphrases() -> Iterator[None]:
    """Key stores and passwords of this process take the cheapest Argon2id, for nobody is to guess them.

    Half of the time of a command went into it, and of a test in which a person signs in. Commands in
    processes of their own (the demo, the drill, test_cli_init) pay in full.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(header, "STANDARD_COST", KdfCost(iterations=1, lanes=1, memory_kib=8))
        patch.setattr(passwords, "_MEMORY_KIB", 8)
        patch.setattr(passwords, "_PASSES", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_paillier_keys() -> Iterator[None]:
    """Homes made and keys rotated in this process take Paillier keys of a few, in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kinds, "_draw_paillier", next_paillier_key)
        yield


def _alone(item: pytest.Item) -> Iterator[None]:
    """A test of these folders needs no network, no process, no database and no sleep.

    A hook and no fixture: that would be a fifth of the time of a small test.
    """
    if item.path.relative_to(TESTS).parts[0] in ALONE:
        with refused(*NETWORK, *PROCESS, *SLEEP, *DATABASE):
            yield
    else:
        yield


pytest_runtest_setup = pytest.hookimpl(wrapper=True)(_alone)
pytest_runtest_call = pytest.hookimpl(wrapper=True)(_alone)
