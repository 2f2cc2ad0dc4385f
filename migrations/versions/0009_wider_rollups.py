"""Figures of all time, and of all providers, hosts and models together.

The rollups are counted anew by the next report, or by `recorder db rollup`: this migration only notes that no call is
in them yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("rollups")
    # By its bytes, as SQLite does it.
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "rollups",
        sa.Column("dimension", name, nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("begins", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("value", name, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("replayed", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.LargeBinary(), nullable=False),
        sa.Column("cuts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "hours", "begins", "value", name="pk_rollups"),
    )
    op.create_index(
        "ix_rollups_calls",
        "rollups",
        ["dimension", sa.text("calls DESC"), "value"],
        sqlite_where=sa.text("hours = 0"),
        postgresql_where=sa.text("hours = 0"),
    )
    _count_anew()


def downgrade() -> None:
    op.drop_table("rollups")
    op.create_table(
        "rollups",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("begins", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("replayed", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("dimension", "hours", "begins", "value", "provider", "host", "model"), name="pk_rollups"
        ),
    )
    _count_anew()


def _count_anew() -> None:
    op.execute("UPDATE rollup_state SET after_seq = 0, upto_seq = (SELECT coalesce(max(seq), 0) FROM calls)")
