"""The notices of a home, for its administrator."""

from node.config import Config
from node.database import database_url, open_store
from node.database import notices as rows
from node.domain.notices import NoticeRow

_CHANNELS = ("folder", "mail")


def read_notices(config: Config, *, every: bool = False) -> list[NoticeRow]:
    """The notices that hold, oldest first; with `every` also those that were cleared."""
    store = open_store(database_url(config))
    with store.transaction("list notices") as tx:
        found = rows.list_notices(tx, open_only=not every)
    store.dispose()
    return found


def count_waiting(config: Config) -> dict[str, int]:
    """How many notices are still to go through each channel."""
    store = open_store(database_url(config))
    with store.transaction("count notices") as tx:
        found = {channel: rows.count_waiting(tx, channel) for channel in _CHANNELS}
    store.dispose()
    return found
