"""Runs the migrations on the connection that recorder hands over, or, by the alembic command, on its own."""

from alembic import context
from sqlalchemy import Connection

from recorder.ledger.content.learning import fill_dictionaries
from recorder.ledger.database import open_database
from recorder.ledger.prices import fill_prices
from recorder.ledger.schema import HEAD, VERSION_TABLE, revision
from recorder.ledger.tables import metadata
from recorder.ledger.views import create_views, drop_views
from recorder.settings import default_store


def run(connection: Connection) -> None:
    """Migrate without the views: no table can be rebuilt while one names it."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
        include_name=lambda name, kind, parents: kind != "table" or name in metadata.tables,
    )
    drop_views(connection)
    with context.begin_transaction():
        context.run_migrations()
    if revision(connection) == HEAD:
        create_views(connection)
        fill_prices(connection)
        fill_dictionaries(connection)


connection = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
elif context.is_offline_mode():
    raise SystemExit("recorder's migrations need a database to run on; leave out --sql")
else:
    database = open_database(default_store())
    database.use_wal()
    with database.migrate() as connection:
        run(connection)
