"""The mirrors of a home: what `heqiao mirror` and programs use."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Self

from node.config import Home
from node.context import Node, open_node
from node.database import peers as peer_rows
from node.errors import NotFoundError
from node.jobs import mirrors
from node.jobs.mirrors import Mirrored, Show, Synced


class Mirrors:
    """Copies of peers' partitions in the folder of a home, which its processes share."""

    def __init__(self, node: Node) -> None:
        self._node = node
        with node.store.transaction("list peers") as tx:
            self._peers = {peer.code: peer for peer in peer_rows.list_peers(tx)}

    @classmethod
    def open(cls, home: Path) -> Self:
        """Of a home of either role."""
        return cls(open_node(Home.find(home).load()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._node.store.dispose()

    def codes(self, wanted: Iterable[str] = ()) -> list[str]:
        """The peers named, or all. Raises NotFoundError for one that is not known."""
        for code in wanted:
            if code not in self._peers:
                raise NotFoundError(f"this home knows no peer {code}", "`heqiao peers list` lists them")
        return list(wanted) or sorted(self._peers)

    def sync(self, code: str, show: Show = lambda _done, _total: None) -> Synced:
        """Bring all granted partitions of a peer up to date. Raises NodeError kinds."""
        return mirrors.sync_peer(self._node, self._peers[code], show)

    def read(self, code: str, *, verify: bool = False) -> tuple[datetime | None, list[Mirrored]]:
        """When a peer's manifest was issued, and the state of each partition; `verify` reads every entry."""
        return mirrors.read_mirror(self._node, code, verify=verify)

    def drop(self, code: str) -> int:
        """Remove the copies of a peer; return the bytes. Raises ConflictError while they are synced."""
        folder = mirrors.mirror_of(self._node, code)
        with folder.lock():
            return folder.drop_all()
