"""Run by Alembic: migrate over the connection that the database hands in."""

from __future__ import annotations

from alembic import context

# SQLite undoes DDL like anything else: a migration that is killed leaves no trace.
context.configure(connection=context.config.attributes["connection"], render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
