"""Makes the versions of an import current, under every served salt, in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from node.compute.types import Usage
from node.context import Node
from node.credentials.active_keys import OPRF
from node.credentials.sum_keys import SUM_PURPOSES
from node.database import Connection, imports, key_epochs, partition_versions
from node.database import audit_log as audit_rows
from node.database import partitions as index_rows
from node.database.imported_items import put_content
from node.domain.catalogue import Item
from node.domain.records import Tally
from node.errors import ConflictError
from node.index.deltas import settle_deltas, write_deltas
from node.index.offering import gathers, offer_due
from node.registers.delta import Change
from node.registers.reading import IndexedRows


@dataclass(frozen=True, slots=True)
class PreparedVersion:
    """Versions that are written and not published, under the active epoch of `node`."""

    node: Node
    indexed: IndexedRows
    change: Change
    rejects_file: Path | None
    usage: Usage
    workers: int


def publish(
    node: Node,
    item: Item,
    mode: str,
    runs: Sequence[PreparedVersion],
    source_digest: bytes,
    *,
    approved: bool = False,
) -> int | None:
    """Make the versions current; return the rows that the full import before this one accepted.

    `approved`: a second administrator let the item shrink.
    """
    now, first = node.clock(), runs[0]
    offered = mode == "full" or not gathers(node)
    written = [each.node.keys.epoch for each in runs]

    def write(tx: Connection) -> dict[str, Any] | None:
        key_epochs.require_active(tx, OPRF, written[0])
        _require_all_salts(tx, item, written)
        before = index_rows.last_import(tx, item.code)
        if first.change.sums is not None:
            key_epochs.require_active(tx, SUM_PURPOSES[0], first.change.sums.epoch)
        offer_due(node, tx)  # what these changes would replace
        for each in runs:
            _publish_change(tx, each.change, now, offered=offered)
        if mode == "full":
            partition_versions.offer(tx, now, item=item.code)
            put_content(tx, item.code, item.content, now)
        tally = first.indexed.tally
        held = sum(imports.entries_by_origin(tx, item.code, written[0]).values())
        imports.record_import(
            tx, item.code, mode, asdict(tally), source_digest, now, held=held, approved=approved
        )
        details = _audit_details(item, mode, written[0], tally, first.change)
        if written[1:]:
            details["other_epochs"] = [str(epoch) for epoch in written[1:]]
        audit_rows.append(tx, "item_imported", details, now)
        return before

    for each in runs:
        write_deltas(each.node, each.change.prepared)
    # Retried when another writer took the next place in the audit chain: an import may have taken hours.
    before = node.store.retry_write("publish import", write)
    return None if before is None else int(before["accepted"])


def _publish_change(tx: Connection, change: Change, now: datetime, *, offered: bool) -> None:
    partition_versions.publish(tx, change.prepared, now, offered=offered)
    settle_deltas(tx, change.prepared)
    partition_versions.redate(tx, change.redated)
    if change.sums is not None:
        change.sums.publish(tx, now)


def _require_all_salts(tx: Connection, item: Item, written: Sequence[int]) -> None:
    """An epoch under the next salt that holds the item must not miss this import."""
    for epoch in key_epochs.awaiting_epochs(tx, OPRF):
        if epoch not in written and item.code in index_rows.current_items(tx, epoch):
            raise ConflictError(
                "a rotation of the salt began, or this machine's key store has not its key",
                "nothing was published; copy the key store from where the rotation began, then try again",
            )


def _audit_details(
    item: Item, mode: str, epoch: int, tally: Tally, change: Change
) -> dict[str, str | int | list[str]]:
    details: dict[str, str | int | list[str]] = {
        "item": item.code,
        "epoch": epoch,
        "read": tally.read,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "duplicates": tally.duplicates,
        "entries": tally.entries,
    }
    return details if mode == "full" else {**details, "mode": mode, **change.counts}
