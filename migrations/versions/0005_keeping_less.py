"""Why a call has no payload: what was stored of it to begin with, and which payloads were pruned since."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("calls", sa.Column("content", sa.Text(), nullable=False, server_default="kept"))
    op.create_table(
        "prunings",
        sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("before_us", sa.BigInteger(), nullable=False),
        sa.Column("payloads_only", sa.SmallInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("payloads", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("prunings")
    # Not in a batch, for which SQLite builds the table anew: it is the largest there is.
    op.drop_column("calls", "content")
