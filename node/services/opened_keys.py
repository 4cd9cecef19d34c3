"""The key store of a serving node, opened for pages and periodic checks that look at what is in it."""

import threading
from pathlib import Path
from typing import Final

from keys import KeyStore
from keys.store.key_store import HEADER
from node.config import Config, open_key_store
from node.context import Node


class OpenedKeys:
    """The key store, opened again only after its header was written anew: a passphrase costs a quarter of a
    second of computing, which a page does not have, and 64 MiB, which a check beside a large batch has not
    either. No secret of it is kept.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._opened: tuple[int, KeyStore] | None = None
        self._lock = threading.Lock()

    def open(self) -> KeyStore:
        """The store as it is now, without a secret in memory. Raises KeyringError."""
        header = self._config.keys.store / HEADER
        with self._lock:
            opened = self._opened
            written = header.stat().st_mtime_ns if header.exists() else 0
            if opened is None or opened[0] != written:
                self._opened = opened = written, open_key_store(self._config)
            return opened[1].unread()


_OPENED: Final[dict[Path, OpenedKeys]] = {}  # by the folder of the store


def opened_keys(node: Node) -> OpenedKeys:
    """The one of a node in this process."""
    store = node.config.keys.store
    known = _OPENED.get(store)
    return known if known is not None else _OPENED.setdefault(store, OpenedKeys(node.config))
