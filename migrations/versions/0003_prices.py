"""The price book, which row of it priced a call, and what calls cost before they were priced anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RATES = ("input", "cached", "cache_write", "output", "reasoning", "request")


def upgrade() -> None:
    op.add_column("calls", sa.Column("total_tokens", sa.BigInteger()))
    for name in ("service_tier", "price_id", "cost_note"):
        op.add_column("calls", sa.Column(name, sa.Text()))
    op.create_table(
        "prices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("host", sa.Text()),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger()),
        sa.Column("valid_to_us", sa.BigInteger()),
        sa.Column("hours", sa.Text()),
        *(sa.Column(name, sa.Text()) for name in _RATES),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("looked_up", sa.Text()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("own", sa.SmallInteger(), nullable=False),
        sa.Column("enabled", sa.SmallInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prices"),
    )
    op.create_table(
        "holidays",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("looked_up", sa.Text()),
        sa.Column("own", sa.SmallInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("country", "year", name="pk_holidays"),
    )
    op.create_table(
        "cost_changes",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("former_cost_pico", sa.BigInteger()),
        sa.Column("former_currency", sa.Text()),
        sa.Column("former_cost_source", sa.Text(), nullable=False),
        sa.Column("former_price_id", sa.Text()),
        sa.Column("former_cost_note", sa.Text()),
        sa.Column("cost_pico", sa.BigInteger()),
        sa.Column("currency", sa.Text()),
        sa.Column("cost_source", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text()),
        sa.Column("cost_note", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name="pk_cost_changes"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name="fk_cost_changes_call_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_cost_changes_call_id", "cost_changes", ["call_id"])


def downgrade() -> None:
    for name in ("cost_changes", "holidays", "prices"):
        op.drop_table(name)
    with op.batch_alter_table("calls") as batch:
        for name in ("total_tokens", "service_tier", "price_id", "cost_note"):
            batch.drop_column(name)
