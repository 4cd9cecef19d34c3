"""Every column that is sealed under the storage key, found by the epoch in its first bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, Table, and_, func, literal, select, tuple_, update

from node.database.case_tables import matched_entries, objections, received_corrections, sent_corrections
from node.database.household_tables import households, mandates, urgent_checks
from node.database.index_tables import buckets, cuts, token_blocks
from node.database.tables import (
    answers,
    jobs,
    parts,
    sum_aliases,
    sum_blocks,
    sum_exposures,
    sum_groups,
    sum_products,
    sum_queries,
    tokens,
)
from node.database.user_tables import drafts, users
from node.database.watch_tables import alerts, watch_answers, watch_tokens, watches

EPOCH_BYTES: Final = 2  # keys.store.vault.EPOCH_BYTES: the database knows no keys


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column; `more` are what its place is made of besides the primary key, from `of` too."""

    table: Table
    name: str
    more: tuple[Column[Any], ...] = ()
    of: Table | None = None

    @property
    def column(self) -> Column[Any]:
        """The column itself."""
        return self.table.c[self.name]

    @property
    def keys(self) -> list[Column[Any]]:
        """The columns of the primary key."""
        return list(self.table.primary_key.columns)

    def __str__(self) -> str:
        return f"{self.table.name}.{self.name}"


_BLOCK: Final = (sum_blocks.c.points, sum_blocks.c.days, sum_blocks.c.ciphertexts)
_CUT: Final = (cuts.c.item, cuts.c.origin, cuts.c.epoch)
_RECEIVED: Final = (received_corrections.c.peer, received_corrections.c.id)
SEALED: Final = (
    SealedColumn(jobs, "request_sealed"),
    SealedColumn(parts, "session_sealed"),
    SealedColumn(parts, "refusals_sealed"),
    SealedColumn(parts, "reused_sealed"),
    SealedColumn(tokens, "sealed"),
    SealedColumn(answers, "sealed"),
    SealedColumn(sum_products, "sealed"),
    SealedColumn(sum_queries, "answer_sealed"),
    SealedColumn(sum_queries, "guards_sealed"),
    SealedColumn(sum_exposures, "rows_sealed"),
    SealedColumn(
        sum_blocks,
        "values_sealed",
        (*_BLOCK, sum_groups.c.item, sum_groups.c.prefix, sum_groups.c.epoch),
        sum_groups,
    ),
    SealedColumn(sum_aliases, "sealed"),
    SealedColumn(households, "sealed"),
    SealedColumn(mandates, "sealed"),
    SealedColumn(mandates, "form_sealed"),
    SealedColumn(urgent_checks, "sealed"),
    SealedColumn(buckets, "kept_sealed", _CUT, cuts),
    SealedColumn(buckets, "links_sealed", _CUT, cuts),
    SealedColumn(token_blocks, "sealed", (token_blocks.c.version,)),
    SealedColumn(users, "name_sealed"),
    SealedColumn(users, "secrets_sealed"),
    SealedColumn(drafts, "form_sealed"),
    SealedColumn(drafts, "request_sealed"),
    SealedColumn(drafts, "reason_sealed"),
    SealedColumn(watches, "request_sealed"),
    SealedColumn(watch_tokens, "sealed"),
    SealedColumn(watch_answers, "sealed"),
    SealedColumn(alerts, "content_sealed", (alerts.c.id,)),
    SealedColumn(alerts, "note_sealed", (alerts.c.id,)),
    SealedColumn(matched_entries, "sealed"),
    SealedColumn(objections, "content_sealed"),
    SealedColumn(sent_corrections, "content_sealed"),
    SealedColumn(received_corrections, "content_sealed", _RECEIVED),
)


def read_under(
    tx: Connection, one: SealedColumn, epoch: int, after: Sequence[Any], limit: int
) -> list[Row[Any]]:
    """Rows of a column that are sealed under an epoch, in order of their key, after one.

    Each has the key's columns, `more`, and the column as `content`.
    """
    source = one.table if one.of is None else one.table.join(one.of)
    wanted = select(*one.keys, *one.more, one.column.label("content")).select_from(source)
    wanted = wanted.where(_is_under(one, epoch)).order_by(*one.keys).limit(limit)
    if after:
        known = [literal(value, key.type) for key, value in zip(one.keys, after, strict=True)]
        wanted = wanted.where(tuple_(*one.keys) > tuple_(*known))
    return list(tx.execute(wanted))


def replace_sealed(tx: Connection, one: SealedColumn, row: Row[Any], content: bytes) -> bool:
    """Put other bytes in the place of those that were read; False where they have changed meanwhile."""
    place = [key == row._mapping[key.name] for key in one.keys]  # noqa: SLF001
    changed = update(one.table).where(and_(*place, one.column == row.content)).values({one.name: content})
    return tx.execute(changed).rowcount == 1


def count_under(tx: Connection, one: SealedColumn, epoch: int) -> int:
    """How many values of a column are sealed under an epoch."""
    return int(tx.scalar(select(func.count()).select_from(one.table).where(_is_under(one, epoch))) or 0)


def _is_under(one: SealedColumn, epoch: int) -> Any:
    return func.substr(one.column, 1, EPOCH_BYTES) == literal(epoch.to_bytes(EPOCH_BYTES), one.column.type)
