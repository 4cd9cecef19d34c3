"""A partition that an upsert or delete made larger or smaller, in another number of buckets."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from matcher import batch, buckets
from matcher.types import TokenClass
from matcher.vectorised import Bytes
from node.context import Node
from node.database import partitions as index_rows
from node.index.entries import Pads, StoredEntries, altered, cut_buckets, join_stored
from node.index.layout import LINK, BuildSpec
from node.index.merging import tags_of
from node.index.partition_writer import PartitionWriter, Version, sort_links
from node.index.token_blocks import PREFIX_BITS, Pointers, TokenTable, are_pads, prefix_of
from node.index.token_store import TokenStore


def recut(
    node: Node, writer: PartitionWriter, work: BuildSpec, token_class: TokenClass, old: Version, bits: int
) -> Version:
    """The same entries in 2^bits buckets, from the stored rows. Raises UnavailableError for altered ones."""
    version = writer.open({old.origin: replace(old.layout, bits=bits)})[old.origin]
    store = TokenStore(node, token_class, work.epoch)
    nobody = Pads.draw(work.pad_key, work.place, old.origin, range(old.layout.pads))
    pads_at = dict(zip(tags_of(nobody.served), nobody.prefixes.tolist(), strict=True))
    old_bits, start = old.layout.bits, 0
    deeper = bits - old_bits
    step = 1 if deeper >= 0 else 1 << -deeper  # old buckets that make whole new ones
    while start < 1 << old_bits:
        with node.store.transaction("read buckets") as tx:
            stored = index_rows.read_cut(tx, old.cut, old.number, range(start, start + step))
        opened = [(each.entries, *writer.unseal(old.origin, each)) for each in stored]
        served, kept = join_stored(
            [StoredEntries(entries, found) for entries, found, _ in opened], work.place.width
        )
        pointers = np.ascontiguousarray(kept[:, :4]).view(">u4").ravel().astype(np.uint32)
        prefixes = _prefixes(
            work.place.item, pointers, served, pads_at, store if bits > PREFIX_BITS else None
        )
        numbers = (
            range(start << deeper, (start + 1) << deeper)
            if deeper >= 0
            else range(start >> -deeper, (start >> -deeper) + 1)
        )
        links = np.frombuffer(b"".join(found for *_, found in opened), dtype=LINK)
        for made in cut_buckets(work.place, old.origin, served, kept, prefixes, bits, numbers):
            here, _ = buckets.read_kept(made.bucket.kept, work.place.width)
            mine = links[np.isin(links["pointer"], here)]
            writer.append(version, made, sort_links(mine.tobytes()))
        start += step
    writer.flush()
    return version


def _prefixes(
    item: str, pointers: Pointers, served: Bytes, pads_at: Mapping[bytes, int], store: TokenStore | None
) -> NDArray[np.uint32]:
    """The 32-bit prefix of each entry, or its first 12 bits where these are enough: `store` is None."""
    found, nobody = prefix_of(pointers), are_pads(pointers)
    try:
        found[nobody] = [pads_at[tag] for tag in tags_of(served[nobody])]
    except KeyError:
        raise altered(item) from None
    if store is not None:
        people = np.flatnonzero(~nobody)
        table = TokenTable(store.read(np.unique(pointers[people] >> 20).tolist()))
        rows = table.follow(pointers[people])
        if (rows < 0).any():
            raise altered(item)
        found[people] = batch.prefixes(table.slots.digests[rows])
    return found
