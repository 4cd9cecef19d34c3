"""Under which definition the entries of an item were made: another one may not be offered with them."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from node.database.catalogue_tables import imported_items


def put_content(tx: Connection, item: str, content: bytes, now: datetime) -> None:
    """Keep the content digest of an item (32 bytes) with its full import."""
    tx.execute(delete(imported_items).where(imported_items.c.item == item))
    tx.execute(insert(imported_items).values(item=item, content=content, imported_at=now))


def read_contents(tx: Connection) -> dict[str, bytes]:
    """The content digest of each item's last full import."""
    rows = tx.execute(select(imported_items.c.item, imported_items.c.content))
    return {row.item: bytes(row.content) for row in rows}
