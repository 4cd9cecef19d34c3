"""Compares a requester's mirrors with the responder's partitions, byte for byte, and counts whole fetches."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete

from node.context import Node
from node.database import partitions as index_rows
from node.database import peers as peer_rows
from node.database.peer_tables import seen_manifests
from node.domain.peers import PeerRow
from node.jobs.mirrors import Synced, mirror_of, sync_peer
from node.mirror.folder import FOLDER
from node.requester.partition_fetch import Fetch
from tests.support.cluster import Province


def peer_row(node: Node, code: str = "44") -> PeerRow:
    with node.store.transaction("find peer") as tx:
        found = peer_rows.find_peer(tx, code)
    assert found is not None
    return found


def sync(node: Node, code: str = "44") -> Synced:
    return sync_peer(node, peer_row(node, code))


def served_bytes(responder: Node, requester: str) -> dict[tuple[str, str], list[bytes]]:
    """The buckets of every partition that a peer is granted, in the responder's database."""
    peer, items = peer_row(responder, requester), {item.code: item for item in responder.catalogue.items}
    with responder.store.transaction("read partitions") as tx:
        rows = index_rows.offered_partitions(tx, responder.ring.refresh().epoch, sorted(peer.origins))
        return {
            (row.item, row.origin): [
                entries for _, entries in index_rows.read_buckets(tx, row.id, range(1 << row.bits))
            ]
            for row in rows
            if row.origin in peer.origins_of(items[row.item])
        }


def mirrored_bytes(requester: Node, code: str = "44") -> dict[tuple[str, str], list[bytes]]:
    """The buckets of every partition in the mirror of a peer's newest manifest."""
    folder = mirror_of(requester, code)
    manifest = folder.manifests()[0].content
    found = {}
    for part in manifest.partitions:
        file = folder.read(part)
        if file is not None:
            assert not file.damaged()
            found[part.item, part.origin] = [file.bucket(number) for number in range(part.buckets)]
    return found


def mirror_files(home: Path, code: str = "44", ending: str = "hqm") -> list[Path]:
    return sorted((home / FOLDER / code).glob(f"*.{ending}"))


def forget(province: Province, code: str) -> None:
    """Remove the mirror of a peer, and what was seen of its manifests."""
    shutil.rmtree(province.home / FOLDER / code, ignore_errors=True)
    with province.node.store.transaction("forget", write=True) as tx:
        tx.execute(delete(seen_manifests).where(seen_manifests.c.peer == code))


@contextmanager
def whole_fetches() -> Iterator[list[str]]:
    """The item/origin of each partition that is fetched whole in the block."""
    seen: list[str] = []
    honest = Fetch._fetch_whole

    def counted(self: Fetch, *, suspect: bool) -> None:
        seen.append(f"{self.part.item}/{self.part.origin}")
        honest(self, suspect=suspect)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fetch, "_fetch_whole", counted)
        yield seen
