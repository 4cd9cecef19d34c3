"""The node's database: every SQL statement of the node is in this package (docs/data-model.md).

Functions of the modules take the connection of a named transaction, so that several calls and the audit
event are committed together:

    with store.transaction("publish partitions", write=True) as tx:
        partition_versions.publish(tx, prepared, now)
        audit_log.append(tx, "item_imported", details, now)

All SQL here works on SQLite and on PostgreSQL.
"""

from sqlalchemy import Connection

from node.database.address import database_facts, database_url, describe_database
from node.database.engine import Store
from node.database.schema import open_store

__all__ = ["Connection", "Store", "database_facts", "database_url", "describe_database", "open_store"]
