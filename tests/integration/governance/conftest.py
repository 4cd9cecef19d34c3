"""What the tests of accounts share: people of a node on databases of both kinds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keys.store.vault import Vault
from node.config.users import UsersSection
from node.database import audit_log, open_store
from node.governance.accounts import People
from tests.support.cluster import silence_log
from tests.support.people import Trial
from tests.support.postgresql import postgres, url  # noqa: F401  fixtures


@pytest.fixture
def trial(url: str, tmp_path: Path) -> Iterator[Trial]:
    silence_log(tmp_path)
    store = open_store(url)
    yield Trial(People(store, Vault({1: bytes(range(32))}, 1), bytes(32), UsersSection()))
    store.dispose()


@pytest.fixture
def events(trial: Trial) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with trial.people.store.transaction("look") as tx:
            return [one.event for one in audit_log.events(tx)]

    return read
