"""Alembic runs migrations on the connection that node.database.schema.migrate passes."""

from alembic import context

from node.database.peer_tables import peers

context.configure(
    connection=context.config.attributes["connection"], target_metadata=peers.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
