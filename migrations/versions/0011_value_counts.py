"""Users and sessions by number, how many calls each has in packed rows, and the figures of users for four days.

All is found from the rollups that are there, in some minutes of ten million calls.
"""

import sqlalchemy as sa
from alembic import op

from recorder.ledger.changing_cells import fill_four_days
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
    # Some were kept for a while by what came before the first release.
    op.execute("DELETE FROM rollups WHERE hours IN (96, -97)")
    fill_four_days(op.get_bind())
    fill_counts(op.get_bind())


def downgrade() -> None:
    op.execute("DELETE FROM rollups WHERE hours IN (96, -97)")
    op.drop_table("value_counts")
    op.drop_table("value_numbers")
