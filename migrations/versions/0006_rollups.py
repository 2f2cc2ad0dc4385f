"""Figures of calls by the hour and the day, budgets, and what caching saved.

The rollups of a store that has calls are filled by the next report, or by `recorder db rollup`: this migration only
notes which calls are not in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("cache_saved_pico", sa.BigInteger()))
    op.create_index("ix_calls_user_id", "calls", ["user_id", "started_us"])
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
    op.create_table(
        "rollup_state",
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.Column("upto_seq", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO rollup_state SELECT 0, coalesce(max(seq), 0) FROM calls")
    op.create_table(
        "budgets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit_pico", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_budgets"),
    )


def downgrade() -> None:
    for name in ("budgets", "rollup_state", "rollups"):
        op.drop_table(name)
    op.drop_index("ix_calls_user_id", "calls")
    with op.batch_alter_table("calls") as batch:
        batch.drop_column("cache_saved_pico")
