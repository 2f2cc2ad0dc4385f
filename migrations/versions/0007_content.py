"""What calls said, kept once: blobs by the hash of their bytes, and conversations as a tree.

Payloads as they were become `former_payloads`, which readers know; who upgrades carries them over afterwards, in
batches (`recorder.ledger.content.carrying`). So this takes no longer for many calls than for few.
"""

import os

import sqlalchemy as sa
from alembic import op

from recorder.ledger.content.carrying import carry_back
from recorder.ledger.content.hashing import KEY_BYTES

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SPARSE = {
    "operation_id": "operation_id <> ''",
    "trace_id": "trace_id IS NOT NULL",
    "session_id": "session_id IS NOT NULL",
    "user_id": "user_id IS NOT NULL",
}
_COLUMNS_OF = {"user_id": ["user_id", "started_us"]}
_PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{}'::regclass ORDER BY 1"
_COLUMNS = """
call_id text COLLATE "C" NOT NULL, started_us bigint NOT NULL, request_size integer NOT NULL,
response_size integer NOT NULL, node bigint, pieces bytea NOT NULL, form smallint, record bytea,
CONSTRAINT pk_payloads PRIMARY KEY (call_id)
"""


def upgrade() -> None:
    for column, condition in _SPARSE.items():
        op.drop_index(f"ix_calls_{column}", "calls")
        where = sa.text(condition)
        op.create_index(
            f"ix_calls_{column}",
            "calls",
            _COLUMNS_OF.get(column, [column]),
            sqlite_where=where,
            postgresql_where=where,
        )
    _create_content()
    _rename("payloads", "former_payloads")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE TABLE payloads ({_COLUMNS}) PARTITION BY RANGE (call_id)")
        op.execute("CREATE TABLE payloads_default PARTITION OF payloads DEFAULT")
        return
    op.create_table(
        "payloads",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("request_size", sa.Integer(), nullable=False),
        sa.Column("response_size", sa.Integer(), nullable=False),
        sa.Column("node", sa.BigInteger()),
        sa.Column("pieces", sa.LargeBinary(), nullable=False),
        sa.Column("form", sa.SmallInteger()),
        sa.Column("record", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("call_id", name="pk_payloads"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_payloads_call_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    carry_back(op.get_bind())
    op.execute("UPDATE calls SET operation_id = id WHERE operation_id = ''")
    op.drop_table("payloads")
    _rename("former_payloads", "payloads")
    for name in ("used", "collection", "dictionaries", "nodes", "blobs"):
        op.drop_table(name)
    for column in _SPARSE:
        op.drop_index(f"ix_calls_{column}", "calls")
        op.create_index(f"ix_calls_{column}", "calls", _COLUMNS_OF.get(column, [column]))


def _create_content() -> None:
    op.create_table(
        "blobs",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("form", sa.SmallInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_blobs"),
        sa.UniqueConstraint("hash", name="uq_blobs_hash"),
    )
    op.create_table(
        "nodes",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent", sa.BigInteger()),
        sa.Column("pieces", sa.LargeBinary(), nullable=False),
        sa.Column("form", sa.SmallInteger(), nullable=False),
        sa.Column("messages", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
        sa.UniqueConstraint("hash", name="uq_nodes_hash"),
    )
    op.create_table(
        "dictionaries",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dictionaries"),
    )
    collection = op.create_table(
        "collection",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("collector", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_collection"),
    )
    op.bulk_insert(collection, [{"id": 1, "key": os.urandom(KEY_BYTES), "epoch": 0, "collector": None}])
    op.create_table(
        "used",
        sa.Column("seq", _SERIAL, nullable=False),
        sa.Column("node", sa.BigInteger()),
        sa.Column("pieces", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_used"),
    )


def _rename(name: str, to: str) -> None:
    """Rename a table with, on PostgreSQL, its partitions and their keys, whose names must be free."""
    connection = op.get_bind()
    tables = [name]
    if connection.dialect.name == "postgresql":
        tables += [partition for (partition,) in connection.execute(sa.text(_PARTITIONS.format(name)))]
    for table in tables:
        new = to + table[len(name) :]
        op.rename_table(table, new)
        if connection.dialect.name == "postgresql":
            keys = "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = '{}'::regclass"
            for (key,) in connection.execute(sa.text(keys.format(new))).all():
                if (renamed := key.replace(name, to, 1)) != key:
                    op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT {key} TO {renamed}")
