"""What alembic runs around the versions: on the connection of `berth.database.migrations`, or a developer's own.

A new version, on a database that is up to date:

    BERTH_DATABASE_URL=postgresql://… alembic revision --autogenerate --rev-id 0002 -m "what it brings"
"""

import os

from alembic import context
from sqlalchemy import Connection

from berth.database.migrations import configure, connecting

given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    configure(context, given)
    context.run_migrations()
else:
    with connecting(os.environ["BERTH_DATABASE_URL"]) as connection:
        configure(context, connection)
        with context.begin_transaction():
            context.run_migrations()
