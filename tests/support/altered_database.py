"""Altered databases: a hostile responder signs the root of its altered buckets."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select, update

from matcher import LabelRecord, buckets, label, merkle, oprf
from matcher import identity as identities
from matcher.suites import tokens
from matcher.suites.tokens import TAG_SIZE
from node.context import Node
from node.database import index_tables
from node.registers.importer import import_item
from tests.support.cluster import World
from tests.support.renumbered import renumbered
from tests.support.single_node import class_key

Responses = Iterator[Any]


def cook(item: str, origin: str, change: Callable[[Node, bytes], bytes]) -> Callable[[Node, World], None]:
    """Alter every bucket of a partition, and the tree over them with it."""

    def write(node: Node, _world: World) -> None:
        part, rows = index_tables.partitions, index_tables.buckets
        with node.store.transaction("cook", write=True) as tx:
            identifier, cut = tx.execute(
                select(part.c.id, part.c.cut_id).where(
                    part.c.item == item, part.c.origin == origin, part.c.is_current
                )
            ).one()
            leaves = []
            for row in tx.execute(
                select(rows.c.number, rows.c.entries).where(rows.c.cut_id == cut).order_by(rows.c.number)
            ).all():
                entries = change(node, bytes(row.entries))
                leaves.append(buckets.bucket_leaf(row.number, entries))
                tx.execute(
                    update(rows)
                    .where(rows.c.cut_id == cut, rows.c.number == row.number)
                    .values(entries=entries)
                )
            tx.execute(
                update(part)
                .where(part.c.id == identifier)
                .values(root=merkle.root(leaves), leaves=b"".join(leaves))
            )

    return write


def rows_of(node: Node, item: str, entries: bytes) -> list[bytes]:
    size = buckets.entry_size(node.catalogue.item(item).width)
    return [entries[at : at + size] for at in range(0, len(entries), size)]


def planted_tags(node: Node, item: str, origin: str) -> dict[bytes, bytes]:
    """Label keys of a partition's planted subjects by tag."""
    count = node.config.limits.planted_per_partition
    found = [identities.planted(item, origin, f"hit-{number}") for number in range(count)]
    points = oprf.evaluate_own(
        class_key(node, item), b"".join(tokens.map_to_curve(node.keys.salt, one) for one in found)
    )
    return dict(
        tokens.entry_keys(tokens.token_secret(points[at : at + 32]), item, 1)
        for at in range(0, len(points), 32)
    )


def drop_planted(node: Node, entries: bytes) -> bytes:
    hidden = planted_tags(node, "C21", "45")
    return b"".join(row for row in rows_of(node, "C21", entries) if row[:TAG_SIZE] not in hidden)


def reseal(
    item: str, change: Callable[[LabelRecord], LabelRecord], planted: bool
) -> Callable[[Node, bytes], bytes]:
    """Seal other contents under the right keys: of planted subjects, or of the people of `known`."""

    def alter(node: Node, entries: bytes) -> bytes:
        keys = planted_tags(node, item, "45") if planted else known_tags(node, item)
        out, width = [], node.catalogue.item(item).width
        for row in rows_of(node, item, entries):
            tag, sealed = row[:TAG_SIZE], row[TAG_SIZE:]
            if tag in keys:
                associated = label.associated_data(item, "45", 1, tag)
                record = change(label.open_label(keys[tag], sealed, width, associated))
                sealed = label.seal(keys[tag], record, width, associated)
            out.append(tag + sealed)
        return b"".join(out)

    return alter


def known_tags(node: Node, item: str) -> dict[bytes, bytes]:
    """The numbers in the responder's own registers, which it knows."""
    numbers = list(KNOWN)
    points = oprf.evaluate_own(
        class_key(node, item), b"".join(tokens.map_to_curve(node.keys.salt, one) for one in numbers)
    )
    return dict(
        tokens.entry_keys(tokens.token_secret(points[at : at + 32]), item, 1)
        for at in range(0, len(points), 32)
    )


KNOWN: set[Any] = set()


def spoil_labels(node: Node, entries: bytes) -> bytes:
    return b"".join(row[:-1] + bytes([row[-1] ^ 1]) for row in rows_of(node, "C21", entries))


def spoil_known(node: Node, entries: bytes) -> bytes:
    """The labels of people in the registers, and of nobody else."""
    keys = known_tags(node, "C21")
    return b"".join(
        row[:-1] + bytes([row[-1] ^ 1]) if row[:TAG_SIZE] in keys else row
        for row in rows_of(node, "C21", entries)
    )


def unsort(node: Node, entries: bytes) -> bytes:
    return b"".join(reversed(rows_of(node, "C21", entries)))


def double(node: Node, entries: bytes) -> bytes:
    rows = rows_of(node, "C21", entries)
    return b"".join(rows[:1] + rows)


def ragged(_node: Node, entries: bytes) -> bytes:
    return entries[:-1]


def shorten_entries(node: Node, entries: bytes) -> bytes:
    """Entries of a flag in the place of those of a count: whole, sorted, and two bytes too short."""
    return b"".join(row[:-2] for row in rows_of(node, "C21", entries))


def altered(**changes: Any) -> Callable[[LabelRecord], LabelRecord]:
    return lambda record: replace(record, **changes)


def serve_older(node: Node, world: World) -> None:
    """Publish a new version, then serve the old one's buckets under its number and digests."""
    path = next(p for p in (world.data / "44" / "registers").iterdir() if "_C21_" in p.name)
    # Under another record key, or the same facts would be the same bytes and no new version.
    import_item(renumbered(node, 1), "C21", [path])
    rows, part = index_tables.buckets, index_tables.partitions
    with node.store.transaction("cook", write=True) as tx:
        versions = tx.execute(
            select(
                part.c.id, part.c.cut_id, part.c.version, part.c.origin, part.c.is_current, part.c.leaves
            ).where(part.c.item == "C21")
        ).all()
        for origin in {row.origin for row in versions}:
            old = next(row for row in versions if row.origin == origin and not row.is_current)
            new = next(row for row in versions if row.origin == origin and row.is_current)
            assert (old.cut_id, old.leaves != new.leaves) == (new.cut_id, True)
            tx.execute(delete(rows).where(rows.c.cut_id == new.cut_id, rows.c.version == new.version))
            tx.execute(update(part).where(part.c.id == new.id).values(leaves=old.leaves))
