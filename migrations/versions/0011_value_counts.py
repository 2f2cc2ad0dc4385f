"""Users and sessions by number, and how many calls each has by the hour, the day and the month, packed by that,
of users also with each provider, host and model.

They are found from the rollups that are there, in some ten seconds of ten million calls.
"""

import sqlalchemy as sa
from alembic import op

from recorder.ledger.value_counts import fill_counts

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "value_numbers",
        sa.Column("number", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("dimension", _ID, nullable=False),
        sa.Column("value", _ID, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_value_numbers"),
        sa.UniqueConstraint("dimension", "value", name="uq_value_numbers_dimension"),
    )
    op.create_table(
        "value_counts",
        sa.Column("dimension", _ID, nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("begins", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("place", _ID, nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("calls", sa.LargeBinary(), nullable=False),
        sa.Column("replayed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "hours", "begins", "place", "part", name="pk_value_counts"),
    )
    fill_counts(op.get_bind())


def downgrade() -> None:
    op.drop_table("value_counts")
    op.drop_table("value_numbers")
