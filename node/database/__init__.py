"""The node's database: every SQL statement of the node is in this package (design.md section 3).

Functions of `index`, `jobs`, `peers` and `audit` take the connection of a named transaction:

    with store.transaction("publish partitions", write=True) as tx:
        index.publish(tx, ...)

Nothing here goes beyond what SQLite and PostgreSQL both do.
"""

from sqlalchemy import Connection

from node.database.engine import Store
from node.database.schema import open_store

__all__ = ["Connection", "Store", "open_store"]
