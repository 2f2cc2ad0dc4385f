"""Calls and payloads in monthly partitions, on PostgreSQL; nothing changes on SQLite.

The tables as they are become the default partitions, so that this takes no longer for many calls than for few. Who
upgrades moves the rows into partitions of their months afterwards (`recorder.ledger.partitions`).

A partitioned table is unique by what it is cut by: the key of calls is `id` from here on. No row refers to a call by
a foreign key any more: that would keep rows in the default partition, and old partitions in the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEYS = {"calls": "id", "payloads": "call_id"}
_REFERRING = """
SELECT conname, conrelid::regclass::text, attname FROM pg_constraint
JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND confrelid = 'calls'::regclass
"""
_KEYS_OF = "SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u') AND conrelid = '{}'::regclass"
_INDEXES_OF = """
SELECT index.relname, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
JOIN pg_class AS index ON index.oid = indexrelid
WHERE NOT indisunique AND indrelid = '{}'::regclass
"""


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for name, table, column in _rows(_REFERRING):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        # Columns that are compared must be ordered alike; the ids by their bytes, since that is by time.
        op.execute(f'ALTER TABLE {table} ALTER {column} TYPE text COLLATE "C"')
    for table, key in _KEYS.items():
        default = f"{table}_default"
        for (name,) in _rows(_KEYS_OF.format(table)):
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f'ALTER TABLE {table} ALTER {key} TYPE text COLLATE "C"')
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{default} PRIMARY KEY ({key})")
        indexes = _rows(_INDEXES_OF.format(table))
        for name, _ in indexes:
            op.execute(f"ALTER INDEX {name} RENAME TO {name}_default")
        op.execute(f"ALTER TABLE {table} RENAME TO {default}")
        op.execute(
            f"CREATE TABLE {table} (LIKE {default} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE, "
            f"CONSTRAINT pk_{table} PRIMARY KEY ({key})) PARTITION BY RANGE ({key})"
        )
        for _, definition in indexes:
            op.execute(definition)
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {default} DEFAULT")
    op.execute("ALTER SEQUENCE calls_seq_seq OWNED BY calls.seq")
    op.create_index("ix_calls_seq", "calls", ["seq"])


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_index("ix_calls_seq", "calls")
    for table in _KEYS:
        indexes = _rows(_INDEXES_OF.format(table))
        op.execute(f"CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        op.execute(f"INSERT INTO {table}_whole SELECT * FROM {table}")
        if table == "calls":
            op.execute("ALTER SEQUENCE calls_seq_seq OWNED BY calls_whole.seq")
        op.execute(f"DROP TABLE {table}")
        op.execute(f"ALTER TABLE {table}_whole RENAME TO {table}")
        for _, definition in indexes:
            op.execute(definition)
    op.create_primary_key("pk_calls", "calls", ["seq"])
    op.create_unique_constraint("uq_calls_id", "calls", ["id"])
    op.create_primary_key("pk_payloads", "payloads", ["call_id"])
    op.create_foreign_key("fk_payloads_call_id", "payloads", "calls", ["call_id"], ["id"], ondelete="CASCADE")
    op.create_foreign_key("fk_cassette_entries_call_id", "cassette_entries", "calls", ["call_id"], ["id"])
    op.create_foreign_key(
        "fk_cost_changes_call_id", "cost_changes", "calls", ["call_id"], ["id"], ondelete="CASCADE"
    )


def _rows(query: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in op.get_bind().execute(sa.text(query))]
