"""Reads and writes token blocks: sealed rows by class, epoch and prefix (design.md section 3.1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, Delete, bindparam, delete, func, insert, select, update

from matcher.types import TokenClass
from node.database.engine import Store
from node.database.index_tables import token_blocks
from node.errors import ConflictError

_AT_ONCE = 64  # blocks in memory, or removed in one transaction
PREFIXES = 4096  # blocks of a class and epoch
_OF_EPOCH = (
    select(token_blocks)
    .where(
        token_blocks.c["class"] == bindparam("of_class"),
        token_blocks.c.epoch == bindparam("of_epoch"),
    )
    .order_by(token_blocks.c.prefix)
)
_RANGE = _OF_EPOCH.where(token_blocks.c.prefix.between(bindparam("first"), bindparam("last")))
_SOME = _OF_EPOCH.where(token_blocks.c.prefix.in_(bindparam("prefixes", expanding=True)))


@dataclass(frozen=True, slots=True)
class TokenBlockRow:
    """A stored block. `source_version`: that of the block of the epoch before from which it was made."""

    prefix: int
    version: int
    source_version: int
    sealed: bytes = field(repr=False)


def read_blocks(
    tx: Connection, token_class: TokenClass, epoch: int, prefixes: Sequence[int]
) -> list[TokenBlockRow]:
    """Some blocks, as far as there are any, by prefix. Keep `prefixes` short: all are loaded into memory."""
    place = {"of_class": token_class.value, "of_epoch": epoch}
    if isinstance(prefixes, range) and prefixes.step == 1:
        rows = tx.execute(_RANGE, place | {"first": prefixes.start, "last": prefixes.stop - 1})
    else:
        rows = tx.execute(_SOME, place | {"prefixes": list(prefixes)})
    return [TokenBlockRow(row.prefix, row.version, row.source_version, bytes(row.sealed)) for row in rows]


def write_blocks(
    tx: Connection, token_class: TokenClass, epoch: int, new: Sequence[TokenBlockRow], seen: Mapping[int, int]
) -> None:
    """Write blocks that were read in the versions `seen`, 0 for a new one; all or none.

    Raises ConflictError where another run has written one since.
    """
    place = (token_blocks.c["class"] == token_class.value, token_blocks.c.epoch == epoch)
    known = [row.prefix for row in new if seen[row.prefix]]
    held = select(token_blocks.c.prefix, token_blocks.c.version).where(
        *place, token_blocks.c.prefix.in_(known)
    )
    found = {row.prefix: row.version for row in tx.execute(held.with_for_update())} if known else {}
    if any(found.get(prefix) != seen[prefix] for prefix in known):
        raise ConflictError("another run wrote the same tokens", "try again")
    added = [row for row in new if not seen[row.prefix]]
    if added:
        own = {"class": token_class.value, "epoch": epoch}
        tx.execute(insert(token_blocks), [own | asdict(row) for row in added])
    if known:
        here = (token_blocks.c.prefix == bindparam("at"), token_blocks.c.version == bindparam("before"))
        names = ("version", "source_version", "sealed")
        tx.execute(
            update(token_blocks)
            .where(*place, *here)
            .values({name: bindparam(f"new_{name}") for name in names}),
            [
                {"at": row.prefix, "before": seen[row.prefix]}
                | {f"new_{name}": getattr(row, name) for name in names}
                for row in new
                if seen[row.prefix]
            ],
        )


def block_lengths(tx: Connection, token_class: TokenClass, epoch: int) -> dict[int, int]:
    """Sealed bytes of each block of a class and epoch, by prefix."""
    size = func.length(token_blocks.c.sealed).label("size")
    place = (token_blocks.c["class"] == token_class.value, token_blocks.c.epoch == epoch)
    return {row.prefix: row.size for row in tx.execute(select(token_blocks.c.prefix, size).where(*place))}


def block_sizes(tx: Connection, epoch: int) -> dict[TokenClass, tuple[int, int]]:
    """Of each class that has tokens in an epoch: how many blocks, and their bytes."""
    rows = tx.execute(
        select(token_blocks.c["class"], func.count(), func.sum(func.length(token_blocks.c.sealed)))
        .where(token_blocks.c.epoch == epoch)
        .group_by(token_blocks.c["class"])
    )
    return {TokenClass(name): (count, int(size)) for name, count, size in rows}


def forget_blocks(store: Store, epoch: int) -> None:
    """Remove the tokens of an epoch that is no longer answered; may be repeated."""
    with store.transaction("find tokens") as tx:
        ranges = prefix_ranges(tx, epoch)
    for prefixes in ranges:
        remove = delete(token_blocks).where(token_blocks.c.epoch == epoch, _within(prefixes))
        store.retry_write("remove tokens", partial(_run, statement=remove))


def _run(tx: Connection, statement: Delete) -> None:
    tx.execute(statement)


def prefix_ranges(
    tx: Connection, epoch: int, classes: Collection[TokenClass] = tuple(TokenClass)
) -> list[range]:
    """All prefixes in order, cut where there are blocks enough of these classes to be in memory at once."""
    named = token_blocks.c["class"].in_([each.value for each in classes])
    found = select(token_blocks.c.prefix).where(named, token_blocks.c.epoch == epoch).distinct()
    held = tx.execute(found.order_by(token_blocks.c.prefix)).scalars().all()
    return [range(*ends) for ends in pairwise([0, *held[_AT_ONCE::_AT_ONCE], PREFIXES])]


def _within(prefixes: range) -> ColumnElement[bool]:
    return token_blocks.c.prefix.between(prefixes.start, prefixes.stop - 1)
