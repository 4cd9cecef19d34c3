"""Which database a function of an administrator uses: that of the running node, or of a home."""

from node.config import Config
from node.database import Store, database_url, open_store


def opened(config: Config, store: Store | None) -> Store:
    """The store that a running node has open, or, for a command, that of the home."""
    return store or open_store(database_url(config))
