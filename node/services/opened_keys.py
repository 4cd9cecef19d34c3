"""The key store of a serving node, opened for pages that show what is in it."""

from keys import KeyStore
from keys.store.key_store import HEADER
from node.config import open_key_store
from node.context import Node


class OpenedKeys:
    """The key store, opened again only after its header was written anew: a passphrase costs a quarter of a
    second of computing, which a page does not have. No secret of it is kept.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._opened: tuple[int, KeyStore] | None = None

    def open(self) -> KeyStore:
        """The store as it is now, without a secret in memory. Raises KeyringError."""
        header, opened = self._node.config.keys.store / HEADER, self._opened
        written = header.stat().st_mtime_ns if header.exists() else 0
        if opened is None or opened[0] != written:
            self._opened = opened = written, open_key_store(self._node.config)
        return opened[1].unread()
