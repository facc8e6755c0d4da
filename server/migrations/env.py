"""Alembic's environment: runs on the connection that `server.migrations.upgrade` hands in."""

from alembic import context

from server.migrations.tables import metadata, ours

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, include_object=ours, compare_server_default=False)
with context.begin_transaction():
    context.run_migrations()
