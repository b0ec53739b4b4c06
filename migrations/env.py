"""What alembic runs around the versions: on the connection that `berth.migrations` gives, or its own for developers."""

import os

from alembic import context
from sqlalchemy import Connection

from berth.migrations import configure, connecting

given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    configure(context, given)
    context.run_migrations()
else:
    with connecting(os.environ["BERTH_DATABASE_URL"]) as connection:
        configure(context, connection)
        with context.begin_transaction():
            context.run_migrations()
